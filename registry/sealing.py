"""Seals on what goes through the queue: who can write into Redis, and does not hold this key, can neither ask agents nor answer for them.

One key for the controller and its agents, in a file of mode 0600; Redis never sees it.
"""

import contextlib
import hashlib
import hmac
import os
import secrets
import stat
from pathlib import Path

from core.domain.errors import Corrupt

BYTES = 32


def key(path: Path) -> bytes:
    """The key in this file, made at the first call; the first of two wins. Raises Corrupt for one that others may read, or that is none."""
    if not path.exists():
        _create(path)
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError as error:
        raise Corrupt(f"{path} cannot be read as a key file: {error.strerror}", mend=f"ls -l {path}") from error
    with os.fdopen(descriptor, "rb") as file:
        if stat.S_IMODE(os.fstat(descriptor).st_mode) & 0o077:
            raise Corrupt(f"{path} may be read or written by others", mend=f"rm {path}; the next start makes a new one, for all agents")
        found = file.read(BYTES + 1)
    if len(found) != BYTES:
        raise Corrupt(f"{path} is no key", mend=f"rm {path}; the next start makes a new one, for all agents")
    return found


def seal(key: bytes, *parts: str) -> str:
    """Over all parts, each bound to its place: what is said, by whom, about which task."""
    digest = hmac.new(key, digestmod=hashlib.sha256)
    for part in parts:
        text = part.encode("utf-8", "surrogatepass")
        digest.update(f"{len(text)}:".encode() + text)
    return digest.hexdigest()


def holds(key: bytes, found: str, *parts: str) -> bool:
    return hmac.compare_digest(seal(key, *parts).encode(), found.encode("utf-8", "surrogatepass"))


def _create(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(BYTES))
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(temporary, path)
    finally:
        temporary.unlink()
