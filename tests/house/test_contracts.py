"""The import contracts: they hold here, and each one bites on a tree that breaks it."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

# One forbidden import for each contract: file → its line, and the contract that must break.
BREACHES = {
    "Imports point downwards": {"core/domain/a.py": "import gate"},
    "Inside core: assessing, policy, actions, cluster, domain": {"core/domain/a.py": "import core.policy.rules_of"},
    "Agents never import each other": {"agents/finops/a.py": "import agents.security"},
    "Agents never reach the write ports": {"agents/finops/a.py": "import core.domain.b", "core/domain/b.py": "import core.domain.writing"},
    "Only runtime.roles imports the gate and the tools": {"runtime/services.py": "import tools.reading"},
    "Executor and webhook reach no model": {"runtime/roles/executor.py": "import gate.executing", "gate/executing.py": "import redis"},
    "Gate, judge, executor and webhook reach nothing that tells people": {"gate/executing.py": "import apprise"},
    "Core does no I/O": {"core/domain/a.py": "import socket"},
    "SDKs stay inside tools": {"gate/a.py": "import sqlalchemy"},
    "SQL stays inside tools.stores and tools.checkpoints": {"tools/reading.py": "import sqlalchemy"},
    "Redis stays inside the registry": {"tools/reading.py": "import redis"},
    "The queue stays inside runtime": {"graph/a.py": "import docket"},
    "Signing stays in the gate": {"registry/leases.py": "import joserfc"},
    "Web frameworks stay in the doors": {"runtime/services.py": "import fastapi"},
    "MCP stays in its door": {"runtime/services.py": "import fastmcp"},
}

# What each contract allows, close to what it forbids.
ALLOWED = {
    "runtime/roles/__init__.py": "",
    "runtime/roles/executor.py": "import gate.executing, tools.reading, tools.stores.ledger",
    "runtime/roles/controller.py": "import registry.signing, graph, agents.catalogue, tools.contexts",
    "gate/executing.py": "import core.actions.kinds, joserfc",
    "gate/webhook.py": "import starlette",
    "tools/reading.py": "import httpx, core.domain.writing",
    "tools/contexts.py": "import kubernetes",
    "tools/stores/__init__.py": "",
    "tools/stores/ledger.py": "import sqlalchemy",
    "registry/signing.py": "import joserfc, redis",
    "registry/leases.py": "import redis",
    "agents/catalogue.py": "import agents.finops, agents.security",
    "agents/finops/__init__.py": "",
    "agents/security/__init__.py": "",
    "core/domain/__init__.py": "",
    "core/domain/writing.py": "",
    "core/actions/__init__.py": "",
    "core/actions/kinds.py": "import core.domain",
    "core/policy/__init__.py": "",
    "core/policy/rules_of.py": "import core.actions.kinds, cel_expr_python",
    "runtime/queueing.py": "import docket",
    "runtime/services.py": "import registry.leases",
    "simulator/serving.py": "import starlette, uvicorn",
}


def lint(folder: Path) -> str:
    """What import-linter prints for the tree in `folder`, in one line per contract."""
    program = "import sys; sys.path.insert(0, '.'); from importlinter.cli import lint_imports_command as lint; lint(['--no-cache'])"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "COLUMNS": "300", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Contracts:" in done.stdout, done.stdout + done.stderr
    return done.stdout


def tree(folder: Path, root: Path, packages: tuple[str, ...], files: Mapping[str, str]) -> None:
    shutil.copy(root / ".importlinter", folder)
    for name, text in {**{f"{package}/__init__.py": "" for package in packages}, **files}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n", encoding="utf-8")


def contracts(root: Path) -> list[str]:
    return re.findall(r"^name = (.+)$", (root / ".importlinter").read_text(encoding="utf-8"), re.MULTILINE)


def test_the_contracts_hold(root: Path) -> None:
    assert " 0 broken." in lint(root)


def test_they_hold_on_a_tree_that_has_only_begun(root: Path, tmp_path: Path, packages: tuple[str, ...]) -> None:
    tree(tmp_path, root, packages, {"core/domain/__init__.py": "", "core/domain/writing.py": ""})
    assert " 0 broken." in lint(tmp_path)


def test_they_allow_what_the_design_allows(root: Path, tmp_path: Path, packages: tuple[str, ...]) -> None:
    tree(tmp_path, root, packages, ALLOWED)
    assert " 0 broken." in lint(tmp_path)


@pytest.mark.parametrize("contract", sorted(BREACHES))
def test_each_contract_breaks_on_the_import_it_forbids(root: Path, tmp_path: Path, packages: tuple[str, ...], contract: str) -> None:
    tree(tmp_path, root, packages, {**ALLOWED, **BREACHES[contract]})
    broken = re.findall(r"^(.+) BROKEN", lint(tmp_path), re.MULTILINE)
    assert [name for name in broken if name.startswith(contract)], broken


def test_no_contract_is_without_a_breach_that_proves_it(root: Path) -> None:
    unproven = [name for name in contracts(root) if not any(name.startswith(proven) for proven in BREACHES)]
    assert unproven == [], "\n".join(unproven)
