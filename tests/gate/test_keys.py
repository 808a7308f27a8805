"""Keys that others could read or have replaced are not used."""

import json
import os
import stat
from pathlib import Path

import pytest

from core.domain.errors import Corrupt, NotAuthenticated, Unavailable
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


def test_who_verifies_holds_no_private_half(tmp_path: Path) -> None:
    made = keys.signer(tmp_path / "public", keys.JUDGE, tmp_path / "own" / "keys")
    assert not made.verifier._key.is_private
    assert "d" not in json.loads((tmp_path / "public" / "judge.pub.json").read_text())
    assert "d" in json.loads((tmp_path / "own" / "keys" / "judge.json").read_text())
    assert not (tmp_path / "public" / "judge.json").exists()
    assert (
        keys.signer(tmp_path / "public", keys.JUDGE, tmp_path / "own" / "keys").id
        == made.id
        == keys.verifier(tmp_path / "public", "judge").id
    )


def test_what_is_made_is_for_its_owner_alone_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    keys.signer(tmp_path / "keys", keys.JUDGE)
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700
    found = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "keys").iterdir()}
    assert found == {"judge.json": 0o600, "judge.pub.json": 0o600}
    keys.signer(tmp_path / "keys", f"{keys.DOOR}cli")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_key_of_somebody_else_is_refused(tmp_path: Path) -> None:
    keys.signer(tmp_path, keys.JUDGE)
    os.chown(tmp_path / "judge.json", 65534, -1)
    with pytest.raises(Corrupt, match="by others"):
        keys.signer(tmp_path, keys.JUDGE)


def test_a_key_is_read_only_for_reading(tmp_path: Path) -> None:
    """Also where its file cannot be written any more."""
    made = keys.signer(tmp_path, keys.JUDGE)
    for path in tmp_path.iterdir():
        path.chmod(0o400)
    assert keys.signer(tmp_path, keys.JUDGE).id == made.id


@pytest.mark.parametrize("token", ["", "a.b.c", "nonsense"])
def test_what_is_no_token_is_not_authenticated(tmp_path: Path, token: str) -> None:
    with pytest.raises(NotAuthenticated):
        keys.signer(tmp_path, keys.JUDGE).verifier.claims(token, typ="x")


def test_a_token_counts_as_its_own_type_only(tmp_path: Path) -> None:
    made = keys.signer(tmp_path, keys.JUDGE)
    token = made.sign({"a": 1}, typ="one")
    assert made.verifier.claims(token, typ="one") == {"a": 1}
    with pytest.raises(NotAuthenticated, match="header"):
        made.verifier.claims(token, typ="two")
