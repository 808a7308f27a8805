"""Fixtures for tests that need the real control plane: one per session (with xdist, one per worker), a namespace per test.

They run when they are asked for, by `-m cluster` or by their path, as `make test-cluster` does; any other run deselects them. Asked for
on a machine without the programs, they end the session with what to do, because a green run that tested nothing would lie. With
KUBEBUILDER_ASSETS set, somebody chose which programs there are: tests that need others are skipped, with the reason.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cluster.guarded import Guarded
    from tests.controlplane.rig import ControlPlane

HERE = Path(__file__).resolve().parent
NOT_BUILT = 3
"""Exit code of a session that was asked for the control plane and has none."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    ours = [item for item in items if item.path.is_relative_to(HERE)]
    for item in ours:
        item.add_marker("cluster")
    if ours and not asked_for(config):
        config.hook.pytest_deselected(items=ours)
        items[:] = [item for item in items if item not in ours]


def asked_for(config: pytest.Config) -> bool:
    paths = (Path(config.invocation_params.dir, argument.split("::")[0]).resolve() for argument in config.args)
    return "cluster" in config.option.markexpr or any(path.is_relative_to(HERE) for path in paths)


def absent(names: list[str], why: str) -> None:
    if os.environ.get("KUBEBUILDER_ASSETS"):
        pytest.skip(f"KUBEBUILDER_ASSETS lacks {', '.join(names)}; `make control-plane` builds what is missing")
    pytest.exit(why, returncode=NOT_BUILT)


@pytest.fixture(scope="session")
def control_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """Up for the whole session: four nodes, and Prometheus with a scrape every two seconds where it is built."""
    # Not at the top: a run that deselects these tests should not pay for what only they import.
    from tests.controlplane import build
    from tests.controlplane.rig import ControlPlane, NotBuiltError

    partial = os.environ.get("KUBEBUILDER_ASSETS") and build.missing(("prometheus", "promtool"))
    try:
        with ControlPlane.running(tmp_path_factory.mktemp("control-plane") / "rig", prometheus=not partial) as plane:
            yield plane
    except NotBuiltError as error:
        absent(error.names, str(error))


@pytest.fixture(scope="session")
def static_guard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """Another control plane, whose API server reads the guard from files. Nothing of the guard stands in its API."""
    from runtime.services import guarding
    from tests.cluster.guarded import entered, prepared
    from tests.controlplane.rig import ControlPlane, NotBuiltError

    folder = tmp_path_factory.mktemp("static")
    known = prepared(folder)
    guarding.static(known.url, known.ca, folder / "files", host_folder=str(folder / "files"))
    try:
        with ControlPlane.running(folder / "rig", nodes=1, prometheus=False, admission=folder / "files" / "admission.yaml") as plane:
            found = entered(plane, folder, known)
            found.webhook.start()
            try:
                plane.until(found.in_force, "the files in force", timeout_seconds=90)
                yield found
            finally:
                found.webhook.stop()
    except NotBuiltError as error:
        absent(error.names, str(error))


@pytest.fixture
def namespace(control_plane: ControlPlane) -> Iterator[str]:
    """A fresh one with a random name; deleted afterwards without waiting."""
    with control_plane.namespace() as name:
        yield name


@pytest.fixture
def prometheus_url(control_plane: ControlPlane) -> str:
    if "prometheus" not in control_plane.pids():
        pytest.skip("Prometheus is not among KUBEBUILDER_ASSETS and not built; `make control-plane` builds it")
    return control_plane.prometheus_url
