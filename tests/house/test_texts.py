"""What no file of this repository may say: where packages are fetched from, and where it lies on somebody's disk."""

import re
from pathlib import Path

import pytest

# Written in parts, so that this file does not name what it forbids.
HOST_PARTS = (
    ("py", r"pi\.org"),
    ("python", r"hosted\.org"),
    ("npm", r"js\.(?:org|com)"),
    ("proxy", r"\.golang\.org"),
    ("sum", r"\.golang\.org"),
    ("crates", r"\.io"),
    ("ruby", r"gems\.org"),
    ("conda", r"\.anaconda\.org"),
    ("go", r"proxy\.(?:io|cn)"),
    ("arti", "factory"),
)
PLACE_PARTS = (("/ho", "me/[a-z]"), ("/Us", "ers/[A-Za-z]"), ("/ro", "ot/"), ("/wo", "rk/"), ("/opt/wh", "eels"))
HOSTS = [r"\b" + "".join(parts) + r"\b" for parts in HOST_PARTS]
PLACES = [r"(?<![\w.$}~-])" + "".join(parts) for parts in PLACE_PARTS]


def found(texts: dict[Path, str], patterns: list[str]) -> list[str]:
    pattern = re.compile("|".join(patterns))
    return [
        f"{path}:{text.count(chr(10), 0, hit.start()) + 1}: {hit.group()}"
        for path, text in texts.items()
        if path.suffix != ".sum"
        for hit in pattern.finditer(text)
    ]


def test_no_file_names_a_package_registry(texts: dict[Path, str]) -> None:
    assert found(texts, HOSTS) == []


def test_no_file_names_a_path_of_a_persons_machine(texts: dict[Path, str], root: Path) -> None:
    own = [re.escape(str(root)) + r"\b"] if len(root.parts) > 2 else []
    assert found(texts, PLACES + own) == []


def test_no_code_uses_a_fixed_name_in_the_common_temporary_folder(texts: dict[Path, str]) -> None:
    """Two people on one machine must not meet there."""
    code = {path: text for path, text in texts.items() if path.suffix in {".py", ".sh"} or path.name in {"Makefile", "run"}}
    assert found(code, [r"(?<![\w.$}~-])" + "/t" + r"mp/\w"]) == []


def example(*parts: str) -> dict[Path, str]:
    return {Path("a"): "".join(parts)}


@pytest.mark.parametrize("parts", [("https://py", "pi.org/simple"), ("GOPROXY=https://proxy", ".golang.org")])
def test_a_registry_is_recognised(parts: tuple[str, ...]) -> None:
    assert found(example(*parts), HOSTS)


@pytest.mark.parametrize(
    ("parts", "is_place"), [(("cd /ho", "me/ann/x"), True), (('"/wo', 'rk/x"'), True), (("$HOME/x ~/ro", "ot/ v1/wo", "rk/"), False)]
)
def test_a_place_is_recognised(parts: tuple[str, ...], is_place: bool) -> None:
    assert bool(found(example(*parts), PLACES)) is is_place
