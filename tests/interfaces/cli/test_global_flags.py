"""Global flags at work: what they filter, as whom is read, what a dry run leaves behind, how a list is followed."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.domain.outcome import ActionState
from interfaces.cli.flags import hoisted

Day2 = Callable[..., Any]
S = ActionState
POD = """\
apiVersion: v1
kind: Pod
metadata: {{name: {name}, namespace: shop, uid: u-{name}, labels: {{app: {name}, tier: web}}}}
spec: {{containers: [{{name: a, image: x, securityContext: {{privileged: true}}}}]}}
status: {{phase: Running, startTime: "2026-01-01T00:00:00Z"}}
"""
NAMESPACE = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, uid: u-0, labels: {pod-security.kubernetes.io/enforce: privileged}}\n"


@pytest.fixture
def manifests(tmp_path: Path) -> Path:
    path = tmp_path / "k8s" / "pods.yaml"
    path.parent.mkdir()
    path.write_text("---\n".join((NAMESPACE, POD.format(name="one"), POD.format(name="two"))), encoding="utf-8")
    return path


def found(said: Any) -> set[str]:
    assert said.code == 0, said.err
    return {item["subject"]["name"] for item in said.json["items"] if item["subject"]["kind"] == "Pod"}


@pytest.mark.parametrize(
    ("selector", "names"),
    [("app=one", {"one"}), ("app!=one", {"two"}), ("app in (one,two)", {"one", "two"}), ("tier=db", set()), ("!tier", set())],
)
def test_a_selector_keeps_what_has_such_labels(day2: Day2, manifests: Path, selector: str, names: set[str]) -> None:
    assert found(day2("-l", selector, "scan", "--from", "k8s", "-o", "json")) == names
    said = day2("scan", "--from", "k8s", f"--selector={selector}", "-o", "json")
    assert found(said) == names
    assert said.json["metadata"]["selector"] == selector
    assert said.json["coverage"]["run"]


def test_a_bad_selector_is_named_and_nothing_is_read(day2: Day2) -> None:
    said = day2("scan", "--from", "nothing-there", "-l", "app in (one")
    assert (said.code, said.out) == (1, "")
    assert "'app in (one'" in said.err
    assert "mend:  such as app=web" in said.err


def test_findings_of_files_have_file_and_line_in_sarif(day2: Day2, manifests: Path) -> None:
    said = day2("scan", "--from", "k8s", "-l", "app=two", "-o", "sarif")
    (run,) = json.loads(said.out)["runs"]
    places = {json.dumps(result["locations"][0]["physicalLocation"], sort_keys=True) for result in run["results"]}
    assert len(places) == 1
    (place,) = map(json.loads, places)
    assert place["artifactLocation"]["uri"] == "k8s/pods.yaml"
    line = manifests.read_text(encoding="utf-8").splitlines()[place["region"]["startLine"] - 1 :]
    assert "name: two" in line[2]


@pytest.mark.parametrize("output", ["html", "junit", "sarif", "openreports"])
def test_a_c_locale_gets_ascii_in_every_form(day2: Day2, manifests: Path, output: str) -> None:
    said = day2("scan", "--from", "k8s", "-o", output, "--plain")
    assert said.code == 0, said.err
    assert said.out.isascii()
    assert "fnd-" in said.out


@pytest.mark.parametrize(
    "words", [["--since", "1h", "action", "list"], ["action", "list", "--since", "1h"], ["action", "--since=1h", "list"]]
)
def test_since_stands_where_it_likes(day2: Day2, past: Any, words: list[str]) -> None:
    past.asked("act-wait")
    assert day2(*words, "-o", "name", "--data-dir", str(past.folder)).out == "act-wait\n"
    assert day2(*[word.replace("1h", "0s") for word in words], "-o", "name", "--data-dir", str(past.folder)).out == ""


def test_a_list_is_followed_until_the_time_is_over(day2: Day2, past: Any) -> None:
    past.asked("act-wait")
    said = day2("action", "list", "-w", "--timeout", "0s", "-o", "name", "--data-dir", str(past.folder))
    assert (said.code, said.out) == (7, "act-wait\n")


@pytest.mark.parametrize("mode", ["client", "server"])
def test_a_command_that_writes_nothing_takes_a_dry_run(day2: Day2, mode: str) -> None:
    assert day2("version", f"--dry-run={mode}").code == 0


def test_a_dry_run_of_the_client_shows_the_action_and_moves_nothing(day2: Day2, past: Any) -> None:
    past.asked("act-wait")
    past.asked("act-done", from_replicas=4, to_replicas=1)
    past.move("act-done", S.APPROVED, S.PERMITTED, S.CLAIMED, S.SENDING, S.APPLIED, S.VERIFIED)
    before = day2("audit", "list", "-o", "json", "--data-dir", str(past.folder)).out
    said = day2("apply", "act-wait", "act-done", "--dry-run=client", "--data-dir", str(past.folder))
    assert said.code == 0, said.err
    assert "act-wait  finops/scale_workload" in said.out
    assert "nothing would happen: it is verified" in said.out
    assert said.out.splitlines()[-1] == "Dry run (client): 2 not judged. Nothing was submitted, executed or stored."
    back = day2("--dry-run", "client", "action", "rollback", "act-done", "-o", "json", "--data-dir", str(past.folder))
    (item,) = back.json["items"]
    assert (item["changes"][0]["old"], item["changes"][0]["new"]) == (2, 4)
    assert day2("audit", "list", "-o", "json", "--data-dir", str(past.folder)).out == before
    assert day2("action", "get", item["id"], "--data-dir", str(past.folder)).code == 1


def test_a_dry_run_meets_the_emergency_stop(day2: Day2, past: Any) -> None:
    past.asked("act-wait")
    assert day2("stop", "--reason", "drill", "--data-dir", str(past.folder)).code == 0
    assert day2("apply", "act-wait", "--dry-run=client", "--data-dir", str(past.folder)).code == 9


def test_a_form_that_is_not_there_is_refused_before_anything_is_decided(day2: Day2, past: Any) -> None:
    past.asked("act-wait")
    assert day2("approve", "act-wait", "--reason", "x", "-o", "csv", "--data-dir", str(past.folder)).code == 64
    assert past.approvals("act-wait") == []


def test_the_profile_that_won_is_explained(day2: Day2, tmp_path: Path) -> None:
    (tmp_path / "day2.yaml").write_text("profiles: {prod: {flow: {consult_seconds: 11}}}\n", encoding="utf-8")
    assert "from day2.yaml profile prod" in day2("config", "explain", "flow.consult_seconds", "--profile", "prod").out
    said = day2("--profile", "prdo", "config", "view")
    assert (said.code, said.out) == (1, "")
    assert "did you mean prod?" in said.err


def test_v_tells_where_settings_come_from_on_standard_error(day2: Day2, tmp_path: Path) -> None:
    (tmp_path / "day2.yaml").write_text("flow: {consult_seconds: 11}\n", encoding="utf-8")
    said = day2("config", "get", "flow.consult_seconds", "-v", "-o", "json")
    assert "setting flow.consult_seconds from day2.yaml" in said.err
    assert said.json["value"] == 11


def test_groups_are_collected_and_time_has_units() -> None:
    flags, rest = hoisted(["scan", "--as", "jane", "--as-group", "sre", "--as-group=ops", "--request-timeout", "2m", "-lapp=web"])
    assert (flags.as_user, flags.as_groups, flags.request_timeout, flags.selector) == ("jane", ("sre", "ops"), 120.0, "app=web")
    assert rest == ["scan"]


@pytest.mark.slow
def test_reads_are_made_as_the_user_that_was_asked_for(on_cluster: Day2, cluster: Any) -> None:
    admin = str(cluster.admin)
    said = on_cluster("scan", "--kubeconfig", admin, "--as", "jane")
    assert (said.code, said.out) == (4, "")
    assert 'User "jane"' in said.err
    assert on_cluster("scan", "--kubeconfig", admin, "--as", "half", "-o", "json").code == 0
    stranger = on_cluster("scan", "--as", "jane")
    assert stranger.code == 4
    assert "impersonate" in stranger.err


@pytest.mark.slow
def test_another_server_is_asked(on_cluster: Day2, cluster: Any) -> None:
    assert on_cluster("scan", "--server", cluster.url, "-o", "json").code == 0
    said = on_cluster("scan", "--server", "https://127.0.0.1:1", "--request-timeout", "1s")
    assert said.code == 1
    assert "127.0.0.1:1" in said.err


@pytest.mark.slow
def test_a_dry_run_of_the_server_judges_on_fresh_facts_and_stores_nothing(on_cluster: Day2, tmp_path: Path) -> None:
    assert on_cluster("plan", "-O", "plan.json").code == 0
    said = on_cluster("apply", "plan.json", "--dry-run=server", "-o", "json")
    assert said.code == 0, said.err
    (item,) = said.json["items"]
    assert (item["verdict"]["decision"], item["verdict"]["counts"]["fail"], said.json["metadata"]["dryRun"]) == ("allow", 0, "server")
    assert not (tmp_path / "data").exists()
    assert on_cluster("plan", "-O", "again.json", "-o", "json").json["items"][0]["verdict"]["decision"] == "allow"
