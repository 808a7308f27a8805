"""`day2 rbac` and `day2 gate`: what people install, printed for kubectl and written for API servers."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

Day2 = Callable[..., Any]
URL = "https://10.0.0.5:9443"
GRANTS = """
apiVersion: day2.dev/v1alpha1
kind: Grant
metadata: {name: finops}
spec: {agent: finops, capabilities: [set_requests]}
---
apiVersion: day2.dev/v1alpha1
kind: Grant
metadata: {name: scaling}
spec: {agent: scaling, capabilities: ["*"]}
"""


@pytest.fixture
def documents(tmp_path: Path) -> list[str]:
    (tmp_path / "grants.yaml").write_text(GRANTS, encoding="utf-8")
    return ["--objectives", "grants.yaml"]


@pytest.fixture
def ca(tmp_path: Path) -> Path:
    line = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=ca -keyout ca.key -out ca.crt"
    subprocess.run(line.split(), cwd=tmp_path, check=True, capture_output=True)
    return tmp_path / "ca.crt"


def test_rbac_is_yaml_for_kubectl_and_follows_the_grants(day2: Day2, documents: list[str]) -> None:
    said = day2("rbac", "generate", "-n", "shop", *documents)
    assert said.code == 0, said.err
    found = {(item["kind"], item["metadata"]["name"]): item for item in yaml.safe_load_all(said.out)}
    assert ["deployments"] in [rule["resources"] for rule in found["ClusterRole", "day2-agent-finops"]["rules"]]
    assert ("ClusterRole", "day2-agent-finops-cluster") not in found
    assert ("ClusterRole", "day2-agent-scaling-cluster") in found
    assert found["RoleBinding", "day2-agent-finops"]["metadata"]["namespace"] == "shop"
    assert "impersonate:user-info" in said.out
    older = day2("rbac", "generate", "--legacy", *documents).out
    assert "impersonate:user-info" not in older


def test_json_is_a_list_as_kubectl_knows_it(day2: Day2, documents: list[str]) -> None:
    found = day2("rbac", "generate", "-o", "json", *documents).json
    assert (found["apiVersion"], found["kind"]) == ("v1", "List")


def test_without_grants_there_is_nothing_to_hand_out(day2: Day2) -> None:
    said = day2("rbac", "generate")
    assert said.code == 1
    assert "Grant" in said.err


def test_a_kind_and_an_agent_are_explained(day2: Day2, documents: list[str]) -> None:
    rows = day2("rbac", "explain", "delete_pod", "-o", "json", *documents).json["items"]
    assert rows == [{"right": "delete pods", "kinds": ["delete_pod"], "agents": ["scaling"], "operation": "/pods:DELETE"}]
    rows = day2("rbac", "explain", "finops", "-o", "json", *documents).json["items"]
    assert {row["right"] for row in rows} >= {"patch apps/deployments"}
    assert all(row["kinds"] == ["set_requests"] for row in rows)
    said = day2("rbac", "explain", "nobody", *documents)
    assert said.code == 1
    assert "finops" in said.err


def test_the_guard_is_printed_with_the_ca(day2: Day2, ca: Path) -> None:
    said = day2("gate", "manifests", "--ca-file", str(ca), "--url", URL)
    kinds = [item["kind"] for item in yaml.safe_load_all(said.out)]
    assert kinds.count("ValidatingAdmissionPolicy") == kinds.count("ValidatingAdmissionPolicyBinding") == 2
    assert f"{URL}/verify" in said.out
    assert "&id" not in said.out  # YAML anchors, which kubectl reads and people do not


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["gate", "manifests"], "--ca-file"),
        (["gate", "manifests", "--ca-file", "none.crt"], "none.crt"),
        (["gate", "manifests", "--ca-file", "ca.key"], "never its key"),
        (["gate", "manifests", "--ca-file", "ca.crt", "--url", "http://10.0.0.5"], "https"),
        (["gate", "manifests", "--ca-file", "ca.crt", "--url", f"{URL}/verify"], "path"),
        (["gate", "static", "-O", "out", "--ca-file", "ca.crt"], "--url"),
    ],
)
def test_what_cannot_be_generated_is_refused_with_the_mend(day2: Day2, ca: Path, words: list[str], said: str) -> None:
    found = day2(*words)
    assert found.code == 1
    assert said in found.err
    assert found.out == ""


def test_files_for_the_api_server_are_written_and_named(day2: Day2, ca: Path, tmp_path: Path) -> None:
    found = day2("gate", "static", "-O", "out", "--ca-file", str(ca), "--url", URL, "--path", "/srv/day2")
    assert found.code == 0, found.err
    written = sorted(str(path.relative_to(tmp_path)) for path in (tmp_path / "out").rglob("*.yaml"))
    assert sorted(found.out.split()) == written
    assert "/srv/day2/policies" in (tmp_path / "out" / "admission.yaml").read_text()
    assert f"{URL}/verify-static" in (tmp_path / "out" / "webhooks" / "permit.yaml").read_text()


def test_a_server_that_should_write_says_at_once_that_it_does_not_know_the_guard(day2: Day2) -> None:
    said = day2("serve", "--role", "executor")
    assert said.code == 1
    assert "gate.guard" in said.err
    assert "docs/gate.md" in said.err
