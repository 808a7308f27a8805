"""The planted defects fit the code as it is, change what it means, and each was noticed by a case: a stale one would prove nothing."""

import ast
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from evals.cases import reading
from tests.defects import found, hunting, planted
from tests.defects.planted import Defect

LEAST = 36


@pytest.mark.parametrize("defect", planted.defects(), ids=lambda defect: defect.name)
def test_a_defect_fits_and_changes_what_the_code_does(defect: Defect, tmp_path: Path) -> None:
    place = tmp_path / defect.file
    place.parent.mkdir(parents=True)
    shutil.copy(planted.ROOT / defect.file, place)
    before = _meaning(place)
    planted.plant(defect, tmp_path)
    assert _meaning(place) != before


def test_a_defect_that_fits_no_more_is_told_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "core").mkdir()
    (tmp_path / "core" / "one.py").write_text("TWO = 2\n", encoding="utf-8")
    stale = Defect(name="stale-one", part="rule", what="It is three.", file="core/one.py", now="ONE = 1", then="ONE = 3", cases=("any",))
    with pytest.raises(ValueError, match=r"stale-one fits no more: its text stands 0 times in core/one\.py"):
        planted.plant(stale, tmp_path)


def test_each_has_a_name_of_its_own_and_cases_that_there_are() -> None:
    every = planted.defects()
    cases = {case.id for case in reading.read()}
    assert len({each.name for each in every}) == len(every)
    assert {case for each in every for case in each.cases} <= cases


def test_each_was_noticed_by_a_case_that_there_is() -> None:
    """`make defects` looks for those that were not, or that were written anew."""
    known, cases = found.read(), {case.id for case in reading.read()}
    rows = {each.name: found.of(known, each) for each in planted.defects()}
    assert [name for name, row in rows.items() if row is None or row["case"] not in cases] == []
    assert len(rows) >= LEAST


def test_every_part_has_some() -> None:
    """Where a part has none, nobody knows whether a case would notice."""
    assert {each.part for each in planted.defects()} == set(Defect.model_fields["part"].annotation.__args__)  # type: ignore[union-attr]


def test_the_page_has_them_all() -> None:
    assert "\n".join([found.BEGIN, *found.lines(found.read()), found.END]) in found.PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("planted_says", "clean_says", "noticed"),
    [
        (("not well: pod",), (), True),
        ((), (), False),
        (("not well: pod",), ("not well: pod",), False),
        (("not tried: NameError",), (), False),
    ],
    ids=["missed with it alone", "passed with it", "missed without it too", "only broken by it"],
)
def test_a_case_notices_what_it_misses_with_the_defect_alone(planted_says: Sequence[str], clean_says: Sequence[str], noticed: bool) -> None:
    defect = planted.defects()[0]
    asked: list[Path] = []

    def live(place: Path, case: str) -> tuple[str, ...]:
        asked.append(place)
        assert case == "any"
        return tuple(clean_says if place == planted.ROOT else planted_says)

    answer = hunting.hunted(defect, ["any"], live=live)
    assert (answer is not None) is noticed
    assert asked[0] != planted.ROOT


def test_a_case_is_lived_through_with_the_code_of_its_place(tmp_path: Path) -> None:
    planted.copy(tmp_path)
    planted.plant(planted.defects("privileged-init-unseen")[0], tmp_path)
    assert hunting.lived(tmp_path, "init-container-that-owns-its-node") == ("no finding SEC-102 on Pod/shop/debug",)
    assert hunting.lived(planted.ROOT, "init-container-that-owns-its-node") == ()


def test_a_case_that_is_not_there_is_told() -> None:
    with pytest.raises(ValueError, match="there is no case 'moon'"):
        hunting.lived(planted.ROOT, "moon")


def _meaning(path: Path) -> Any:
    """Without comments and spaces: of Python its syntax tree, of YAML its values."""
    source = path.read_text(encoding="utf-8")
    if path.suffix == ".yaml":
        return list(yaml.safe_load_all(source))
    compile(source, str(path), "exec")
    return ast.dump(ast.parse(source))
