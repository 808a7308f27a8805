"""Files that are there whole or not at all, for their owner alone. Called by services that keep something for a person."""

import os
import tempfile
from pathlib import Path


def replace(path: Path, content: bytes) -> None:
    """With mode 0600, on the disk before it takes the place of what was there. Raises OSError, and has then changed nothing."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")  # made with mode 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)
