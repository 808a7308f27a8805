"""The site's navigation names folders; here each becomes the list of its pages. Called by mkdocs (`mkdocs.yml`)."""

from pathlib import Path
from typing import Any


def on_config(config: Any) -> Any:
    config["nav"] = [_expanded(entry, Path(config["docs_dir"])) for entry in config["nav"]]
    return config


def _expanded(entry: Any, docs: Path) -> Any:
    """`title: folder/` becomes the title with the folder's pages, by name."""
    if not isinstance(entry, dict):
        return entry
    ((title, inside),) = entry.items()
    if isinstance(inside, str) and inside.endswith("/"):
        return {title: [str(page.relative_to(docs)) for page in sorted((docs / inside).glob("*.md"))]}
    if isinstance(inside, list):
        return {title: [_expanded(item, docs) for item in inside]}
    return entry
