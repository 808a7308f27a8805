"""Locks every group again, in agreement: `make lock`, or `make lock ARGS=--upgrade` to take newer versions.

The largest group is resolved first and constrains the others, so one package has one version everywhere. Locks carry hashes and no
address: where packages come from is each user's own setting.
"""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import uv_tool
from package_index import for_uv
from problems import SetupError
from steps import Steps

ROOT = Path(__file__).resolve().parent.parent
ORDER = ("dev", "run", "demo", "executor", "build", "uv")
WRITTEN = (
    "--generate-hashes",
    "--universal",
    "--python-version",
    "3.11",
    "--no-header",
    "--no-annotate",
    "--no-emit-index-url",
    "--no-emit-find-links",
)


def main(arguments: Sequence[str]) -> int:
    try:
        lock_all(ROOT, list(arguments))
    except SetupError as problem:
        print(problem, file=sys.stderr)
        return problem.exit_code
    return 0


def lock_all(root: Path, options: Sequence[str]) -> None:
    """Rewrites requirements/*.txt in order. Raises `SetupError` at the first group that does not resolve."""
    # Only the pinned uv may write locks, or each machine would write them in its own form.
    uv = uv_tool.pinned_path(root)
    if uv_tool.version_of(uv) is None:
        uv = uv_tool.bring(root, os.environ)
    steps = Steps(total=len(ORDER))
    for group in ORDER:
        steps.next(f"requirements/{group}.txt")
        command = [
            str(uv),
            "pip",
            "compile",
            "--quiet",
            *WRITTEN,
            *constraints(group),
            *options,
            f"{group}.in",
            "--output-file",
            f"{group}.txt",
        ]
        if subprocess.run(
            command, cwd=root / "requirements", env=for_uv(os.environ, root), stdout=subprocess.DEVNULL, check=False
        ).returncode:
            raise SetupError(
                f"requirements/{group}.in does not resolve; the locks before it in {', '.join(ORDER)} are new, the others as they were"
            )
    steps.done("locked")


def constraints(group: str) -> Iterator[str]:
    if group not in {"dev", "uv"}:
        yield from ("--constraint", "dev.txt")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
