"""Network policies: every answer is that of a slow reading of the API's own words, on clusters made at random; and known cases by name."""

import ipaddress
import random
from typing import Any

import pytest

from core.cluster import decoding, network
from core.cluster.network import EVERY, Network, Span, network_of, outside, policy_of
from core.cluster.objects import Pod
from core.domain.values import Json

PROBED = (("TCP", 80), ("TCP", 8080), ("TCP", 8085), ("UDP", 53), ("TCP", 53), ("SCTP", 7))
OUTSIDE = ("203.0.113.9", "10.0.9.9", "2001:db8::1")


def pod(name: str, namespace: str = "a", *, ports: list[Json] | None = None, address: str = "", host: bool = False, **labels: str) -> Pod:
    item = {
        "metadata": {"name": name, "namespace": namespace, "uid": f"{namespace}-{name}", "labels": labels},
        "spec": {"nodeName": "node-1", "hostNetwork": host, "containers": [{"name": "app", "ports": ports or []}]},
        "status": {"phase": "Running", "podIP": address},
    }
    made: Pod = decoding.convert_object("Pod", item)
    return made


def policies(*items: Json) -> list[network.Policy]:
    found = [policy_of(decoding.convert_object("NetworkPolicy", item)) for item in items]
    return [policy for policy in found if policy is not None]


def policy(namespace: str = "a", name: str = "p", **spec: Any) -> Json:
    return {"metadata": {"name": name, "namespace": namespace}, "spec": {"podSelector": {}, **spec}}


# A slow reading: one pair of pods, one port, every policy, every rule.
def _fits(selector: Json, labels: dict[str, str]) -> bool:
    wanted = [labels.get(key) == value for key, value in selector.get("matchLabels", {}).items()]
    for one in selector.get("matchExpressions", []):
        key, values = one["key"], one.get("values", [])
        wanted.append(
            {
                "In": key in labels and labels[key] in values,
                "NotIn": not (key in labels and labels[key] in values),
                "Exists": key in labels,
                "DoesNotExist": key not in labels,
            }[one["operator"]]
        )
    return all(wanted)


def _peer(peer: Json, own: str, other: "Pod | str", namespaces: dict[str, dict[str, str]]) -> bool:
    address = other if isinstance(other, str) else other.status.pod_ip
    if "ipBlock" in peer:
        if not address:
            return False
        inside = ipaddress.ip_address(address) in ipaddress.ip_network(peer["ipBlock"]["cidr"])
        return inside and not any(ipaddress.ip_address(address) in ipaddress.ip_network(each) for each in peer["ipBlock"].get("except", []))
    if isinstance(other, str) or other.spec.host_network:
        return False
    home = other.metadata.namespace
    if "namespaceSelector" in peer:
        labels = {**namespaces.get(home, {}), "kubernetes.io/metadata.name": home}
        if not _fits(peer["namespaceSelector"], labels):
            return False
    elif home != own:
        return False
    return _fits(peer.get("podSelector", {}), other.metadata.labels)


def _port(rule: Json, target: "Pod | str", protocol: str, number: int) -> bool:
    if not rule.get("ports"):
        return True
    for one in rule["ports"]:
        if one.get("protocol", "TCP") != protocol:
            continue
        port = one.get("port")
        if port is None or (isinstance(port, int) and port <= number <= one.get("endPort", port)):
            return True
        if isinstance(port, str) and not isinstance(target, str):
            for container in target.spec.containers:
                for each in container.ports:
                    if each.name == port and (each.protocol or "TCP") == protocol and each.container_port == number:
                        return True
    return False


def slowly(items: list[Json], namespaces: dict[str, dict[str, str]], ends: tuple[Any, Any], protocol: str, number: int) -> bool:
    source, target = ends
    for side, peers, own, other in (("Egress", "to", source, target), ("Ingress", "from", target, source)):
        if isinstance(own, str) or own.spec.host_network:
            continue
        verdicts = []
        for item in items:
            spec = item["spec"]
            types = spec.get("policyTypes") or ["Ingress", *(["Egress"] if spec.get("egress") else [])]
            if item["metadata"]["namespace"] != own.metadata.namespace or side not in types:
                continue
            if not _fits(spec["podSelector"], own.metadata.labels):
                continue
            verdicts.append(
                any(
                    (not rule.get(peers) or any(_peer(peer, own.metadata.namespace, other, namespaces) for peer in rule[peers]))
                    and _port(rule, target, protocol, number)
                    for rule in spec.get(side.lower(), [])
                )
            )
        if verdicts and not any(verdicts):
            return False
    return True


