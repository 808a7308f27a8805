"""Pods against the Pod Security Standards, control by control."""

import copy
from typing import Any

import pytest

from gate.judging.pod_security import admitted

STRICT = {
    "spec": {
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [{"name": "app", "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}}],
    }
}


def pod(path: str, value: Any) -> Any:
    """The strict pod with one field set; `c.` is its container."""
    made = copy.deepcopy(STRICT)
    place: Any = made["spec"]
    *steps, last = path.split(".")
    for step in steps:
        place = place["containers"][0] if step == "c" else place.setdefault(step, {})
    place[last] = value
    return made


AGAINST_BASELINE = {
    "host network": ("hostNetwork", True),
    "host processes": ("hostPID", True),
    "host ipc": ("hostIPC", True),
    "host path": ("volumes", [{"name": "v", "hostPath": {"path": "/"}}]),
    "host port": ("c.ports", [{"containerPort": 80, "hostPort": 80}]),
    "privileged": ("c.securityContext.privileged", True),
    "added capability": ("c.securityContext.capabilities.add", ["SYS_ADMIN"]),
    "proc mount": ("c.securityContext.procMount", "Unmasked"),
    "no seccomp": ("c.securityContext.seccompProfile", {"type": "Unconfined"}),
    "no seccomp for the pod": ("securityContext.seccompProfile", {"type": "Unconfined"}),
    "selinux user": ("securityContext.seLinuxOptions", {"user": "root"}),
    "unsafe sysctl": ("securityContext.sysctls", [{"name": "kernel.msgmax", "value": "1"}]),
    "privileged init container": ("initContainers", [{"name": "i", "securityContext": {"privileged": True}}]),
}
AGAINST_RESTRICTED = {
    "may escalate": ("c.securityContext.allowPrivilegeEscalation", True),
    "says nothing of escalation": ("c.securityContext", {"capabilities": {"drop": ["ALL"]}}),
    "root": ("c.securityContext.runAsNonRoot", False),
    "user zero": ("securityContext.runAsUser", 0),
    "keeps capabilities": ("c.securityContext.capabilities", {"drop": ["NET_RAW"]}),
    "adds one of the baseline's": ("c.securityContext.capabilities", {"drop": ["ALL"], "add": ["CHOWN"]}),
    "nfs volume": ("volumes", [{"name": "v", "nfs": {}}]),
    "no seccomp named": ("securityContext", {"runAsNonRoot": True}),
}


def test_a_strict_pod_is_admitted_everywhere() -> None:
    assert all(admitted(STRICT, level) for level in ("", "privileged", "baseline", "restricted"))


@pytest.mark.parametrize("case", AGAINST_BASELINE.values(), ids=AGAINST_BASELINE)
def test_baseline_refuses(case: tuple[str, Any]) -> None:
    assert [admitted(pod(*case), level) for level in ("privileged", "baseline", "restricted")] == [True, False, False]


@pytest.mark.parametrize("case", AGAINST_RESTRICTED.values(), ids=AGAINST_RESTRICTED)
def test_restricted_refuses_what_baseline_takes(case: tuple[str, Any]) -> None:
    assert [admitted(pod(*case), level) for level in ("baseline", "restricted")] == [True, False]


@pytest.mark.parametrize(
    "extra", [("c.securityContext.capabilities.add", ["NET_BIND_SERVICE"]), ("volumes", [{"name": "v", "emptyDir": {}}])]
)
def test_what_restricted_allows_is_admitted(extra: tuple[str, Any]) -> None:
    assert admitted(pod(*extra), "restricted")


def test_an_unknown_level_takes_nothing() -> None:
    assert not admitted(STRICT, "very-strict")
