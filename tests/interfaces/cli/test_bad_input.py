"""Bad input: a clear message, the mend, the right exit code, and nothing written."""

import base64
import json
import os
import resource
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

Day2 = Callable[..., Any]
REPOSITORY = Path(__file__).parents[3]
KUBECONFIG: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Config",
    "current-context": "prod",
    "contexts": [{"name": "prod", "context": {"cluster": "prod", "user": "me"}}],
    "clusters": [{"name": "prod", "cluster": {"server": "http://127.0.0.1:1"}}],
    "users": [{"name": "me", "user": {"token": "t"}}],
}


def kubeconfig(path: Path, **over: Any) -> str:
    path.write_text(json.dumps(KUBECONFIG | over), encoding="utf-8")
    return str(path)


def failed(said: Any, code: int, *words: str) -> None:
    """Nothing on standard output; what failed, why and a mend on standard error."""
    assert said.code == code, said.err
    assert said.out == ""
    lines = said.err.splitlines()
    assert any(line.startswith("error: ") for line in lines)
    assert any(line.startswith("mend:  ") for line in lines), said.err
    for word in words:
        assert word in said.err
    assert "Traceback" not in said.err


def test_no_kubeconfig(day2: Day2, tmp_path: Path) -> None:
    failed(day2("scan"), 1, "no kubeconfig at", "day2 demo")
    assert list(tmp_path.iterdir()) == []


def test_a_context_that_does_not_exist_is_answered_with_those_that_do(day2: Day2, tmp_path: Path) -> None:
    failed(day2("scan", "--kubeconfig", kubeconfig(tmp_path / "k"), "--context", "staging"), 1, "'staging'", "choose one of: prod")


def test_a_kubeconfig_that_runs_a_program_is_refused_with_the_way_out(day2: Day2, tmp_path: Path) -> None:
    users = [{"name": "me", "user": {"exec": {"command": f"touch {tmp_path}/ran", "apiVersion": "client.authentication.k8s.io/v1"}}}]
    failed(
        day2("scan", "--kubeconfig", kubeconfig(tmp_path / "k", users=users)),
        1,
        "run a program for credentials (exec)",
        "kubectl create token",
    )
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("text", ["", "- a\n- b", "{: :", "\x00\x01"])
def test_a_file_that_is_no_kubeconfig(day2: Day2, tmp_path: Path, text: str) -> None:
    (tmp_path / "k").write_text(text, encoding="utf-8")
    failed(day2("scan", "--kubeconfig", str(tmp_path / "k")), 1)