NAMESPACES = {"a": {"team": "x"}, "b": {"team": "y", "tier": "data"}, "c": {}, "d": {"team": "x", "tier": "data"}}


def a_selector(dice: random.Random, keys: dict[str, tuple[str, ...]]) -> Json:
    made: Json = {}
    if dice.random() < 0.5:
        key = dice.choice(list(keys))
        made["matchLabels"] = {key: dice.choice(keys[key])}
    if dice.random() < 0.35:
        key = dice.choice(list(keys))
        operator = dice.choice(("In", "NotIn", "Exists", "DoesNotExist"))
        values = {"values": dice.sample(keys[key], dice.randint(1, len(keys[key])))} if operator in ("In", "NotIn") else {}
        made["matchExpressions"] = [{"key": key, "operator": operator, **values}]
    return made


PODS = {"app": ("web", "db", "job"), "tier": ("front", "back")}
SPACES = {"team": ("x", "y"), "tier": ("data",), "kubernetes.io/metadata.name": ("a", "b", "c", "d")}
BLOCKS = ("0.0.0.0/0", "10.0.0.0/16", "10.0.1.0/24", "10.0.1.7/32", "203.0.113.0/24", "::/0", "2001:db8::/32")


PORTS: tuple[Json, ...] = (
    {"port": 80},
    {"port": 8080, "endPort": 8090},
    {"port": "http"},
    {"protocol": "UDP", "port": 53},
    {"protocol": "SCTP"},
    {},
)


def a_peer(dice: random.Random) -> Json:
    if dice.random() < 0.3:
        cidr = dice.choice(BLOCKS)
        inner = [each for each in ("10.0.1.0/25", "10.0.1.0/30", "203.0.113.8/31") if cidr.startswith(("0.", "10.0.0", "203"))]
        return {"ipBlock": {"cidr": cidr, **({"except": dice.sample(inner, 1)} if inner and dice.random() < 0.5 else {})}}
    made: Json = {}
    if dice.random() < 0.6:
        made["namespaceSelector"] = a_selector(dice, SPACES)
    if not made or dice.random() < 0.6:
        made["podSelector"] = a_selector(dice, PODS)
    return made


def a_rule(dice: random.Random, peers: str) -> Json:
    made: Json = {}
    if dice.random() < 0.8:
        made[peers] = [a_peer(dice) for _ in range(dice.randint(0, 3))]
    if dice.random() < 0.6:
        made["ports"] = dice.sample(PORTS, dice.randint(0, 3))
    return made


def a_policy(dice: random.Random, number: int) -> Json:
    spec: Json = {"podSelector": a_selector(dice, PODS)}
    if dice.random() < 0.7:
        spec["policyTypes"] = dice.choice((["Ingress"], ["Egress"], ["Ingress", "Egress"]))
    for side, peers in (("ingress", "from"), ("egress", "to")):
        if dice.random() < 0.7:
            spec[side] = [a_rule(dice, peers) for _ in range(dice.randint(0, 3))]
    return {"metadata": {"name": f"p-{number}", "namespace": dice.choice(list(NAMESPACES))}, "spec": spec}


def a_pod(dice: random.Random, number: int) -> Pod:
    labels = {key: dice.choice(values) for key, values in PODS.items() if dice.random() < 0.8}
    ports = dice.choice(([], [{"name": "http", "containerPort": 8080}], [{"name": "http", "containerPort": 53, "protocol": "UDP"}]))
    address = dice.choice(("", f"10.0.{dice.randint(0, 2)}.{dice.randint(0, 12)}", "2001:db8::9"))
    name, space = f"pod-{number}", dice.choice(list(NAMESPACES))
    return pod(name, space, ports=ports, address=address, host=dice.random() < 0.1, **labels)


@pytest.mark.parametrize("seed", range(60))
def test_every_answer_is_that_of_a_slow_reading(seed: int) -> None:
    dice = random.Random(seed)
    items = [a_policy(dice, number) for number in range(dice.randint(0, 9))]
    pods = [a_pod(dice, number) for number in range(dice.randint(2, 9))]
    known = {name: labels for name, labels in NAMESPACES.items() if dice.random() < 0.9}
    fast = Network(pods, policies(*items), known)
    at = {one.metadata.name: fast.endpoint(one) for one in pods} | {address: outside(address) for address in OUTSIDE}
    ends: list[Any] = [*pods, *OUTSIDE]
    for source in ends:
        for target in ends:
            if isinstance(source, str) and isinstance(target, str):
                continue
            here, there = (at[end if isinstance(end, str) else end.metadata.name] for end in (source, target))
            ports = fast.allowed(here, there)
            for protocol, number in PROBED:
                expected = slowly(items, known, (source, target), protocol, number)
                assert network.holds(ports, protocol, number) is expected, (source, target, protocol, number)
            if not isinstance(source, str) and not isinstance(target, str):
                assert dict(fast.sources(there)).get(here, ()) == ports
                assert dict(fast.targets(here)).get(there, ()) == ports


