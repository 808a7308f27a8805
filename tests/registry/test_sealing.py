"""The key of controller and agents: made once, for its owner alone, and no part of a seal can be moved."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from core.domain.errors import Corrupt
from registry import sealing


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "registry" / "agents.key"


def test_the_first_call_makes_it_and_the_others_read_it(path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(sealing.key, [path] * 16))
    assert len(found) == 1
    assert len(found.pop()) == sealing.BYTES
    assert path.stat().st_mode & 0o777 == 0o600
    assert [item.name for item in path.parent.iterdir()] == ["agents.key"]


def test_two_folders_have_two_keys(tmp_path: Path) -> None:
    assert sealing.key(tmp_path / "a") != sealing.key(tmp_path / "b")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_key_that_others_may_read_is_none(path: Path, mode: int) -> None:
    sealing.key(path)
    path.chmod(mode)
    with pytest.raises(Corrupt, match="others"):
        sealing.key(path)


@pytest.mark.parametrize("content", [b"", b"x" * 31, b"x" * 33])
def test_a_file_of_another_length_is_none(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.touch(0o600)
    path.write_bytes(content)
    with pytest.raises(Corrupt, match="no key"):
        sealing.key(path)


def test_a_link_to_a_key_elsewhere_is_not_followed(path: Path, tmp_path: Path) -> None:
    sealing.key(tmp_path / "other")
    path.parent.mkdir()
    path.symlink_to(tmp_path / "other")
    with pytest.raises(Corrupt):
        sealing.key(path)


@pytest.mark.parametrize("parts", [("ab", "c"), ("a", "bc"), ("", "abc"), ("abc",), ("a", "b", "c"), ("abc", "")])
def test_a_seal_is_of_these_parts_in_this_order_alone(parts: tuple[str, ...]) -> None:
    key = b"k" * 32
    seals = {sealing.seal(key, *other) for other in [("ab", "c"), ("a", "bc"), ("", "abc"), ("abc",), ("a", "b", "c"), ("abc", "")]}
    assert len(seals) == 6
    assert sealing.holds(key, sealing.seal(key, *parts), *parts)
    assert not sealing.holds(b"o" * 32, sealing.seal(key, *parts), *parts)


def test_text_that_is_none_fits_no_seal() -> None:
    assert not sealing.holds(b"k" * 32, "\ufffd\udcff", "a")
