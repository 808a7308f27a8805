"""Who decides on the command line: the user whom the cluster authenticates, and on a simulated cluster what that changes."""

from collections.abc import Callable
from typing import Any

import pytest

from core.domain.outcome import ActionState
from core.domain.target import Target
from runtime.roles import identifying

Day2 = Callable[..., Any]


@pytest.fixture
def here(on_cluster: Day2) -> Day2:
    return on_cluster


@pytest.fixture
def web(here: Day2, past: Any) -> Target:
    """The deployment of the simulated cluster."""
    (found,) = [item for item in here("scan", "-o", "json").json["items"] if item["subject"]["name"] == "web"][:1]
    return Target.model_validate(found["subject"])


@pytest.fixture
def asked(past: Any, web: Target) -> None:
    past.asked("act-wait", target=web.model_dump())


def test_the_cluster_says_who_approves(here: Day2, past: Any, asked: None, web: Target, cluster: Any, tmp_path: Any) -> None:
    said = here(
        "approve", "act-wait", "--reason", "checked", "--kubeconfig", str(cluster.kubeconfig(tmp_path / "half", token="half-token"))
    )
    assert said.code == 0, said.err
    (kept,) = past.approvals("act-wait")
    assert kept.by == f"kube:{web.cluster}:half {identifying.account()}"
    assert kept.groups == ("system:authenticated",)
    assert "No cluster said" not in said.err


@pytest.mark.parametrize("word", ["approve", "deny"])
def test_a_decision_is_made_under_ones_own_name(here: Day2, past: Any, asked: None, cluster: Any, word: str) -> None:
    said = here(word, "act-wait", "--reason", "x", "--kubeconfig", str(cluster.admin), "--as", "jane")
    assert (said.code, past.approvals("act-wait")) == (3, [])
    assert "under one's own name" in said.err


def test_credentials_that_the_cluster_refuses_do_not_become_an_account(
    here: Day2, past: Any, asked: None, cluster: Any, tmp_path: Any
) -> None:
    said = here("approve", "act-wait", "--reason", "x", "--kubeconfig", str(cluster.kubeconfig(tmp_path / "bad", token="gone")))
    assert (said.code != 0, past.approvals("act-wait")) == (True, [])
    assert "mend:" in said.err


def test_without_a_cluster_the_account_of_the_machine_decides_and_is_told(here: Day2, past: Any, asked: None) -> None:
    said = here("approve", "act-wait", "--reason", "x", "--server", "https://127.0.0.1:9")
    assert said.code == 0, said.err
    assert past.approvals("act-wait")[0].by == identifying.account()
    assert "never for high risk" in said.err


def test_who_asked_without_a_cluster_cannot_approve_with_one(here: Day2, past: Any, web: Target, cluster: Any) -> None:
    past.submit(past.proposal("act-mine", target=web.model_dump()), by=identifying.account())
    past.move("act-mine", ActionState.NEEDS_APPROVAL)
    said = here("approve", "act-mine", "--reason", "x", "--kubeconfig", str(cluster.admin))
    assert (said.code, past.approvals("act-mine")) == (3, [])
    assert "who asks cannot approve" in said.err


def test_a_person_of_another_cluster_is_told_so(here: Day2, past: Any, cluster: Any) -> None:
    past.asked("act-away")
    said = here("approve", "act-away", "--reason", "x", "--kubeconfig", str(cluster.admin))
    assert (said.code, past.approvals("act-away")) == (3, [])
    assert "another cluster" in said.err
    assert here("deny", "act-away", "--reason", "x", "--kubeconfig", str(cluster.admin)).code == 0


def test_a_paused_approver_is_resumed_by_another_person_only(here: Day2, cluster: Any, web: Target) -> None:
    scope = f"approver=kube:{web.cluster}:admin {identifying.account()}"
    assert here("stop", "--scope", scope, "--reason", "asleep").code == 0
    own = here("resume", "--scope", scope, "--reason", "awake", "--server", "https://127.0.0.1:9")
    assert (own.code, "cannot resume" in own.err) == (3, True)
    assert here("resume", "--scope", scope, "--reason", "we spoke").code == 0


def test_an_edited_action_is_a_new_one_and_the_old_one_is_over(here: Day2, past: Any, asked: None) -> None:
    said = here("action", "edit", "act-wait", "--set", "to_replicas=5", "--set", "from_replicas=3", "-o", "json")
    assert said.code == 0, said.err
    new = said.json
    assert (new["state"], new["sentence"], new["verdict"], new["approvals"]) == (
        "submitted",
        "scale apps/deployment/web from 3 to 5",
        None,
        [],
    )
    assert new["proposal"]["changes"] == [{"path": "spec.replicas", "old": 3, "new": 5}]
    assert new["proposal"]["why"].startswith("edited from act-wait by ")
    before = here("action", "get", "act-wait", "-o", "json").json["proposal"]["evidence"]
    assert [item["id"] for item in new["proposal"]["evidence"]] == [item["id"] for item in before] != []
    old = here("action", "get", "act-wait", "-o", "json").json
    assert (old["state"], f"edited into {new['id']}" in old["note"]) == ("cancelled", True)
    late = here("approve", "act-wait", "--reason", "late")
    assert (late.code, "edited into" in late.err) == (1, True)
    assert here("action", "edit", "act-wait", "--set", "to_replicas=6").code == 1


@pytest.mark.parametrize(
    "change", ["to_replicas", "=3", "to_replica=3", "to_replicas=two", "target.name=x", "id=act-0000", "to_replicas=2", "to_replicas.0=1"]
)
def test_an_edit_that_cannot_be_leaves_the_old_one_alone(here: Day2, asked: None, change: str) -> None:
    said = here("action", "edit", "act-wait", "--set", change)
    assert (said.code, "mend:" in said.err) == (1, True)
    assert here("action", "get", "act-wait", "-o", "json").json["state"] == "needs_approval"
