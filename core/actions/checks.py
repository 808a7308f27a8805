"""The checks that several kinds share.

A guard without data is no miss: many workloads serve no HTTP, and their readiness is required anyway.
"""

from core.domain.action import Guards
from core.domain.check import Check, Expectation, Signal
from core.domain.target import Target
from core.domain.values import Json, at_path


def check(target: Target, *signals: Signal | Expectation, guards: Guards | None = None, settle: int, watch: int, every: int = 30) -> Check:
    """`signals` must hold; `guards` are bounds that people promised, watched beside them. Times are in seconds."""
    required = tuple(signal if isinstance(signal, Expectation) else Expectation(signal=signal) for signal in signals)
    return Check(
        target=target,
        expectations=(*required, *_promised(guards or Guards())),
        settle_seconds=settle,
        watch_seconds=watch,
        look_every_seconds=every,
        early=True,
    )


LEASE_SECONDS = 6
"""How long a fault outlives the controller of its experiment: three of its beats."""


def leased(target: Target, seconds: int) -> Check:
    """Of a fault: it is taken back when its lease runs out, at the latest when the experiment and a minute more are over."""
    held = (Expectation(signal=Signal.LEASE_HELD),)
    return Check(target=target, expectations=held, settle_seconds=LEASE_SECONDS, watch_seconds=seconds + 60, look_every_seconds=1)


def _promised(guards: Guards) -> tuple[Expectation, ...]:
    bounds = ((Signal.LATENCY_P99, guards.latency_p99_ms), (Signal.ERROR_RATIO, guards.error_per_mille))
    return tuple(Expectation(signal=signal, bound=bound, required=False) for signal, bound in bounds if bound > 0)


def ready(count: int) -> Expectation:
    """At least so many pods are Ready."""
    return Expectation(signal=Signal.PODS_READY, bound=count)


def replicas(workload: Json) -> int:
    """How many pods a workload is asked to have. Absent means one, as the API server defaults it; a DaemonSet has one per node."""
    if workload.get("kind") == "DaemonSet":
        return int(at_path(workload, "status.desiredNumberScheduled") or 0)
    asked = at_path(workload, "spec.replicas")
    return 1 if asked is None else int(asked)
