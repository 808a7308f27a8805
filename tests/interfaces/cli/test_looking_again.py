"""Explain, mute, baseline and snapshot as a person types them: what is shown, what is counted, how it ends."""

import json
import stat
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from core.cluster.decoding import decode_page
from core.cluster.objects import STRUCTS
from core.cluster.snapshot import Snapshot
from core.policy import mutes
from core.policy.snapshots import Saved
from runtime.services import muting, snapshotting

Day2 = Callable[..., Any]
THEN = datetime(2026, 1, 2, tzinfo=UTC)


def pod(name: str, namespace: str = "shop") -> dict[str, Any]:
    """Privileged and nobody's: SEC-102."""
    return {
        "metadata": {"name": name, "namespace": namespace, "uid": f"u-{name}", "creationTimestamp": "2025-12-23T00:00:00Z"},
        "spec": {"containers": [{"name": "a", "image": "x", "securityContext": {"privileged": True}}]},
        "status": {"phase": "Running", "startTime": "2025-12-23T00:00:00Z"},
    }


def keep(file: Path, *pods: dict[str, Any], cluster: str = "c-1", namespaces: tuple[str, ...] = ()) -> Path:
    """A saved snapshot of these pods, in namespaces that deny by default: every kind was read."""
    names = [
        {"metadata": {"name": name, "uid": f"u-{name}", "labels": {"pod-security.kubernetes.io/enforce": "baseline"}}}
        for name in ("shop", "web")
    ]
    denied = {"podSelector": {}, "policyTypes": ["Ingress"]}
    guards = [{"metadata": {"name": "deny", "namespace": name, "uid": f"u-deny-{name}"}, "spec": denied} for name in ("shop", "web")]
    pages = {"Pod": list(pods), "Namespace": names, "NetworkPolicy": guards}
    objects = {kind: decode_page(kind, json.dumps({"items": pages.get(kind, [])}).encode()).items for kind in STRUCTS}
    snapshotting.save(file, Saved(Snapshot(cluster, THEN, objects), "prod-eu", namespaces))
    return file


@pytest.fixture
def snap(tmp_path: Path) -> str:
    return str(keep(tmp_path / "c.snap", pod("debug"), pod("shell", "web")))


def ids(said: Any) -> dict[str, str]:
    """Name of the subject to id, of SEC-102 alone."""
    return {item["subject"]["name"]: item["id"] for item in said.json["items"] if item["code"] == "SEC-102"}


def scan(day2: Day2, snap: str, *words: str) -> Any:
    return day2("scan", "security", "--from", snap, "-o", "json", *words)


class TestExplain:
    def test_a_code_has_its_page_without_cluster_and_files(self, day2: Day2, tmp_path: Path) -> None:
        said = day2("explain", "sec-102")
        assert (said.code, said.err) == (0, "")
        assert said.out.startswith("# SEC-102: ")
        assert "## When it is silent" in said.out
        assert list(tmp_path.iterdir()) == []

    def test_a_finding_is_shown_whole(self, day2: Day2, snap: str) -> None:
        name = ids(scan(day2, snap))["debug"]
        said = day2("explain", name, "--from", snap)
        assert said.code == 0
        for part in (
            name,
            "privileged and has run for 10 days",
            "matters",
            "again: kubectl get pod debug -n shop -o yaml, at spec.containers[a].securityContext.privileged",
            "proposal  delete shop/pod/debug",
            "# SEC-102",
            "as of 2026-01-02T00:00:00Z",
        ):
            assert part in said.out

    def test_a_symptom_shows_its_cause_with_each_link_and_the_cause_its_symptoms(self, day2: Day2, tmp_path: Path) -> None:
        from tests.agents.reliability.conditions.cases import CASES
        from tests.agents.reliability.conditions.objects import cluster, looked_at

        case = next(case for case in CASES if any(found.symptom_of for found in looked_at(case.fault).findings))
        symptom = next(found for found in looked_at(case.fault).findings if found.symptom_of)
        file = str(tmp_path / "c.snap")
        snapshotting.save(Path(file), Saved(cluster(*case.fault), "", ()))
        told = day2("explain", symptom.id, "--from", file, "-o", "json").json
        assert told["cause"]["id"] == symptom.symptom_of
        assert any(row["source"] == "derived" and row["query"].startswith("needs ") for row in told["finding"]["evidence"])
        assert f"follows   from {symptom.symptom_of}" in day2("explain", symptom.id, "--from", file).out
        cause = day2("explain", symptom.symptom_of, "--from", file, "-o", "json").json
        assert symptom.id in {item["id"] for item in cause["symptoms"]}
        assert f"causes    {symptom.id}" in day2("explain", symptom.symptom_of, "--from", file).out

    @pytest.mark.parametrize(
        ("what", "error", "mend"),
        [
            ("REL-10l", "no check 'REL-10l'", "REL-101"),
            ("fnd-1", "no id of a finding", "fnd-3fa9c2d1e0"),
            ("fnd-0000000000", "no finding 'fnd-0000000000' now", "day2 scan -A"),
        ],
    )
    def test_what_is_neither_is_answered_with_what_is_near(self, day2: Day2, snap: str, what: str, error: str, mend: str) -> None:
        said = day2("explain", what, *(("--from", snap) if what.startswith("fnd-") else ()))
        assert (said.code, said.out) == (1, "")
        assert error in said.err
        assert mend in said.err.partition("mend:")[2]

    def test_the_page_of_a_check_needs_no_file(self, day2: Day2, snap: str) -> None:
        assert day2("explain", "SEC-102", "--from", snap).code == 64

    def test_an_id_with_one_letter_wrong_is_answered_with_the_right_one(self, day2: Day2, snap: str) -> None:
        name = ids(scan(day2, snap))["debug"]
        wrong = name[:-1] + ("0" if name[-1] != "0" else "1")
        assert f"did you mean {name}" in day2("explain", wrong, "--from", snap).err


