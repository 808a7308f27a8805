"""Policies made from known connections: in clusters made at random each goes on and no other does, by a slow reading of the API."""

import random
from typing import Any

import pytest

from agents.desk import Desk
from agents.security.closing import close
from core.cluster import decoding
from core.domain.values import Json
from tests.agents.reliability.conditions.cases import DNS, DNS_POD, webhook
from tests.agents.reliability.conditions.objects import NOW, cluster, container, made, merged, pod, replica_set, service, workload
from tests.core.cluster.test_network import slowly

RESOLVER = pod(None, "coredns-1", metadata=DNS_POD)
PROBED = (("TCP", 53), ("UDP", 53), ("TCP", 80), ("TCP", 8080), ("TCP", 8081), ("TCP", 9999))


def team(name: str, namespace: str, calls: tuple[str, ...] = (), port: int = 8080) -> list[Json]:
    """A workload with two pods and its service."""
    labels = {"app": name}
    place = {"metadata": {"namespace": namespace, "uid": f"{namespace}-{name}"}}
    home = merged(workload(name=name, labels=labels), place)
    revision = merged(replica_set(home), {"metadata": {"namespace": namespace, "uid": f"{namespace}-{name}-rs"}})
    env = [{"name": f"PEER_{number}", "value": f"http://{host}.svc:80/"} for number, host in enumerate(calls)]
    replicas = [
        pod(
            revision,
            f"{name}-{number}",
            metadata={"namespace": namespace, "uid": f"{namespace}-{name}-{number}", "labels": {**labels, "pod-template-hash": "5d4f"}},
            spec={"containers": [container(env=env, ports=[{"name": "http", "containerPort": port}])]},
        )
        for number in (1, 2)
    ]
    opened = service(name, spec={"selector": labels, "ports": [{"port": 80, "targetPort": "http"}]})
    return [home, revision, *replicas, merged(opened, {"metadata": {"namespace": namespace, "uid": f"svc-{namespace}-{name}"}})]


def desk(*items: Json) -> Desk:
    names = sorted({item["metadata"]["namespace"] for item in items if item["kind"] == "Pod"} - {"apps", "kube-system"})
    return Desk(cluster(*items, *(made("Namespace", name) for name in names)), NOW, "run-1")


def opened(look: Desk, policies: list[Json], namespace: str) -> set[tuple[str, str, str, int]]:
    """Every connection from or to this namespace that goes, by workload, as a slow reading finds it."""
    pods = look.snapshot.pods
    found = set()
    for source in pods:
        for target in pods:
            if namespace in (source.metadata.namespace, target.metadata.namespace) and source is not target:
                for protocol, number in PROBED:
                    if slowly(policies, {}, (source, target), protocol, number):
                        found.add((_app(source), _app(target), protocol, number))
    return found


def _app(one: Any) -> str:
    return f"{one.metadata.namespace}/{one.metadata.labels.get('k8s-app') or one.metadata.labels.get('app')}"


@pytest.mark.parametrize("seed", range(12))
def test_known_connections_go_on_and_no_other_does(seed: int) -> None:
    dice = random.Random(seed)
    names = [(f"w{number}", dice.choice(("apps", "other"))) for number in range(dice.randint(2, 5))]
    calls = {one: tuple(f"{name}.{space}" for name, space in names if (name, space) != one and dice.random() < 0.4) for one in names}
    ports = {one: dice.choice((8080, 8081)) for one in names}
    look = desk(DNS, RESOLVER, *(item for one in names for item in team(*one, calls[one], ports[one])))
    answer = close(look, "apps")
    assert answer.sound
    assert answer.unknown == ()
    expected = {
        (f"{space}/{name}", f"{other[1]}/{other[0]}", "TCP", ports[other])
        for name, space in names
        for other in names
        if f"{other[0]}.{other[1]}" in calls[name, space] and "apps" in (space, other[1])
    }
    resolving = {
        (f"apps/{name}", "kube-system/kube-dns", protocol, 53) for name, space in names if space == "apps" for protocol in ("TCP", "UDP")
    }
    assert opened(look, list(answer.policies), "apps") == expected | resolving
    talking = {one for one in names if one[1] == "apps" and any(f"{one[1]}/{one[0]}" in flow[:2] for flow in expected)}
    assert len(answer.policies) == 1 + len(talking)


