"""One page to mail: whole in itself, no script, and every text of the cluster as text."""

import re
from html.parser import HTMLParser
from typing import Any

import pytest

from interfaces.rendering import findings as found
from interfaces.rendering import pages
from interfaces.rendering.tables import Column
from tests.interfaces.rendering import documents

VOID = {"meta", "br", "rect"}


class Read(HTMLParser):
    """Tags, attributes and text; tags must close in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.said = ""
        self._open: list[str] = []
        self.feed(text)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.said += data


def page(*severities: str) -> str:
    items = [documents.finding(number, severity) for number, severity in enumerate(severities, 1)]
    return pages.text(documents.findings(*items), found.COLUMNS)


def test_hostile_text_is_text() -> None:
    text = page("critical", "low")
    read = Read(text)
    assert "script" not in read.tags
    assert "<script" not in text
    assert "<script>alert(1)</script>" in read.said
    assert not [name for name, _ in read.attributes if name.startswith("on")]


def test_nothing_is_loaded_from_anywhere() -> None:
    text = page("high")
    read = Read(text)
    assert not {"link", "img", "iframe", "object", "script", "base", "form"} & set(read.tags)
    assert not [value for name, value in read.attributes if name in ("src", "href")]
    assert not re.search(r"url\(|@import|https?:", text)
    assert "default-src 'none'" in text


def test_a_person_finds_all_of_it() -> None:
    said = Read(page("critical", "info")).said
    for word in (
        "2 findings",
        "1 critical, 1 info",
        "Score 77/100",
        "shop/deployment/web-1",
        "day2 plan fnd-1",
        "ev-2",
        "SEC-105 bindings",
    ):
        assert word in said
    assert "(quoted)" in said


def test_nothing_found_is_said_with_what_was_checked() -> None:
    said = Read(page()).said
    assert "Nothing was found by the checks that ran." in said
    assert "2 checks ran" in said


def test_what_is_muted_and_what_is_gone_is_on_the_page() -> None:
    said = Read(page("low")).said
    assert "2 muted, the next until 2026-01-09T03:04:05Z" in said
    assert "gone: high REL-101" in said


def test_every_list_has_a_page() -> None:
    document = {"kind": "RunList", "metadata": {"schemaMinor": 2, "source": "<b>"}, "items": [{"id": documents.HOSTILE}]}
    read = Read(pages.text(document, (Column("ID", "id"),)))
    assert "b" not in read.tags
    assert "alert(1)" in read.said


@pytest.mark.parametrize("ascii_only", [True, False])
def test_a_screen_of_ascii_gets_references(ascii_only: bool) -> None:
    text = pages.text(documents.findings(documents.finding(1, "low")), found.COLUMNS, ascii_only=ascii_only)
    assert text.isascii() is ascii_only
    assert "“" in Read(text).said
