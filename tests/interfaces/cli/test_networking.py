"""`day2 network policies`: YAML for kubectl on standard output, talk on the other, and nothing printed that the simulation refuses."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from tests.agents.reliability.conditions.cases import DNS
from tests.agents.reliability.conditions.objects import made, pod
from tests.agents.security.test_closing import RESOLVER, team

Day2 = Callable[..., Any]


def saved(folder: Path, *items: Any) -> str:
    around = [made("Namespace", "apps"), made("Namespace", "kube-system"), DNS, RESOLVER]
    file = folder / "cluster.json"
    file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": [*around, *items]}), encoding="utf-8")
    return str(file)


def test_policies_are_yaml_for_kubectl(day2: Day2, tmp_path: Path) -> None:
    said = day2("network", "policies", "--from", saved(tmp_path, *team("web", "apps"), *team("shop", "apps", ("web.apps",))))
    assert said.code == 0
    found = list(yaml.safe_load_all(said.out))
    assert [item["metadata"]["name"] for item in found] == ["day2-default-deny", "day2-shop", "day2-web"]
    assert "no NetworkPolicy could be read: what such objects open or own is not known" in said.err
    assert "apps: 3 policies; 1 known connections go on, all else is cut" in said.err


def test_what_the_simulation_refuses_is_told_and_not_printed(day2: Day2, tmp_path: Path) -> None:
    stranger = pod(None, "stranger", metadata={"labels": {"app": "web", "team": "x"}})
    file = saved(tmp_path, *team("web", "apps"), *team("shop", "apps", ("web.apps",)), stranger)
    said = day2("network", "policies", "-n", "apps", "--from", file)
    assert (said.code, said.out) == (2, "")
    assert "apps: not printed, for in the simulation it leaves open" in said.err


def test_a_namespace_that_is_not_there_is_refused(day2: Day2, tmp_path: Path) -> None:
    said = day2("network", "policies", "-n", "shp", "--from", saved(tmp_path))
    assert said.code == 1
    assert "there is no namespace shp" in said.err
