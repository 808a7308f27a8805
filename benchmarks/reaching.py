"""Reaching: who may talk to whom, worked out for every pod of namespaces that each let one other in. Four times as many pods may cost
six times as much, and no more: the plain way, each pod against each, costs sixteen times.
"""

import time
from typing import Any

from core.cluster import decoding
from core.cluster.network import Network, policy_of

FEW, MANY = 1_000, 4_000
GOAL = 6.0
ROUNDS = 3


def run() -> list[str]:
    """One line; the least of some rounds, because neighbours on the machine only ever slow it down."""
    few, many = (min(_round(count) for _ in range(ROUNDS)) for count in (FEW, MANY))
    word = "met" if many <= GOAL * few else "short"
    figures = f"{many:.3f} and {few:.3f}, {many / few:.1f} times"
    return [f"NETWORK ({MANY:,} pods and policies against {FEW:,}, CPU-seconds): {figures}, goal <= {GOAL:g}: {word}"]


def _round(count: int) -> float:
    spaces = {f"ns-{number}": {"team": f"t-{number}"} for number in range(count)}
    pods = [
        _made("Pod", number, {"metadata": {"labels": {"app": f"app-{number}"}}, "status": {"podIP": "10.0.0.1"}}) for number in range(count)
    ]
    items = (_made("NetworkPolicy", number, {"spec": _rule(number, (number + 1) % count)}) for number in range(count))
    policies = [policy for item in items if (policy := policy_of(item)) is not None]
    began = time.process_time()
    found = Network(pods, policies, spaces)
    ways = sum(1 for target in found.endpoints for _ in found.sources(target))
    took = time.process_time() - began
    if ways != count:
        raise AssertionError(f"{ways} ways were found between {count} pods, each of which lets one other in")
    return took


def _made(kind: str, number: int, item: dict[str, Any]) -> Any:
    meta = {"name": f"p-{number}", "namespace": f"ns-{number}", "uid": f"{kind}-{number}"}
    return decoding.convert_object(kind, item | {"metadata": meta | item.get("metadata", {})})


def _rule(number: int, other: int) -> dict[str, Any]:
    peer = {"namespaceSelector": {"matchLabels": {"team": f"t-{other}"}}}
    return {"podSelector": {"matchLabels": {"app": f"app-{number}"}}, "policyTypes": ["Ingress"], "ingress": [{"from": [peer]}]}