WEB, DB = pod("web", app="web"), pod("db", "b", app="db", ports=[{"name": "sql", "containerPort": 5432}])


def reach(*items: Json, source: Pod = WEB, target: Pod = DB) -> network.Ports:
    return Network([source, target], policies(*items), {}).between(source, target)


def test_without_a_policy_everything_is_open() -> None:
    assert reach() == EVERY


def test_an_absent_list_of_rules_closes_and_an_empty_rule_opens() -> None:
    assert reach(policy("b")) == ()
    assert reach(policy("b"), policy("b", "open", ingress=[{}])) == EVERY


def test_policies_add_up_and_both_ends_must_agree() -> None:
    takes = policy("b", ingress=[{"ports": [{"port": "sql"}, {"port": 9000, "endPort": 9100}]}])
    sends = policy("a", policyTypes=["Egress"], egress=[{"ports": [{"port": 5000, "endPort": 9050}]}])
    assert reach(takes, sends) == (Span("TCP", 5432, 5432), Span("TCP", 9000, 9050))


def test_a_policy_with_egress_rules_and_no_types_is_one_for_both() -> None:
    both = policy("a", egress=[{}])
    assert Network([WEB], policies(both), {}).isolated(Network([WEB], [], {}).endpoint(WEB)) == (True, True)


def test_two_selectors_in_one_peer_narrow_and_in_two_peers_widen() -> None:
    namespaces: Json = {"namespaceSelector": {"matchLabels": {network.NAMESPACE_NAME: "c"}}}
    pods: Json = {"podSelector": {}}
    own = pod("own", "b")
    assert reach(policy("b", ingress=[{"from": [namespaces | pods]}]), source=own) == ()
    assert reach(policy("b", ingress=[{"from": [namespaces, pods]}]), source=own) == EVERY


def test_what_shares_a_node_with_a_host_network_pod_is_always_reached_from_there() -> None:
    agent = pod("agent", "kube-system", host=True)
    assert reach(policy("b"), source=agent) == EVERY
    found = Network([agent, DB], policies(policy("b")), {})
    assert found.allowed(found.endpoint(agent), found.endpoint(DB)) == ()


def test_a_pod_is_never_cut_off_from_itself() -> None:
    assert reach(policy("b"), source=DB) == EVERY


@pytest.mark.parametrize(
    "peer",
    [
        {},
        {"ipBlock": {"cidr": "10.0.0.0/99"}},
        {"ipBlock": {"cidr": "10.0.0.0/8"}, "podSelector": {}},
        {"podSelector": {"matchExpressions": [{"key": "app", "operator": "Like", "values": ["web"]}]}},
        {"podSelector": {"matchExpressions": [{"key": "app", "operator": "In", "values": 7}]}, "namespaceSelector": {}},
        "web",
        None,
    ],
)
def test_a_peer_that_no_api_server_would_take_lets_nobody_in(peer: Any) -> None:
    assert reach(policy("b", ingress=[{"from": [peer]}])) == ()


def test_a_policy_whose_selector_cannot_be_read_is_left_out() -> None:
    odd = policy("b", podSelector={"matchExpressions": [{"key": "app", "operator": "In", "values": [1]}]})
    assert policies(odd) == []
    assert reach(odd) == EVERY


def test_pods_that_no_policy_can_tell_apart_are_one_endpoint() -> None:
    pods = [pod(f"web-{number}", address=f"10.0.0.{number}", app="web") for number in range(200)]
    block = {"ipBlock": {"cidr": "10.0.0.0/24", "except": ["10.0.0.64/26"]}}
    found = Network(pods, policies(policy("b", ingress=[{"from": [block]}])), {})
    assert sorted(len(group) for group in found.pods.values()) == [64, 64, 72]


def test_of_a_snapshot_only_pods_that_live_count() -> None:
    from datetime import UTC, datetime

    from core.cluster.snapshot import Snapshot

    ended = decoding.convert_object("Pod", {"metadata": {"name": "x", "namespace": "a"}, "status": {"phase": "Succeeded"}})
    found = network_of(Snapshot("c", datetime(2026, 1, 1, tzinfo=UTC), {"Pod": (WEB, ended)}))
    assert list(found.pods.values()) == [(WEB,)]
