"""The tutorial's commands, all of them, in their order, on a simulated cluster: none fails but where the page says so."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.contracts.simulated import simulated

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^\$ (.+)$", "\n".join(re.findall(r"^```console\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)), re.MULTILINE)
ENDS = {"day2 stop --status --data-dir ./data": 9}
"""What the page says of an exit code that is not 0."""


def test_the_page_begins_without_a_cluster_and_every_exit_code_it_promises_is_on_it() -> None:
    assert COMMANDS[0] == "make demo"
    assert set(ENDS) <= set(COMMANDS)
    assert "exits 9" in PAGE


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_every_command_does_what_the_page_says(tmp_path: Path) -> None:
    bin_ = tmp_path / "bin"
    bin_.mkdir()
    door = bin_ / "day2"
    door.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "import sys; from interfaces.cli import main; sys.exit(main())" "$@"\n')
    door.chmod(0o755)
    work = tmp_path / "work"
    work.mkdir()
    with simulated(tmp_path, "small") as cluster:
        profile = {"clock": cluster.url, "prometheus": {"url": f"{cluster.url}/prometheus", "ca_file": str(cluster.ca)}}
        settings = tmp_path / "etc" / "day2" / "config.yaml"
        settings.parent.mkdir(parents=True)
        settings.write_text(json.dumps(profile), encoding="utf-8")
        environment = {
            "PATH": f"{bin_}:{os.environ['PATH']}",
            "HOME": str(tmp_path),
            "XDG_CONFIG_HOME": str(tmp_path / "etc"),
            "KUBECONFIG": str(cluster.kubeconfigs["admin"]),
            "PYTHONPATH": str(ROOT),
        }
        for command in COMMANDS:
            if command.startswith("make "):  # the README's own test plays it
                continue
            done = subprocess.run(
                ["/bin/sh", "-c", command], cwd=work, env=environment, capture_output=True, text=True, timeout=100, check=False
            )
            assert done.returncode == ENDS.get(command, 0), f"{command}: {done.returncode}\n{done.stdout[-1500:]}\n{done.stderr[-1500:]}"
    assert (work / "report.html").read_text(encoding="utf-8").lstrip().startswith("<!doctype html")
    assert json.loads((work / "plan.json").read_text(encoding="utf-8"))["kind"] == "Plan"
