"""What a snapshot answers beside the objects themselves."""

from collections.abc import Callable
from typing import Any

from core.cluster.snapshot import Snapshot


def event(name: str, reporter: str) -> dict[str, Any]:
    about = {"kind": "Node", "name": "n1", "uid": "u-1"}
    return {"metadata": {"name": name, "uid": name}, "involvedObject": about, "reason": "NodeNotReady", "reportingComponent": reporter}


def test_what_our_own_notifier_reports_is_no_evidence(snapshot: Callable[..., Snapshot]) -> None:
    found = snapshot(Event=[event("theirs", "node-controller"), event("ours", "day2.dev/notifier")])
    assert [item.metadata.name for item in found.events_of("u-1")] == ["theirs"]
