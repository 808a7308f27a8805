"""Keys that others could read or have replaced are not used."""

from pathlib import Path

import pytest

from core.domain.errors import Corrupt, Unavailable
from gate import keys


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666, 0o700 | 0o001])
def test_a_key_with_a_loose_mode_is_refused(tmp_path: Path, mode: int) -> None:
    keys.signer(tmp_path, keys.JUDGE)
    (tmp_path / "judge.json").chmod(mode)
    with pytest.raises(Corrupt, match="by others") as caught:
        keys.signer(tmp_path, keys.JUDGE)
    assert "chmod 600" in caught.value.mend


@pytest.mark.parametrize(
    "content", ["", "{}", "[]", "no json", '{"kty": "OKP", "crv": "Ed25519", "x": "!"}', '{"kty": "oct", "k": "c2VjcmV0"}']
)
def test_a_file_that_is_no_key_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "judge.json"
    path.touch(0o600)
    path.write_text(content, encoding="ascii")
    with pytest.raises(Corrupt):
        keys.signer(tmp_path, keys.JUDGE)


def test_a_public_half_is_no_key_to_sign_with(tmp_path: Path) -> None:
    keys.signer(tmp_path, keys.JUDGE)
    (tmp_path / "judge.pub.json").rename(tmp_path / "judge.json")
    with pytest.raises(Corrupt, match="private half"):
        keys.signer(tmp_path, keys.JUDGE)


def test_a_link_to_a_key_elsewhere_is_not_followed(tmp_path: Path) -> None:
    keys.signer(tmp_path / "other", keys.JUDGE)
    (tmp_path / "judge.json").symlink_to(tmp_path / "other" / "judge.json")
    with pytest.raises(Corrupt):
        keys.signer(tmp_path, keys.JUDGE)


def test_a_key_that_nobody_made_yet_is_waited_for(tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        keys.verifier(tmp_path, keys.JUDGE)


def test_each_door_has_a_key_of_its_own(tmp_path: Path) -> None:
    made = {name: keys.signer(tmp_path, keys.DOOR + name).id for name in ("cli", "api")}
    keys.signer(tmp_path, keys.JUDGE)
    assert {name: key.id for name, key in keys.doors(tmp_path).items()} == made


def test_halves_that_do_not_belong_together_are_noticed(tmp_path: Path) -> None:
    keys.signer(tmp_path, keys.JUDGE)
    keys.signer(tmp_path / "other", keys.JUDGE)
    (tmp_path / "other" / "judge.pub.json").rename(tmp_path / "judge.pub.json")
    with pytest.raises(Corrupt, match="other half"):
        keys.signer(tmp_path, keys.JUDGE)