def test_entrances_and_webhooks_stay_open_on_their_ports_alone() -> None:
    opens = merged(team("web", "apps")[-1], {"spec": {"type": "LoadBalancer"}})
    asked = merged(
        webhook(), {"webhooks": [{**webhook()["webhooks"][0], "clientConfig": {"service": {"namespace": "apps", "name": "hook"}}}]}
    )
    look = desk(DNS, RESOLVER, *team("web", "apps")[:-1], opens, *team("hook", "apps", port=8443), *team("idle", "apps"), asked)
    answer = close(look, "apps")
    assert answer.sound
    rules = {item["metadata"]["name"]: item["spec"].get("ingress") for item in answer.policies}
    assert rules == {
        "day2-default-deny": None,
        "day2-web": [{"ports": [{"protocol": "TCP", "port": 8080}]}],
        "day2-hook": [{"ports": [{"protocol": "TCP", "port": 8443}]}],
    }


def test_a_policy_of_today_that_opens_more_is_counted_as_meant() -> None:
    wide = made("NetworkPolicy", "wide", spec={"podSelector": {"matchLabels": {"app": "web"}}, "ingress": [{}]})
    assert close(desk(DNS, RESOLVER, *team("web", "apps"), *team("shop", "apps"), wide), "apps").sound


@pytest.mark.parametrize("cached", [True, False])
def test_where_no_pod_is_known_to_answer_for_names_anybody_may_be_asked(cached: bool) -> None:
    cache = pod(None, "cache", metadata={"namespace": "kube-system", "labels": {"k8s-app": "node-local-dns"}}, spec={"hostNetwork": True})
    around = [DNS, RESOLVER, cache] if cached else []
    look = desk(*around, *team("web", "apps"), *team("shop", "apps", ("web.apps",)))
    answer = close(look, "apps")
    assert answer.sound
    assert answer.policies[0]["spec"]["egress"] == [{"ports": [{"protocol": "TCP", "port": 53}, {"protocol": "UDP", "port": 53}]}]
    shop = next(one for one in look.snapshot.pods if one.metadata.name == "shop-1")
    assert slowly(list(answer.policies), {}, (shop, "169.254.20.10"), "UDP", 53)
    assert not slowly(list(answer.policies), {}, (shop, "169.254.20.10"), "TCP", 80)


def test_two_workloads_under_one_selector_are_told_as_left_open() -> None:
    """A selector that means more than its workload: a policy by it opens the other too, and the simulation says so."""
    stranger = pod(None, "stranger", metadata={"labels": {"app": "web", "team": "x"}})
    answer = close(desk(DNS, RESOLVER, *team("web", "apps"), *team("shop", "apps", ("web.apps",)), stranger), "apps")
    assert not answer.sound
    assert any("team=x" in each for each in answer.open)


def test_what_cannot_be_known_is_told() -> None:
    role = [
        made("ClusterRole", "reads", rules=[{"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]}]),
        made(
            "ClusterRoleBinding",
            "reads",
            roleRef={"kind": "ClusterRole", "name": "reads"},
            subjects=[{"kind": "ServiceAccount", "name": "default", "namespace": "apps"}],
        ),
    ]
    away, bare = service("away", spec={"type": "ExternalName"}), pod(None, "bare")
    away["spec"]["selector"] = {}
    bare["metadata"]["labels"] = {}
    told = " ".join(close(desk(DNS, RESOLVER, *team("web", "apps", ("away.apps",)), away, *role, bare), "apps").unknown)
    assert "behind which no pod is known" in told
    assert "let it reach the API server" in told
    assert "pod bare has no labels of its own" in told


def test_every_policy_is_one_that_the_decoder_reads_back() -> None:
    for item in close(desk(DNS, RESOLVER, *team("a", "apps", ("b.apps",)), *team("b", "apps")), "apps").policies:
        assert decoding.convert_object("NetworkPolicy", item).metadata.name == item["metadata"]["name"]
