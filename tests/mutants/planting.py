"""Putting a planted defect into a copy of the product. A patch is its sentence, an empty line, and a diff."""

import os
import re
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]


def patches(*names: str) -> list[Path]:
    """In the order of their names: these, or all."""
    return [path for path in sorted(HERE.glob("*.patch")) if not names or path.stem in names]


def sentence(patch: Path) -> str:
    return patch.read_text(encoding="utf-8").splitlines()[0]


def touched(patch: Path) -> list[Path]:
    """The files that it changes, below the root."""
    return [Path(name) for name in re.findall(r"^\+\+\+ b/(.+)$", patch.read_text(encoding="utf-8"), re.MULTILINE)]


def plant(patch: Path, place: Path) -> None:
    """Raises ValueError with what git says for a patch that fits the files in `place` no more."""
    alone = os.environ | {"GIT_CEILING_DIRECTORIES": str(place.parent)}  # a repository around `place` would make git skip its files
    done = subprocess.run(["git", "apply", str(patch)], cwd=place, env=alone, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ValueError(f"{patch.name} does not apply any more: {done.stderr.strip()}")
