"""How people write amounts and spans of time, and what is none."""

import pytest

from core.policy import forms


@pytest.mark.parametrize(
    ("written", "micro"),
    [("500 USD", 500_000_000), ("0.768", 768_000), (500, 500_000_000), (0.25, 250_000), ("499.50USD", 499_500_000), ("0.000001", 1)],
)
def test_money_is_micro_dollars(written: object, micro: int) -> None:
    assert forms.micro_usd(written) == micro


@pytest.mark.parametrize("written", ["", "5 EUR", "-5", "1e3", "0.0000001", "500 USD a month", "1" * 13])
def test_what_is_no_amount_says_how_one_is_written(written: str) -> None:
    with pytest.raises(ValueError, match="is written like"):
        forms.micro_usd(written)


@pytest.mark.parametrize("written", [True, False, None, [], {}, b"5"])
def test_what_is_neither_number_nor_text_is_no_amount(written: object) -> None:
    with pytest.raises(ValueError, match="expected a number or a text"):
        forms.micro_usd(written)


@pytest.mark.parametrize(("written", "seconds"), [("1s", 1), ("15m", 900), ("2h", 7200), ("7d", 604_800), ("0m", 0)])
def test_a_span_is_seconds(written: str, seconds: int) -> None:
    assert forms.seconds(written) == seconds


@pytest.mark.parametrize("written", ["", "15", "m", "1w", "-1h", "1.5h", "1h30m", 15, True, None])
def test_what_is_no_span_says_how_one_is_written(written: object) -> None:
    with pytest.raises(ValueError, match="span of time"):
        forms.seconds(written)