class TestMutes:
    def test_what_is_muted_counts_for_nothing_and_is_said(self, day2: Day2, snap: str) -> None:
        before = scan(day2, snap, "--fail-on", "high")
        assert (before.code, before.json["metadata"]["muted"], before.json["metadata"]["nextMuteEnds"]) == (2, 0, None)
        for name in ids(before).values():
            assert day2("mute", "add", name, "--reason", "left from the incident", "--for", "7d").code == 0
        after = scan(day2, snap, "--fail-on", "high")
        assert (after.code, after.json["items"], after.json["muted"]) == (0, [], [])
        meta = after.json["metadata"]
        assert (meta["muted"], meta["score"], sum(meta["counts"].values())) == (2, 100, 0)
        assert meta["nextMuteEnds"] > f"{datetime.now(UTC) + timedelta(days=6):%Y-%m-%d}"
        assert day2("scan", "security", "--from", snap, "--detailed-exitcode").code == 0
        table = day2("scan", "security", "--from", snap).out
        assert "2 muted, next ends " in table
        assert "debug" not in table

    def test_show_muted_lists_them_with_reason_and_end(self, day2: Day2, snap: str) -> None:
        name = ids(scan(day2, snap))["debug"]
        made = day2("mute", "add", name, "--reason", "left from the incident", "--for", "7d", "-o", "json").json
        said = day2("scan", "security", "--from", snap, "--show-muted").out
        assert f"muted: {name} " in said
        assert "left from the incident" in said
        assert made["id"] in said
        row = scan(day2, snap, "--show-muted").json["muted"][0]
        assert (row["id"], row["mute"]["until"]) == (name, made["until"])
        assert "muted     until" in day2("explain", name, "--from", snap).out

    def test_a_code_is_muted_where_n_says(self, day2: Day2, snap: str) -> None:
        assert day2("mute", "add", "sec-102", "-n", "web", "--reason", "x", "--for", "1d").code == 0
        assert set(ids(scan(day2, snap))) == {"debug"}
        assert day2("mute", "list", "-o", "json").json["items"][0]["about"] == "SEC-102 in web"

    def test_a_mute_that_is_over_is_said_once_and_hides_nothing(self, day2: Day2, snap: str, tmp_path: Path) -> None:
        name = ids(scan(day2, snap))["debug"]
        begin = datetime.now(UTC) - timedelta(days=2)
        over = mutes.made(what=name, namespaces=(), reason="for a day", by="local:jane", at=begin, lasts=timedelta(days=1))
        muting.folder_of(tmp_path / ".local/share/day2").add(over)
        assert day2("mute", "list", "-o", "json").json["items"][0]["state"] == "over"
        first = scan(day2, snap)
        assert "debug" in ids(first)
        assert [row["id"] for row in first.json["mutesEnded"]] == [over.id]
        assert scan(day2, snap).json["mutesEnded"] == []
        assert day2("mute", "list", "-o", "json").json["items"] == []
        assert [row["id"] for row in day2("mute", "list", "--ended", "-o", "json").json["items"]] == [over.id]

    @pytest.mark.parametrize("output", ["name", "csv", "wide", "sarif", "jsonl"])
    def test_what_has_no_room_for_mutes_says_them_beside(self, day2: Day2, snap: str, tmp_path: Path, output: str) -> None:
        name = ids(scan(day2, snap))["debug"]
        day2("mute", "add", "SEC-102", "-n", "web", "--reason", "x", "--for", "1d")
        begin = datetime.now(UTC) - timedelta(days=2)
        over = mutes.made(what=name, namespaces=(), reason="for a day", by="local:jane", at=begin, lasts=timedelta(days=1))
        muting.folder_of(tmp_path / ".local/share/day2").add(over)
        silent = day2("scan", "security", "--from", snap, "-o", output, "-q")
        assert silent.err == ""
        said = day2("scan", "security", "--from", snap, "-o", output)
        assert "1 muted, next ends " in said.err
        assert f"mute over: {name}" in said.err, "who asked for silence was not told, so it is told now"
        assert "mute over" not in said.out
        assert "mute over" not in day2("scan", "security", "--from", snap, "-o", output).err

    def test_expire_shows_it_again(self, day2: Day2, snap: str) -> None:
        name = ids(scan(day2, snap))["debug"]
        made = day2("mute", "add", name, "--reason", "x", "--for", "1d", "-o", "json").json["id"]
        assert "debug" not in ids(scan(day2, snap))
        over = day2("mute", "expire", made, "-o", "json").json
        assert (over["state"], over["endedBy"]) == ("over", over["by"])
        again = scan(day2, snap)
        assert "debug" in ids(again)
        assert again.json["mutesEnded"] == [], "who ended it knows"
        assert day2("mute", "expire", made).code == 1

    @pytest.mark.parametrize(
        ("words", "code", "said"),
        [
            (["fnd-3fa9c2d1e0", "--for", "7d"], 64, "--reason"),
            (["fnd-3fa9c2d1e0", "--reason", "x"], 64, "--for"),
            (["fnd-3fa9c2d1e0", "--reason", " ", "--for", "7d"], 1, "needs a reason"),
            (["fnd-3fa9c2d1e0", "--reason", "x", "--for", "31d"], 1, "at most 30 days"),
            (["fnd-3fa9c2d1e0", "--reason", "x", "--for", "0"], 1, "at most 30 days"),
            (["fnd-3fa9c2d1e0", "--reason", "x", "--for", "soon"], 64, "is no time"),
            (["fnd-3fa9c2d1e0", "--reason", "x", "--for", "7d", "-n", "shop"], 1, "one namespace already"),
            (["fnd-x", "--reason", "x", "--for", "7d"], 1, "no id of a finding"),
            (["SEC-999", "--reason", "x", "--for", "7d"], 1, "no check"),
        ],
    )
    def test_a_mute_without_reason_end_or_target_is_not_made(
        self, day2: Day2, tmp_path: Path, words: list[str], code: int, said: str
    ) -> None:
        answer = day2("mute", "add", *words)
        assert (answer.code, answer.out) == (code, "")
        assert said in answer.err
        assert list(tmp_path.iterdir()) == []

    def test_a_document_with_a_mistake_fails_the_scan_with_its_place(self, day2: Day2, snap: str, tmp_path: Path) -> None:
        folder = tmp_path / ".local/share/day2/mutes"
        folder.mkdir(parents=True)
        (folder / "ours.yaml").write_text("apiVersion: day2.dev/v1alpha1\nkind: Mute\nmetadata: {name: m}\nspec: {resaon: x}\n")
        said = day2("scan", "--from", snap)
        assert said.code == 1
        assert "ours.yaml:4: unknown field `resaon`" in said.err
        assert "did you mean `reason`?" in said.err

    @pytest.mark.slow
    def test_a_plan_leaves_out_what_is_muted_unless_it_is_named(self, on_cluster: Day2) -> None:
        first = on_cluster("plan", "-o", "json").json["items"][0]
        name = first["findings"][0]
        assert on_cluster("mute", "add", name, "--reason", "x", "--for", "1d").code == 0
        muted = on_cluster("plan", "-o", "json").json
        assert name not in {found for item in muted["items"] for found in item["findings"]}
        assert muted["metadata"]["muted"] == 1
        assert "1 muted finding left out" in on_cluster("plan").out
        named = on_cluster("plan", name, "-o", "json").json
        assert [item["findings"] for item in named["items"]] == [[name]]
        told = on_cluster("explain", name, "-o", "json").json
        assert told["mute"]["reason"] == "x"
        assert [item["findings"] for item in told["proposals"]] == [[name]]

    def test_reports_and_scripts_do_not_see_what_is_muted(self, day2: Day2, snap: str) -> None:
        for name in ids(scan(day2, snap)).values():
            day2("mute", "add", name, "--reason", "x", "--for", "1d")
        for form in ("sarif", "junit", "openreports", "csv", "name", "html"):
            assert "SEC-102: " not in day2("scan", "security", "--from", snap, "-o", form).out


