"""A Service is pointed elsewhere by exactly what was named, and by nothing that would change nothing."""

from typing import Any

import pytest

from core.actions.catalogue import parse_action
from core.domain.action import Guards, Live
from core.domain.check import Signal
from core.domain.errors import Conflict, InvalidInput, Refused
from core.domain.values import Json

HTTPS = {"port": 443, "from_target": "https", "to_target": 8443}
SAME = {"app": "kart", "tier": "web"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"to_selector": SAME, "ports": []}, "nothing would change"),
        ({"to_selector": SAME, "ports": [HTTPS | {"to_target": "https"}]}, "nothing would change"),
        ({"ports": [HTTPS | {"to_target": "https"}]}, "nothing would change"),
        ({"ports": [HTTPS, HTTPS]}, "twice"),
        ({"to_selector": {}}, "to_selector"),
    ],
    ids=["neither", "the same target", "another selector beside the same target", "a port twice", "no selector"],
)
def test_what_would_change_nothing_or_everything_is_refused(arguments: Json, words: str, documents: dict[str, Json]) -> None:
    with pytest.raises(InvalidInput, match=words):
        parse_action(documents["set_service"] | arguments)


def test_one_number_under_two_protocols_are_two_ports(documents: dict[str, Json]) -> None:
    assert parse_action(documents["set_service"] | {"ports": [HTTPS, HTTPS | {"protocol": "UDP"}]})


def action(documents: dict[str, Json], **arguments: Any) -> Any:
    return parse_action(documents["set_service"] | arguments)


def test_a_selector_alone_moves_no_port(documents: dict[str, Json], cases: Any) -> None:
    made, live = action(documents, ports=[]), cases["set_service"].live
    assert [change.path for change in made.changes(live)] == ["spec.selector.app", "spec.selector.tier"]
    assert [item["path"] for item in made.request(live).body] == ["/metadata/uid", "/spec/selector"]
    assert made.sentence() == "let shop/service/cart choose app=cart"


def test_a_port_alone_moves_no_selector_and_is_held_to_its_number(documents: dict[str, Json], cases: Any) -> None:
    made, live = action(documents, to_selector=SAME, ports=[HTTPS]), cases["set_service"].live
    body = made.request(live).body
    assert [(item["op"], item["path"], item["value"]) for item in body[1:]] == [
        ("test", "/spec/ports/1/port", 443),
        ("add", "/spec/ports/1/targetPort", 8443),
    ]
    assert [change.path for change in made.changes(live)] == ["spec.ports[https].targetPort"]
    assert made.sentence() == "let shop/service/cart send port 443 to 8443 instead of https"
    assert made.inverse(live).body[-1]["value"] == "https"


def test_both_are_said_in_one_sentence(documents: dict[str, Json]) -> None:
    assert action(documents).sentence() == "let shop/service/cart choose app=cart and send port 443 to 8443 instead of https"


def test_a_port_without_a_target_sends_to_its_own_number(documents: dict[str, Json], cases: Any) -> None:
    live = cases["set_service"].live
    plain = {**live.object, "spec": {"selector": SAME, "ports": [{"port": 443}]}}
    made = action(documents, to_selector=SAME, ports=[HTTPS | {"from_target": 443}])
    assert made.request(Live(plain, {})).body[-1]["path"] == "/spec/ports/0/targetPort"


@pytest.mark.parametrize("spec", [{"selector": SAME}, {"selector": SAME, "ports": None}, {"selector": SAME, "ports": [{"port": 80}]}])
def test_a_port_that_the_service_does_not_have_is_refused(spec: Json, documents: dict[str, Json], cases: Any) -> None:
    live = cases["set_service"].live
    with pytest.raises(Refused, match="no port 443/TCP"):
        action(documents).request(Live({**live.object, "spec": spec}, {}))


@pytest.mark.parametrize("spec", [None, {}, {"selector": {"app": "other"}}])
def test_a_selector_that_is_another_by_now_is_a_conflict(spec: Json, documents: dict[str, Json], cases: Any) -> None:
    live = cases["set_service"].live
    with pytest.raises(Conflict, match="the selector"):
        action(documents).request(Live({**live.object, "spec": spec}, {}))


def test_one_ready_address_is_enough_and_no_pod_is_touched(documents: dict[str, Json], cases: Any) -> None:
    made, live = action(documents), cases["set_service"].live
    (expected,) = made.check(live, Guards()).expectations
    assert (expected.signal, expected.bound) == (Signal.ENDPOINTS_READY, 1)
    assert made.pods_touched(live) == 0
