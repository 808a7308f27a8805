"""kubectl, the official client and an operator on kopf live through the same on the simulator as on a real cluster.

`tests/cluster/test_users.py` holds the real one to the same facts.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.controlplane import build
from tests.simulator.users import stories
from tests.simulator.users.stories import Kubectl

pytestmark = pytest.mark.slow
NAMESPACE = "users"


@pytest.fixture(scope="module")
def kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A served world whose time runs ten times as fast as ours, with an empty namespace."""
    path = tmp_path_factory.mktemp("served") / "kubeconfig"
    line = [sys.executable, "-m", "simulator.serving", "--world", "small", "--rate", "10", "--kubeconfig", str(path)]
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert json.loads(process.stdout.readline())["url"]
        yield path
        process.terminate()


@pytest.fixture
def run(kubeconfig: Path) -> Kubectl:
    """The kubectl of the control plane's version."""
    program = build.find("kubectl")
    if program is None:
        pytest.skip("kubectl is not built: `make control-plane` builds it")
    made = Kubectl(str(program), kubeconfig, NAMESPACE)
    made("create", "namespace", NAMESPACE)
    return made


def test_kubectl(run: Kubectl) -> None:
    assert stories.kubectl_story(run) == stories.KUBECTL


def test_the_watch_of_the_official_client(run: Kubectl, kubeconfig: Path) -> None:
    assert stories.watch_story(kubeconfig, NAMESPACE) == stories.WATCHED


def test_a_controller_written_on_kopf(run: Kubectl, kubeconfig: Path) -> None:
    assert stories.operator_story(run, kubeconfig, NAMESPACE) == stories.OPERATED