class TestBaseline:
    def baseline(self, day2: Day2, tmp_path: Path, *words: str) -> str:
        file = tmp_path / "baseline.json"
        file.write_text(scan(day2, str(tmp_path / "c.snap"), *words).out, encoding="utf-8")
        return str(file)

    def test_what_is_gone_is_told_beside_what_is_new(self, day2: Day2, snap: str, tmp_path: Path) -> None:
        known, was = self.baseline(day2, tmp_path), ids(scan(day2, snap))
        now = str(keep(tmp_path / "now.snap", pod("debug"), pod("fresh")))
        said = scan(day2, now, "--baseline", known)
        assert set(ids(said)) == {"fresh"}
        assert [(row["id"], row["object"], row["severity"]) for row in said.json["gone"]] == [(was["shell"], "web/pod/shell", "high")]
        assert said.json["metadata"]["gone"] == 1
        table = day2("scan", "security", "--from", now, "--baseline", known).out
        assert f"gone: {was['shell']} high SEC-102 web/pod/shell" in table
        assert "1 gone since the baseline" in table

    @pytest.mark.parametrize("words", [["-n", "shop"], ["-l", "app=x"]], ids=" ".join)
    def test_what_was_not_looked_at_is_not_gone(self, day2: Day2, snap: str, tmp_path: Path, words: list[str]) -> None:
        known = self.baseline(day2, tmp_path)
        now = str(keep(tmp_path / "now.snap", pod("debug")))
        assert scan(day2, now, "--baseline", known, *words).json["gone"] == []

    def test_a_check_that_did_not_run_says_nothing_is_gone(self, day2: Day2, snap: str, tmp_path: Path) -> None:
        known = self.baseline(day2, tmp_path)
        now = str(keep(tmp_path / "now.snap"))
        assert len(scan(day2, now, "--baseline", known).json["gone"]) == 2
        said = day2("scan", "reliability", "--from", now, "-o", "json", "--baseline", known)
        assert said.json["gone"] == []

    def test_what_is_muted_is_not_gone(self, day2: Day2, snap: str, tmp_path: Path) -> None:
        known = self.baseline(day2, tmp_path)
        for name in ids(scan(day2, snap)).values():
            day2("mute", "add", name, "--reason", "x", "--for", "1d")
        assert scan(day2, snap, "--baseline", known).json["gone"] == []

    def test_of_another_cluster_nothing_is_known(self, day2: Day2, snap: str, tmp_path: Path) -> None:
        known = self.baseline(day2, tmp_path)
        said = scan(day2, str(keep(tmp_path / "now.snap", cluster="c-2")), "--baseline", known)
        assert said.json["gone"] == []
        assert "of another cluster" in said.err

    def test_a_folder_of_manifests_stays_what_it_was_with_one_more_in_it_and_in_another_place(self, day2: Day2, tmp_path: Path) -> None:
        def written(where: str, *names: str) -> str:
            folder = tmp_path / where / "manifests"
            folder.mkdir(parents=True)
            (folder / "shop.json").write_text(json.dumps({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}))
            for name in names:
                (folder / f"{name}.json").write_text(json.dumps({"apiVersion": "v1", "kind": "Pod", **pod(name)}))
            return str(folder)

        known = tmp_path / "known.json"
        known.write_text(scan(day2, written("yesterday", "debug", "old")).out, encoding="utf-8")
        said = scan(day2, written("today", "debug", "fresh"), "--baseline", str(known))
        assert set(ids(said)) == {"fresh"}
        assert [row["object"] for row in said.json["gone"]] == ["shop/pod/old"]

    @pytest.mark.parametrize(
        "text", ["[]", "{}", '{"items": [1]}', '{"items": [{"code": "x"}]}', '{"items": [{"id": "x", "subject": 1}]}', "no"]
    )
    def test_what_is_no_baseline_is_refused(self, day2: Day2, snap: str, tmp_path: Path, text: str) -> None:
        (tmp_path / "b.json").write_text(text)
        said = scan(day2, snap, "--baseline", str(tmp_path / "b.json"))
        assert (said.code, said.out) == (1, "")
        assert "is no FindingList" in said.err