@pytest.mark.slow
def test_an_api_server_that_does_not_answer(day2: Day2, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    clusters = [{"name": "prod", "cluster": {"server": f"http://127.0.0.1:{port}"}}]
    failed(day2("scan", "--kubeconfig", kubeconfig(tmp_path / "k", clusters=clusters)), 1, f"127.0.0.1:{port}", "is unavailable", "kubectl")


@pytest.mark.slow
def test_credentials_that_the_server_does_not_know_are_4(on_cluster: Day2, cluster: Any, tmp_path: Path) -> None:
    wrong = cluster.kubeconfig(tmp_path / "k", token="nobody")
    failed(on_cluster("scan", "--kubeconfig", str(wrong)), 4, "does not accept our credentials", "fetch a fresh kubeconfig")


@pytest.mark.slow
def test_a_stranger_is_told_the_first_right_that_is_missing(on_cluster: Day2, cluster: Any, tmp_path: Path) -> None:
    stranger = cluster.kubeconfig(tmp_path / "k", token="stranger-token")
    failed(
        on_cluster("scan", "--kubeconfig", str(stranger)), 4, "not allowed to get namespaces", 'resources: ["namespaces"], verbs: ["get"]'
    )


@pytest.mark.slow
def test_with_half_of_the_rights_the_other_half_is_named_with_the_rules_that_grant_it(
    on_cluster: Day2, cluster: Any, tmp_path: Path
) -> None:
    half = cluster.kubeconfig(tmp_path / "k", token="half-token")
    said = on_cluster("scan", "--kubeconfig", str(half), "-o", "json")
    coverage = said.json["coverage"]
    assert said.code == 0
    reasons = " ".join(row["reason"] for row in coverage["notRun"])
    assert "SEC-102" in coverage["run"]
    assert "not allowed to list apps/deployments" in reasons
    assert 'apiGroups: ["apps"], resources: ["deployments"], verbs: ["list"]' in reasons


@pytest.mark.slow
def test_the_doctor_names_each_missing_right_with_the_rule_that_grants_it(on_cluster: Day2, cluster: Any, tmp_path: Path) -> None:
    stranger = cluster.kubeconfig(tmp_path / "k", token="stranger-token")
    items = on_cluster("doctor", "--kubeconfig", str(stranger), "-o", "json").json["items"]
    missing = {item["check"]: item["fix"] for item in items if item["check"].startswith("right to ")}
    assert len(missing) > 15
    assert (
        missing["right to list apps/deployments"]
        == 'grant it with the rule {apiGroups: ["apps"], resources: ["deployments"], verbs: ["list"]}'
    )


@pytest.mark.slow
def test_an_expired_certificate_is_4_and_says_what_expired(day2: Day2, tmp_path: Path) -> None:
    server = Expired(tmp_path)
    with server as port:
        clusters = [{"name": "prod", "cluster": {"server": f"https://127.0.0.1:{port}", "certificate-authority-data": server.authority}}]
        said = day2("scan", "--kubeconfig", kubeconfig(tmp_path / "k", clusters=clusters))
    failed(said, 4, "certificate has expired", "kubeadm certs renew")


class Expired:
    """A TLS server whose certificate ended yesterday."""

    def __init__(self, folder: Path) -> None:
        import trustme

        made = trustme.CA()
        leaf = made.issue_cert("127.0.0.1", not_after=datetime.now(UTC) - timedelta(days=1))
        self.authority = base64.b64encode(made.cert_pem.bytes()).decode()
        self._pem = folder / "server.pem"
        self._pem.write_bytes(leaf.private_key_and_cert_chain_pem.bytes())

    def __enter__(self) -> int:
        code = (
            "import http.server, ssl, sys\n"
            "server = http.server.HTTPServer(('127.0.0.1', 0), http.server.SimpleHTTPRequestHandler)\n"
            "context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)\n"
            "context.load_cert_chain(sys.argv[1])\n"
            "server.socket = context.wrap_socket(server.socket, server_side=True)\n"
            "print(server.server_address[1], flush=True)\n"
            "server.serve_forever()\n"
        )
        self._process = subprocess.Popen(
            [sys.executable, "-c", code, str(self._pem)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=self._pem.parent
        )
        assert self._process.stdout is not None
        return int(self._process.stdout.readline())

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate(timeout=10)


def test_settings_with_an_unknown_field_name_file_line_and_the_nearest(day2: Day2, tmp_path: Path) -> None:
    (tmp_path / "day2.yaml").write_text("flow:\n  poll_second: 1\n", encoding="utf-8")
    failed(day2("config", "view"), 1, "day2.yaml:2", "did you mean flow.poll_seconds?")


def test_an_unknown_variable_is_named_with_the_nearest(day2: Day2, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAY2_FLOW__POLL_SECOND", "1")
    failed(day2("config", "view"), 1, "DAY2_FLOW__POLL_SECOND", "did you mean DAY2_FLOW__POLL_SECONDS?")


def test_documents_with_an_unknown_field_name_file_and_line(day2: Day2, tmp_path: Path) -> None:
    text = "apiVersion: day2.dev/v1alpha1\nkind: Grant\nmetadata: {name: g}\nspec:\n  agent: finops\n  capability: [set_requests]\n"
    (tmp_path / "grants.yaml").write_text(text, encoding="utf-8")
    said = day2("scan", "--from", "grants.yaml", "--objectives", "grants.yaml")
    failed(said, 1, "grants.yaml:6", "unknown field `capability`", "did you mean `capabilities`?")


def test_a_config_value_that_does_not_fit_is_refused_and_the_file_stays(day2: Day2, tmp_path: Path) -> None:
    (tmp_path / "day2.yaml").write_text("flow: {poll_seconds: 1}\n", encoding="utf-8")
    failed(day2("config", "set", "flow.poll_seconds", "often"), 1, "flow.poll_seconds")
    failed(day2("config", "set", "flow.pol_seconds", "1"), 1, "did you mean flow.poll_seconds?")
    assert (tmp_path / "day2.yaml").read_text(encoding="utf-8") == "flow: {poll_seconds: 1}\n"


@pytest.mark.parametrize("damage", [b"", b"no database at all", b"SQLite format 3\x00" + b"\xff" * 4096])
def test_a_corrupt_ledger_is_named_with_the_mend_and_left_as_it_is(day2: Day2, past: Any, damage: bytes) -> None:
    past.asked("act-wait")
    path = past.folder / "ledger.db"
    for name in ("ledger.db", "ledger.db-wal", "ledger.db-shm"):
        (past.folder / name).unlink(missing_ok=True)
    path.write_bytes(damage)
    for words in (["action", "list"], ["approve", "act-wait", "--reason", "x"], ["audit", "verify"], ["stop", "--reason", "x"]):
        failed(day2(*words, "--data-dir", str(past.folder)), 1, str(path), "restore the last backup")
    assert path.read_bytes() == damage


def test_a_ledger_that_is_gone_is_not_begun_anew_beside_its_second_sink(day2: Day2, past: Any) -> None:
    past.asked("act-wait")
    for name in ("ledger.db", "ledger.db-wal", "ledger.db-shm"):
        (past.folder / name).unlink(missing_ok=True)
    failed(day2("stop", "--reason", "x", "--data-dir", str(past.folder)), 1, "ledger.db is gone")
    assert not (past.folder / "ledger.db").exists()


def test_a_changed_record_breaks_the_chain_and_is_found(day2: Day2, past: Any) -> None:
    past.asked("act-wait")
    with sqlite3.connect(past.folder / "ledger.db") as connection:
        connection.execute("UPDATE chain SET body = replace(body, 'somebody-else', 'nobody') WHERE place = 1")
    said = day2("audit", "verify", "--data-dir", str(past.folder))
    assert said.code == 1
    assert "record door/1 was changed" in said.out


def test_a_full_disk_is_said_and_what_was_accepted_stays(past: Any, tmp_path: Path) -> None:
    """The limit on file size is what the kernel has nearest to a full disk."""
    past.asked("act-wait")
    size = (past.folder / "ledger.db").stat().st_size + 4096
    code = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({size // 8}, resource.RLIM_INFINITY));"
        "from interfaces.cli.launching import launch; sys.exit(launch(sys.argv[1:]))"
    )
    words = ["stop", "--reason", "drill", "--data-dir", str(past.folder)]
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, cwd=REPOSITORY, check=False, timeout=60)
    assert done.returncode == 1, done.stderr
    assert done.stdout == ""
    assert "error: " in done.stderr
    assert "mend:  " in done.stderr
    assert "Traceback" not in done.stderr
    with sqlite3.connect(past.folder / "ledger.db") as connection:
        assert connection.execute("SELECT action_id FROM actions").fetchall() == [("act-wait",)]
        assert connection.execute("SELECT count(*) FROM stops").fetchone() == (0,)
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[1] == resource.RLIM_INFINITY


def test_a_plan_cannot_be_saved_where_nothing_can_be_written(day2: Day2, past: Any) -> None:
    past.asked("act-wait")
    said = day2("audit", "export", "-O", "/proc/no/such/file", "--data-dir", str(past.folder))
    failed(said, 1, "/proc/no/such/file")


@pytest.mark.slow
def test_a_second_process_on_the_same_data_folder_is_told_which_is_the_first(on_cluster: Day2, tmp_path: Path) -> None:
    served = [sys.executable, "-m", "interfaces.cli", "serve", "--role", "judge", "--data-dir", str(tmp_path / "data")]
    environment = dict(os.environ) | {"PYTHONPATH": str(REPOSITORY)}
    with subprocess.Popen(served, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=tmp_path, env=environment) as first:
        assert first.stdout is not None
        try:
            first.stdout.readline()
            said = on_cluster("serve", "--role", "judge")
        finally:
            first.terminate()
            first.wait(90)
    assert said.code == 1
    assert "use another data folder" in said.err


@pytest.mark.slow
def test_absent_metrics_are_said_and_the_rest_is_checked(on_cluster: Day2, tmp_path: Path) -> None:
    settings = json.loads((tmp_path / "day2.yaml").read_text(encoding="utf-8"))
    del settings["prometheus"]
    (tmp_path / "day2.yaml").write_text(json.dumps(settings), encoding="utf-8")
    coverage = on_cluster("scan", "-A", "-o", "json").json["coverage"]
    assert "SEC-101" in coverage["run"]
    assert any(row["check"].startswith("FIN-101") and "no metrics source is configured" in row["reason"] for row in coverage["notRun"])


@pytest.mark.slow
def test_metrics_that_do_not_answer_are_said_and_the_rest_is_checked(on_cluster: Day2) -> None:
    coverage = on_cluster("scan", "-A", "--prometheus", "http://127.0.0.1:1", "-o", "json").json["coverage"]
    assert "SEC-101" in coverage["run"]
    assert any(row["check"].startswith("FIN-101") and "Prometheus is unavailable" in row["reason"] for row in coverage["notRun"])


def test_a_poison_object_is_named_and_the_rest_is_looked_at(day2: Day2, tmp_path: Path) -> None:
    text = """\
apiVersion: v1
kind: Namespace
metadata: {name: shop, uid: u-0}
---
apiVersion: v1
kind: Pod
metadata: {name: [1, 2], namespace: null}
---
apiVersion: v1
kind: Pod
metadata: {name: debug, namespace: shop, uid: u-1}
spec: {nodeName: null, containers: [{name: a, image: x, env: null, securityContext: {privileged: true}}]}
status: {phase: Running, startTime: "2026-01-01T00:00:00Z", containerStatuses: null}
---
just a text
"""
    (tmp_path / "all.yaml").write_text(text, encoding="utf-8")
    said = day2("scan", "--from", "all.yaml", "-o", "json")
    assert said.code == 0
    assert [item["subject"]["name"] for item in said.json["items"]] == ["debug"]
    bad = [row["check"] for row in said.json["coverage"]["notRun"] if row["check"].startswith("all.yaml")]
    assert bad == ["all.yaml:5", "all.yaml:15"]


def test_a_stored_proposal_that_cannot_be_read_hides_no_other(day2: Day2, past: Any) -> None:
    past.asked("act-good")
    past.asked("act-poison", from_replicas=9)
    with sqlite3.connect(past.folder / "ledger.db") as connection:
        connection.execute('UPDATE actions SET proposal = \'{"action": {"kind": "gone"}}\' WHERE action_id = \'act-poison\'')
    rows = {row["id"]: row for row in day2("action", "list", "-o", "json", "--data-dir", str(past.folder)).json["items"]}
    assert "cannot be read" in rows["act-poison"]["sentence"]
    assert rows["act-good"]["sentence"] == "scale shop/deployment/cart from 4 to 2"
    waiting = day2("approvals", "-o", "json", "--data-dir", str(past.folder)).json["items"]
    assert [row["id"] for row in waiting] == ["act-good"]
    failed(day2("action", "get", "act-poison", "--data-dir", str(past.folder)), 1, "there is no action kind")


def test_files_that_are_not_there_or_hold_nothing(day2: Day2, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    failed(day2("scan", "--from", "nowhere"), 1, "there is nothing at nowhere")
    failed(day2("scan", "--from", "empty"), 1, "has no manifest")


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"kind": "Plan"}', '{"kind": "Plan", "apiVersion": "day2.dev/v2", "sealed": {}}', "[" * 100_000]
)
def test_what_is_no_plan_is_refused(day2: Day2, tmp_path: Path, text: str) -> None:
    (tmp_path / "plan.json").write_text(text, encoding="utf-8")
    failed(day2("apply", "plan.json"), 1, "plan.json", "day2 plan -O plan.json")
    assert not (tmp_path / ".local").exists()


@pytest.mark.parametrize("text", ["{", "{}", '{"items": [1]}', '{"items": [{"code": 1}]}'])
def test_what_is_no_baseline_is_refused(day2: Day2, tmp_path: Path, text: str) -> None:
    (tmp_path / "baseline.json").write_text(text, encoding="utf-8")
    failed(day2("scan", "--baseline", "baseline.json", "--from", "x"), 1, "is no FindingList")


@pytest.mark.parametrize(
    "words",
    [
        ["action", "get", "act-none"],
        ["action", "watch", "act-none"],
        ["action", "cancel", "act-none"],
        ["apply", "act-none"],
        ["run", "get", "run-none"],
    ],
    ids=" ".join,
)
def test_what_is_not_known_is_said_with_where_to_look(day2: Day2, tmp_path: Path, words: list[str]) -> None:
    failed(day2(*words, "--data-dir", str(tmp_path / "data")), 1, words[-1])
    assert not (tmp_path / "data").exists()
