"""The planted defects fit the code as it is: one that went stale would be counted as found, and prove nothing."""

import ast
import shutil
from pathlib import Path

import pytest
from planting import ROOT, patches, plant, sentence, touched


@pytest.mark.parametrize("patch", patches(), ids=lambda patch: patch.stem)
def test_a_planted_defect_applies_and_changes_what_the_code_does(patch: Path, tmp_path: Path) -> None:
    assert sentence(patch).endswith(".")
    assert touched(patch)
    for name in touched(patch):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    plant(patch, tmp_path)
    for name in touched(patch):
        assert _meaning(tmp_path / name) != _meaning(ROOT / name), f"{name} does what it did"


def test_a_patch_that_fits_no_more_is_told_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "core").mkdir()
    (tmp_path / "core" / "one.py").write_text("TWO = 2\n", encoding="utf-8")
    stale = tmp_path / "stale.patch"
    stale.write_text("It is three.\n\n--- a/core/one.py\n+++ b/core/one.py\n@@ -1 +1 @@\n-ONE = 1\n+ONE = 3\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"stale\.patch does not apply any more: .*core/one\.py"):
        plant(stale, tmp_path)


def _meaning(path: Path) -> str:
    """Its syntax tree: what is no Python is a SyntaxError, and comments and spaces are no change."""
    source = path.read_text(encoding="utf-8")
    compile(source, str(path), "exec")
    return ast.dump(ast.parse(source))
