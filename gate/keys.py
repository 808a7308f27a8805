"""Ed25519 keys in files of mode 0600: the judge's (permits) and one per door (approvals). Algorithm names follow RFC 9864."""

import contextlib
import json
import os
import secrets
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from core.domain.errors import Corrupt, NotAuthenticated, Unavailable

ALGORITHM = "Ed25519"
JUDGE = "judge"
DOOR = "door-"


class Signer:
    """A private key. It is never shown."""

    def __init__(self, key: OKPKey) -> None:
        self._key = key
        self.id = key.thumbprint()

    def sign(self, claims: Mapping[str, Any], *, typ: str) -> str:
        header = {"alg": ALGORITHM, "kid": self.id, "typ": typ}
        return jwt.encode(header, dict(claims), self._key, algorithms=[ALGORITHM])

    @property
    def verifier(self) -> "Verifier":
        return Verifier(OKPKey.import_key(self._key.as_dict(private=False)))


class Verifier:
    """A public key."""

    def __init__(self, key: OKPKey) -> None:
        self._key = key
        self.id = key.thumbprint()

    def claims(self, token: str, *, typ: str) -> dict[str, Any]:
        """Raises NotAuthenticated unless this key signed exactly this, as this type, and the header says nothing else."""
        try:
            found = jwt.decode(token, self._key, algorithms=[ALGORITHM])
        except (JoseError, ValueError, TypeError) as error:
            raise NotAuthenticated("the signature does not hold") from error
        if found.header != {"alg": ALGORITHM, "kid": self.id, "typ": typ}:
            raise NotAuthenticated("the token's header is not ours")
        return dict(found.claims)


def signer(folder: Path, name: str, private: Path | None = None) -> Signer:
    """The key `name`, made at the first call. Its public half is laid into `folder`, for those who verify; itself it lies beside it, or
    in `private`, which other roles need not see. Raises Corrupt for a loose mode."""
    path = (private or folder) / f"{name}.json"
    if not path.exists():
        _create(path, OKPKey.generate_key("Ed25519").as_dict(private=True))
    found = Signer(_read(path, private=True))
    public = folder / f"{name}.pub.json"
    if not public.exists():
        _create(public, found.verifier._key.as_dict(private=False))  # noqa: SLF001  both halves of one key live in this module
    if verifier(folder, name).id != found.id:
        raise Corrupt(f"{public} is not the other half of {path}", mend=f"rm {public}; it is made again")
    return found


def verifier(folder: Path, name: str) -> Verifier:
    """Raises Unavailable while nobody has made the key."""
    path = folder / f"{name}.pub.json"
    if not path.exists():
        raise Unavailable(f"the key of the {name}", 0.5, reason="it was not made yet", mend="start the judge: day2 serve")
    return Verifier(_read(path, private=False))


def doors(folder: Path) -> dict[str, Verifier]:
    """Every door that may sign approvals, by name."""
    names = (path.name.removesuffix(".pub.json") for path in sorted(folder.glob(f"{DOOR}*.pub.json")))
    return {name.removeprefix(DOOR): verifier(folder, name) for name in names}


def _read(path: Path, *, private: bool) -> OKPKey:
    with _checked(path) as text:
        try:
            key = OKPKey.import_key(json.loads(text))
        except (ValueError, TypeError, KeyError, JoseError) as error:
            raise Corrupt(
                f"{path} is no key", mend=f"move it aside; a new one is made, and what the old one signed is refused: mv {path} {path}.bad"
            ) from error
        if private and not key.is_private:
            raise Corrupt(f"{path} lacks its private half", mend=f"mv {path} {path}.bad")
        return key


@contextlib.contextmanager
def _checked(path: Path) -> Iterator[str]:
    """The text of a file that is ours and that nobody else can read or write."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError as error:
        raise Corrupt(f"{path} cannot be read as a key file: {error.strerror}", mend=f"ls -l {path}") from error
    with os.fdopen(descriptor, encoding="ascii") as file:
        found = os.fstat(descriptor)
        if stat.S_IMODE(found.st_mode) & 0o077 or found.st_uid != os.geteuid():
            raise Corrupt(f"{path} may be read or written by others", mend=f"chmod 600 {path}; if others use this machine, make a new key")
        yield file.read()


def _create(path: Path, content: Mapping[str, Any]) -> None:
    """All or nothing, and the first of two wins."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            json.dump(content, file)
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(temporary, path)
    finally:
        temporary.unlink()
