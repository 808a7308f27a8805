from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.cluster import quantities

CPU = {"250m": 250, "1.5": 1500, "0": 0, "2": 2000, "0.5m": 1, "1n": 1, "1e-3": 1, "100u": 1, 1: 1000, 0.25: 250, "+1": 1000, ".5": 500}
MEMORY = {"1Gi": 1024, "1": 1, "0": 0, "1000M": 954, "1Mi": 1, "1048577": 2, "1e3": 1, "2Ti": 2 * 1024 * 1024, "128974848": 123}


@pytest.mark.parametrize(("text", "milli"), CPU.items(), ids=str)
def test_cpu_is_whole_milli_cores_rounded_up(text: str, milli: int) -> None:
    assert quantities.cpu_milli(text) == milli


@pytest.mark.parametrize(("text", "mib"), MEMORY.items(), ids=str)
def test_memory_is_whole_mib_rounded_up(text: str, mib: int) -> None:
    assert quantities.memory_mib(text) == mib


@pytest.mark.parametrize(
    "text",
    ["", "x", "1 Gi", "1gi", "1GiB", "--1", "1e", "NaN", "Infinity", "٣", "1" * 40, "9E", "1e99", "1e99999999999999999999", None, True, {}],
    ids=repr,
)
def test_what_is_no_quantity_is_an_error(text: str) -> None:
    if text == "9E":
        assert quantities.count(text) == 9 * 10**18
        return
    with pytest.raises(ValueError, match=r"quantity|range"):
        quantities.parse(text)


@given(st.integers(0, 10**7))
def test_texts_come_back_as_the_same_number(amount: int) -> None:
    assert quantities.cpu_milli(quantities.cpu_text(amount)) == amount
    assert quantities.memory_mib(quantities.memory_text(amount)) == amount


@given(st.decimals(0, 10**6, places=6))
def test_a_request_is_never_understated(value: object) -> None:
    milli = quantities.cpu_milli(str(value))
    assert milli >= quantities.parse(str(value)) * 1000 > milli - 1 or milli == 0 == quantities.parse(str(value))


@given(st.from_regex(quantities._QUANTITY, fullmatch=True))
def test_whatever_has_the_form_of_a_quantity_is_a_number_or_out_of_range(text: str) -> None:
    number = text.rstrip("".join(quantities._SUFFIX))
    exact = Fraction(number) * Fraction(quantities._SUFFIX[text.removeprefix(number)])
    if abs(exact) < 2**63:
        assert float(quantities.parse(text)) == pytest.approx(float(exact))
        return
    with pytest.raises(ValueError, match="is out of range"):
        quantities.parse(text)
