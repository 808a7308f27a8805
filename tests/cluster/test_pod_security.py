"""Our Pod Security Standards against the admission plug-in of the real API server: the same checks broken, by level and version."""

import asyncio
import re
import ssl
from collections import Counter
from collections.abc import Iterator
from functools import partial

import httpx
import msgspec
import pytest

from core.cluster.objects import Pod
from core.cluster.pod_security import NEWEST, OLDEST, checks, violations
from core.domain.values import Json
from tests.cluster.generated_pods import pod
from tests.controlplane.rig import ControlPlane

COUNT = 1_300
LEVELS = ("baseline", "restricted")
REASONS = {
    "appArmorProfile": r"forbidden AppArmor profiles?",
    "capabilities_baseline": "non-default capabilities",
    "capabilities_restricted": "unrestricted capabilities",
    "hostNamespaces": "host namespaces",
    "hostPathVolumes": "hostPath volumes",
    "hostPorts": "hostPort",
    "hostProbesAndHostLifecycle": "probe or lifecycle host",
    "privileged": "privileged",
    "procMount": "procMount",
    "restrictedVolumes": "restricted volume types",
    "runAsNonRoot": "runAsNonRoot != true",
    "runAsUser": "runAsUser=0",
    "seLinuxOptions": "seLinuxOptions",
    "seccompProfile": "seccompProfile",
    "sysctls": "forbidden sysctls",
    "windowsHostProcess": "hostProcess",
    "allowPrivilegeEscalation": "allowPrivilegeEscalation != false",
}
"""How the plug-in names each check in its warnings, before the detail in parentheses."""
_VIOLATES = re.compile(r'would violate PodSecurity \\?"(?P<policy>[a-z]+:v1\.\d+)\\?": (?P<what>.*)"$')


def told(warnings: list[str]) -> frozenset[str]:
    """The checks that a warning names."""
    found = next((match["what"] for text in warnings if (match := _VIOLATES.search(text)) is not None), "")
    said = re.sub(r"\((?:[^()]|\([^()]*\))*\)", "", found)
    parts = {part.strip() for part in said.split(",") if part.strip()}
    named = {check for check, shape in REASONS.items() if any(re.fullmatch(shape, part) for part in parts)}
    assert len(named) == len(parts), f"unknown in {parts}"
    return frozenset(named)


def ours(kept: bytes, level: str, minor: int) -> frozenset[str]:
    broken = {item.check for item in violations(msgspec.json.decode(kept, type=Pod), level, minor)}
    return frozenset(name.replace("_baseline", "").replace("_restricted", "") if "capab" not in name else name for name in broken)


@pytest.fixture(scope="module")
def places(control_plane: ControlPlane) -> Iterator[dict[tuple[str, int], str]]:
    """A namespace for each level and version, which warns and refuses nothing."""
    found = {}
    for level in LEVELS:
        for minor in range(OLDEST, NEWEST + 1):
            name = f"psa-{level}-{minor}"
            labels = {"pod-security.kubernetes.io/warn": level, "pod-security.kubernetes.io/warn-version": f"v1.{minor}"}
            body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
            control_plane.request("POST", "/api/v1/namespaces", body).raise_for_status()
            found[level, minor] = name
    for name in found.values():
        account = f"/api/v1/namespaces/{name}/serviceaccounts/default"
        control_plane.until(partial(_there, control_plane, account), f"service account of {name}")
    yield found
    for name in found.values():
        control_plane.request("DELETE", f"/api/v1/namespaces/{name}")


def _there(plane: ControlPlane, path: str) -> bool:
    return plane.request("GET", path).is_success


async def asked(plane: ControlPlane, wanted: list[tuple[Json, str]]) -> list[tuple[bytes, list[str]] | None]:
    """The pod as the API server would keep it, with its warnings, by a dry run; None where it takes no such pod."""
    headers = {"Authorization": f"Bearer {plane.token()}"}
    verify = ssl.create_default_context(cafile=str(plane.certificate_authority))
    gate = asyncio.Semaphore(8)
    async with httpx.AsyncClient(base_url=plane.url, headers=headers, verify=verify, timeout=30) as client:

        async def one(body: Json, namespace: str) -> tuple[bytes, list[str]] | None:
            async with gate:
                answer = await client.post(f"/api/v1/namespaces/{namespace}/pods", params={"dryRun": "All"}, json=body)
            if answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY:
                return None
            assert answer.status_code == httpx.codes.CREATED, answer.text
            return answer.content, answer.headers.get_list("Warning")

        return list(await asyncio.gather(*(one(body, namespace) for body, namespace in wanted)))


async def test_a_thousand_generated_pods_break_the_same_checks(control_plane: ControlPlane, places: dict[tuple[str, int], str]) -> None:
    versions = NEWEST - OLDEST + 1
    wanted = [(pod(seed), "baseline" if seed % 3 == 0 else "restricted", OLDEST + seed % versions) for seed in range(COUNT)]
    answers = await asked(control_plane, [(body, places[level, minor]) for body, level, minor in wanted])
    judged, seen, clean = 0, Counter[str](), 0
    for (body, level, minor), answer in zip(wanted, answers, strict=True):
        if answer is not None:
            theirs = told(answer[1])
            assert ours(answer[0], level, minor) == theirs, (body, level, minor, answer[1])
            judged += 1
            clean += not theirs
            seen.update(theirs)
    assert judged >= 1_000
    assert clean >= 200
    names = {row.id for level in LEVELS for minor in range(OLDEST, NEWEST + 1) for row in checks(level, minor)}
    assert {name.replace("_baseline", "").replace("_restricted", "") if "capab" not in name else name for name in names} == set(seen)
