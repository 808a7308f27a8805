from pathlib import Path

import pytest

from core.actions.catalogue import CATALOGUE
from core.actions.pages import pages

FOLDER = Path(__file__).parents[3] / "docs" / "actions"


def test_the_folder_holds_the_generated_pages_and_no_others() -> None:
    kept = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.md")}
    assert kept == pages(), "run `python docs/actions/generate.py`"


@pytest.mark.parametrize("kind", sorted(CATALOGUE))
def test_a_page_names_every_argument_and_right(kind: str) -> None:
    page = pages()[f"{kind}.md"]
    assert all(f"`{name}`" in page for name in CATALOGUE[kind].model_fields if name not in ("id", "kind", "target"))
    assert all(f"`{right}`" in page for right in CATALOGUE[kind].rights)
