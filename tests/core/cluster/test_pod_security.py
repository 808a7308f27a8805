"""The Pod Security Standards, check by check."""

import msgspec
import pytest

from core.cluster.objects import PodSpec
from core.cluster.pod_security import LEVELS, meets, rank, strictest, violations
from core.domain.values import Json

SAFE = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
POD_CONTEXT = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
RESTRICTED = {
    "securityContext": POD_CONTEXT,
    "containers": [{"name": "app", "securityContext": SAFE}],
}


def spec(body: Json) -> PodSpec:
    return msgspec.convert(body, PodSpec)


def container(**context: object) -> Json:
    return {**RESTRICTED, "containers": [{"name": "app", "securityContext": {**SAFE, **context}}]}


def test_a_pod_that_follows_every_rule_is_restricted() -> None:
    assert meets(spec(RESTRICTED)) == "restricted"
    assert violations(spec(RESTRICTED), "restricted") == ()


def test_a_pod_that_says_nothing_is_baseline() -> None:
    bare = spec({"containers": [{"name": "app"}]})
    assert meets(bare) == "baseline"
    assert {item.check for item in violations(bare, "restricted")} == {
        "allowPrivilegeEscalation",
        "runAsNonRoot",
        "seccompProfile",
        "capabilities",
    }


BELOW_BASELINE = {
    "hostNamespaces": {**RESTRICTED, "hostPID": True},
    "hostNamespaces-ipc": {**RESTRICTED, "hostIPC": True},
    "hostNamespaces-network": {**RESTRICTED, "hostNetwork": True},
    "hostPath": {**RESTRICTED, "volumes": [{"name": "root", "hostPath": {"path": "/"}}]},
    "privileged": container(privileged=True),
    "privileged-init": {**RESTRICTED, "initContainers": [{"name": "first", "securityContext": {"privileged": True}}]},
    "capabilities": container(capabilities={"add": ["SYS_ADMIN"], "drop": ["ALL"]}),
    "hostPorts": {**RESTRICTED, "containers": [{"name": "app", "securityContext": SAFE, "ports": [{"containerPort": 80, "hostPort": 80}]}]},
    "procMount": container(procMount="Unmasked"),
    "seccompProfile": container(seccompProfile={"type": "Unconfined"}),
    "seccompProfile-pod": {**RESTRICTED, "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "Unconfined"}}},
    "sysctls": {**RESTRICTED, "securityContext": {**POD_CONTEXT, "sysctls": [{"name": "kernel.msgmax", "value": "1"}]}},
    "hostProbes": {
        **RESTRICTED,
        "containers": [{"name": "app", "securityContext": SAFE, "livenessProbe": {"httpGet": {"host": "10.0.0.1", "port": 1}}}],
    },
}


@pytest.mark.parametrize("name", sorted(BELOW_BASELINE))
def test_what_baseline_refuses(name: str) -> None:
    pod = spec(BELOW_BASELINE[name])
    assert meets(pod) == "privileged"
    assert name.partition("-")[0] in {item.check for item in violations(pod, "baseline")}


WITHIN_BASELINE = {
    "capabilities": container(capabilities={"add": ["CHOWN"], "drop": ["ALL"]}),
    "capabilities-not-dropped": container(capabilities={"drop": ["NET_RAW"]}),
    "allowPrivilegeEscalation": container(allowPrivilegeEscalation=True),
    "runAsNonRoot": container(runAsNonRoot=False),
    "runAsUser": container(runAsUser=0),
    "restrictedVolumes": {**RESTRICTED, "volumes": [{"name": "share", "nfs": {"server": "10.0.0.1", "path": "/"}}]},
    "seccompProfile": {**RESTRICTED, "securityContext": {"runAsNonRoot": True}},
}


@pytest.mark.parametrize("name", sorted(WITHIN_BASELINE))
def test_what_only_restricted_refuses(name: str) -> None:
    pod = spec(WITHIN_BASELINE[name])
    assert meets(pod) == "baseline"
    assert violations(pod, "baseline") == ()
    assert name.partition("-")[0] in {item.check for item in violations(pod, "restricted")}


@pytest.mark.parametrize(
    "body",
    [
        container(capabilities={"add": ["NET_BIND_SERVICE"], "drop": ["ALL"]}),
        container(seccompProfile={"type": "Localhost"}),
        {**RESTRICTED, "volumes": [{"name": "data", "emptyDir": {}}, {"name": "token", "projected": {"sources": []}}]},
        {
            **RESTRICTED,
            "securityContext": {**RESTRICTED["securityContext"], "sysctls": [{"name": "net.ipv4.tcp_syncookies", "value": "1"}]},
        },  # type: ignore[dict-item]
        {"containers": [{"name": "app", "securityContext": {**SAFE, "runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}}]},
    ],
)
def test_what_restricted_still_allows(body: Json) -> None:
    assert meets(spec(body)) == "restricted"


def test_privileged_refuses_nothing() -> None:
    assert violations(spec(BELOW_BASELINE["privileged"]), "privileged") == ()


def test_a_group_of_pods_meets_what_its_weakest_meets() -> None:
    assert strictest([]) == "restricted"
    assert strictest([spec(RESTRICTED), spec({"containers": [{"name": "app"}]})]) == "baseline"
    assert strictest([spec(BELOW_BASELINE["hostPath"]), spec(RESTRICTED)]) == "privileged"


def test_levels_rank_from_loose_to_strict_and_a_word_that_is_none_enforces_nothing() -> None:
    assert [rank(level) for level in LEVELS] == [0, 1, 2]
    assert rank("strict") == rank("") == 0
