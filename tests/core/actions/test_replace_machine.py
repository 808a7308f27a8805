"""A machine is replaced where a set makes another, and its node is closed."""

from typing import Any

import pytest

from core.actions.catalogue import parse_action
from core.domain.action import Live
from core.domain.errors import Refused
from core.domain.values import Json


def test_its_node_is_read_and_its_uid_goes(documents: dict[str, Json], cases: Any) -> None:
    made = parse_action(documents["replace_machine"])
    (target,) = made.related()
    assert (target.kind, target.name) == ("Node", "n1")
    (change,) = made.changes(cases["replace_machine"].live)
    assert (change.path, change.old, change.new) == ("metadata.uid", "uid-pool-a-1", None)


@pytest.mark.parametrize(
    "owners",
    [None, [], [{"kind": "MachineSet", "name": "pool-a"}], [{"kind": "Cluster", "name": "c", "controller": True}]],
    ids=["no list", "none", "one that does not control", "another kind"],
)
def test_a_machine_that_nothing_makes_again_is_kept(owners: Any, documents: dict[str, Json], cases: Any) -> None:
    live = cases["replace_machine"].live
    alone = {**live.object, "metadata": {**live.object["metadata"], "ownerReferences": owners}}
    with pytest.raises(Refused, match="MachineSet"):
        parse_action(documents["replace_machine"]).request(Live(alone, live.related))