class TestSnapshots:
    def test_a_scan_of_one_is_as_of_its_time_and_says_so(self, day2: Day2, snap: str) -> None:
        said = scan(day2, snap).json
        assert (said["metadata"]["at"], said["metadata"]["asOf"], said["metadata"]["cluster"]) == (
            "2026-01-02T00:00:00Z", "2026-01-02T00:00:00Z", "c-1",
        )  # fmt: skip
        assert said["items"][0]["at"] == "2026-01-02T00:00:00Z"
        out = day2("scan", "security", "--from", snap).out
        assert f"as of 2026-01-02T00:00:00Z, the time of {snap}" in out
        assert "has run for 10 days" in out

    def test_manifests_have_no_time_and_none_is_claimed(self, day2: Day2, tmp_path: Path) -> None:
        (tmp_path / "m.json").write_text(json.dumps(pod("debug") | {"apiVersion": "v1", "kind": "Pod"}))
        said = day2("scan", "--from", "m.json", "-o", "json")
        assert said.json["metadata"]["asOf"] is None
        assert "as of" not in day2("scan", "--from", "m.json").out

    def test_load_tells_what_is_in_it(self, day2: Day2, snap: str) -> None:
        said = day2("snapshot", "load", snap)
        assert said.code == 0
        for part in ("Pod", "2", "6 objects in all namespaces, as of 2026-01-02T00:00:00Z", "cluster c-1"):
            assert part in said.out

    def test_namespaces_that_were_not_saved_are_refused(self, day2: Day2, tmp_path: Path) -> None:
        snap = str(keep(tmp_path / "s.snap", pod("debug"), namespaces=("shop",)))
        assert scan(day2, snap).json["metadata"]["namespaces"] == ["shop"]
        said = scan(day2, snap, "-n", "web")
        assert said.code == 1
        assert "has only shop, not web" in said.err

    @pytest.mark.parametrize("words", [["scan", "--from"], ["snapshot", "load"], ["explain", "fnd-3fa9c2d1e0", "--from"]], ids=" ".join)
    def test_a_damaged_file_is_one_error_with_its_mend(self, day2: Day2, snap: str, words: list[str]) -> None:
        Path(snap).write_bytes(Path(snap).read_bytes()[:-9])
        said = day2(*words, snap)
        assert (said.code, said.out) == (1, "")
        assert "is damaged" in said.err
        assert "mend:  save it again" in said.err

    @pytest.mark.slow
    def test_a_saved_cluster_shows_what_the_cluster_shows(self, on_own_cluster: Day2, tmp_path: Path) -> None:
        said = on_own_cluster("snapshot", "save", str(tmp_path / "own.snap"), "-A", "-o", "json")
        assert said.code == 0, said.err
        assert stat.S_IMODE((tmp_path / "own.snap").stat().st_mode) == 0o600
        assert said.json["metadata"]["bytes"] > 0
        assert {row["kind"] for row in said.json["items"]} >= {"Pod", "Deployment", "Node", "Namespace"}
        again = on_own_cluster("snapshot", "load", str(tmp_path / "own.snap"), "-o", "json").json
        assert (again["items"], again["unread"]) == (said.json["items"], said.json["unread"])
        live = on_own_cluster("scan", "-A", "-o", "json").json
        kept = on_own_cluster("scan", "--from", str(tmp_path / "own.snap"), "-o", "json").json
        ran = set(kept["coverage"]["run"])
        assert kept["metadata"]["cluster"] == live["metadata"]["cluster"]
        assert {row["id"] for row in kept["items"]} == {row["id"] for row in live["items"] if row["code"] in ran}
        assert all("metrics" in row["reason"] for row in kept["coverage"]["notRun"])

    def test_save_without_a_cluster_is_an_error_and_makes_nothing(self, day2: Day2, tmp_path: Path) -> None:
        said = day2("snapshot", "save", "a.snap")
        assert said.code == 1
        assert not (tmp_path / "a.snap").exists()
