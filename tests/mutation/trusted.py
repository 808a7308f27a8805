"""The trusted base: the files that judge, executor and webhook reach by import, however indirectly, also inside functions."""

from collections.abc import Iterable
from pathlib import Path

import grimp

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
ROLES = ("judge", "executor", "webhook")
PACKAGES = ("interfaces", "evals", "runtime", "graph", "registry", "agents", "gate", "tools", "simulator", "core")
ORDER = (
    "gate.permits", "gate.admitting", "gate.executing", "gate.keys", "gate.approvals", "gate.audit", "gate.heads", "gate.stopping",
    "gate.webhook", "core.policy", "gate.judging", "gate", "core.actions", "tools.stores", "core.domain", "tools.kubernetes",
)  # fmt: skip
"""Where a defect costs most comes first, so that a run that is cut short has looked at that."""


def modules() -> list[str]:
    graph = grimp.build_graph(*PACKAGES, cache_dir=None)
    roots = [f"runtime.roles.{role}" for role in ROLES]
    return sorted(set(roots).union(*(graph.find_upstream_modules(root) for root in roots)), key=lambda module: (rank(module), module))


def rank(module: str) -> int:
    return next((place for place, name in enumerate(ORDER) if module == name or module.startswith(name + ".")), len(ORDER))


def file_of(module: str, root: Path = ROOT) -> Path:
    place = root.joinpath(*module.split("."))
    file = place.with_suffix(".py")
    return file if file.exists() else place / "__init__.py"


def files(names: Iterable[str], root: Path = ROOT) -> dict[str, Path]:
    return {name: file_of(name, root) for name in names}
