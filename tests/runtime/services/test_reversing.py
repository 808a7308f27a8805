from datetime import UTC, datetime
from typing import Any

import pytest

from core.actions.catalogue import parse_action
from core.domain.errors import Refused
from runtime.services.reversing import reversed_action

NOW = datetime(2026, 1, 1, tzinfo=UTC)
APPS = {"cluster": "c", "group": "apps", "kind": "Deployment", "namespace": "n", "name": "web", "uid": "u"}
HPA = APPS | {"group": "autoscaling", "kind": "HorizontalPodAutoscaler"}
NAMESPACE = {"cluster": "c", "kind": "Namespace", "name": "n", "uid": "u"}
POD = {"cluster": "c", "kind": "Pod", "namespace": "n", "name": "p", "uid": "u"}
SIZING = {"container": "web", "from_sizes": {"cpu_milli": 2000}, "to_sizes": {"cpu_milli": 500}}
TURNED = {"container": "web", "from_sizes": {"cpu_milli": 500}, "to_sizes": {"cpu_milli": 2000}}


def action(kind: str, target: dict[str, Any], **arguments: Any) -> Any:
    return parse_action({"id": "act-0001", "kind": kind, "target": target, **arguments})


@pytest.mark.parametrize(
    ("made", "turned"),
    [
        (action("scale_workload", APPS, from_replicas=4, to_replicas=2), {"from_replicas": 2, "to_replicas": 4}),
        (
            action("set_hpa_bounds", HPA, from_min=3, from_max=9, to_min=5, to_max=9),
            {"from_min": 5, "to_min": 3, "from_max": 9, "to_max": 9},
        ),
        (action("set_requests", APPS, sizings=[SIZING]), {"sizings": [TURNED]}),
        (
            action("label_namespace", NAMESPACE, levels=[{"mode": "enforce", "from_level": "privileged", "to_level": "baseline"}]),
            {"levels": [{"mode": "enforce", "from_level": "baseline", "to_level": "privileged"}]},
        ),
    ],
    ids=lambda value: getattr(value, "kind", ""),
)
def test_the_other_way_round_is_the_same_kind_on_the_same_target(made: Any, turned: dict[str, Any]) -> None:
    back = reversed_action(made, "act-0002")
    plain = back.model_dump(mode="json", exclude_none=True)
    assert {key: plain[key] for key in turned} == turned
    assert (back.kind, back.target, back.id) == (made.kind, made.target, "act-0002")
    assert reversed_action(back, "act-0001") == made


@pytest.mark.parametrize(
    "made",
    [
        action("delete_pod", POD, from_owner=""),
        action("label_namespace", NAMESPACE, levels=[{"mode": "warn", "to_level": "baseline"}]),
        action("set_requests", APPS, sizings=[{"container": "web", "from_sizes": {}, "to_sizes": {"cpu_milli": 500}}]),
    ],
    ids=lambda value: value.kind,
)
def test_what_has_no_way_back_is_refused(made: Any) -> None:
    with pytest.raises(Refused) as caught:
        reversed_action(made, "act-0002")
    assert caught.value.mend
