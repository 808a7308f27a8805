"""The Pod Security Standards, check by check."""

import json

import msgspec
import pytest

from core.cluster.decoding import decode_page
from core.cluster.objects import Pod, PodTemplate
from core.cluster.pod_security import LEVELS, NEWEST, OLDEST, meets, rank, strictest, violations
from core.domain.values import Json
from tests.cluster.generated_pods import pod

SAFE = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
POD_CONTEXT = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
RESTRICTED = {
    "securityContext": POD_CONTEXT,
    "containers": [{"name": "app", "securityContext": SAFE}],
}


def spec(body: Json) -> PodTemplate:
    return msgspec.convert({"spec": body}, PodTemplate)


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
        "seccompProfile_restricted",
        "capabilities_restricted",
    }


BELOW_BASELINE = {
    "hostNamespaces": {**RESTRICTED, "hostPID": True},
    "hostNamespaces-ipc": {**RESTRICTED, "hostIPC": True},
    "hostNamespaces-network": {**RESTRICTED, "hostNetwork": True},
    "hostPathVolumes": {**RESTRICTED, "volumes": [{"name": "root", "hostPath": {"path": "/"}}]},
    "privileged": container(privileged=True),
    "privileged-init": {**RESTRICTED, "initContainers": [{"name": "first", "securityContext": {"privileged": True}}]},
    "capabilities_baseline": container(capabilities={"add": ["SYS_ADMIN"], "drop": ["ALL"]}),
    "hostPorts": {**RESTRICTED, "containers": [{"name": "app", "securityContext": SAFE, "ports": [{"containerPort": 80, "hostPort": 80}]}]},
    "procMount": container(procMount="Unmasked"),
    "seccompProfile_baseline": container(seccompProfile={"type": "Unconfined"}),
    "seccompProfile_baseline-pod": {**RESTRICTED, "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "Unconfined"}}},
    "sysctls": {**RESTRICTED, "securityContext": {**POD_CONTEXT, "sysctls": [{"name": "kernel.msgmax", "value": "1"}]}},
    "hostProbesAndHostLifecycle": {
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
    "capabilities_restricted": container(capabilities={"add": ["CHOWN"], "drop": ["ALL"]}),
    "capabilities_restricted-not-dropped": container(capabilities={"drop": ["NET_RAW"]}),
    "allowPrivilegeEscalation": container(allowPrivilegeEscalation=True),
    "runAsNonRoot": container(runAsNonRoot=False),
    "runAsUser": container(runAsUser=0),
    "restrictedVolumes": {**RESTRICTED, "volumes": [{"name": "share", "nfs": {"server": "10.0.0.1", "path": "/"}}]},
    "seccompProfile_restricted": {**RESTRICTED, "securityContext": {"runAsNonRoot": True}},
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
    assert strictest([spec(BELOW_BASELINE["hostPathVolumes"]), spec(RESTRICTED)]) == "privileged"


def test_levels_rank_from_loose_to_strict_and_a_word_that_is_none_enforces_nothing() -> None:
    assert [rank(level) for level in LEVELS] == [0, 1, 2]
    assert rank("strict") == rank("") == 0


def with_spec(**more: object) -> Json:
    return {**RESTRICTED, **more}


def sysctl(name: str) -> Json:
    return with_spec(securityContext={**POD_CONTEXT, "sysctls": [{"name": name, "value": "1"}]})


CHANGED = {
    "sysctls 27": ("baseline", sysctl("net.ipv4.ip_local_reserved_ports"), 27),
    "sysctls 29": ("baseline", sysctl("net.ipv4.tcp_fin_timeout"), 29),
    "sysctls 32": ("baseline", sysctl("net.ipv4.tcp_rmem"), 32),
    "sysctls 37": ("baseline", sysctl("net.ipv4.tcp_notsent_lowat"), 37),
    "selinux 31": ("baseline", container(seLinuxOptions={"type": "container_engine_t"}), 31),
    "own users as root 35": ("restricted", {**container(runAsUser=0, runAsNonRoot=False), "hostUsers": False}, 35),
    "own users with /proc 35": ("baseline", {**container(procMount="Unmasked"), "hostUsers": False}, 35),
}
"""A level, a pod that it refused, and the minor version that came to allow it."""


@pytest.mark.parametrize("name", sorted(CHANGED))
def test_what_a_later_version_came_to_allow(name: str) -> None:
    level, body, since = CHANGED[name]
    for minor in range(OLDEST, NEWEST + 1):
        assert (violations(spec(body), level, minor) == ()) is (minor >= since), minor


def test_a_host_in_a_probe_or_hook_is_refused_since_34() -> None:
    hook = {"name": "app", "securityContext": SAFE, "lifecycle": {"preStop": {"tcpSocket": {"host": "10.0.0.1", "port": 1}}}}
    body = with_spec(containers=[hook])
    assert [minor for minor in range(OLDEST, NEWEST + 1) if violations(spec(body), "baseline", minor)] == [34, 35, 36, 37]


def test_restricted_never_lets_a_pod_see_the_whole_of_proc() -> None:
    body = {**container(procMount="Unmasked"), "hostUsers": False}
    for minor in range(OLDEST, NEWEST + 1):
        assert violations(spec(body), "restricted", minor)


def test_versions_beyond_what_is_known_are_judged_like_the_nearest() -> None:
    body = spec(sysctl("net.ipv4.tcp_notsent_lowat"))
    assert violations(body, "baseline", 99) == violations(body, "baseline", NEWEST) == ()
    assert violations(body, "baseline", 3) == violations(body, "baseline", OLDEST)


ON_WINDOWS = {"os": {"name": "windows"}, "securityContext": {"runAsNonRoot": True}, "containers": [{"name": "app"}]}


def test_a_windows_pod_needs_no_linux_settings() -> None:
    assert meets(spec(ON_WINDOWS)) == "restricted"
    assert meets(spec({**ON_WINDOWS, "securityContext": {"windowsOptions": {"hostProcess": True}}})) == "privileged"


def test_ephemeral_containers_are_looked_at_like_the_others() -> None:
    body = with_spec(ephemeralContainers=[{"name": "debugger", "securityContext": {"privileged": True}}])
    assert {(item.check, item.where) for item in violations(spec(body), "baseline")} == {("privileged", "debugger")}


def test_the_old_annotations_of_apparmor_count() -> None:
    key = "container.apparmor.security.beta.kubernetes.io/app"
    for value, level in {
        "unconfined": "privileged",
        "runtime/default": "restricted",
        "localhost/mine": "restricted",
        "": "restricted",
    }.items():
        assert meets(msgspec.convert({"metadata": {"annotations": {key: value}}, "spec": RESTRICTED}, PodTemplate)) == level


def test_pods_that_share_their_parts_are_judged_like_each_alone() -> None:
    """Replicas of one page share equal parts, and the standards look at each distinct pod once."""
    page = [{**pod(seed), "apiVersion": "v1", "kind": "Pod"} for seed in range(60) for _ in range(3)]
    shared = decode_page("Pod", json.dumps({"items": page}).encode()).items
    assert len(shared) == len(page)
    for start in range(0, len(page), 9):
        alone = [meets(msgspec.convert(body, Pod)) for body in page[start : start + 9]]
        assert strictest(shared[start : start + 9]) == min(alone, key=rank)
