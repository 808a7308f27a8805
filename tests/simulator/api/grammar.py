"""Sequences of calls drawn by hypothesis from a stateful grammar: which kinds, which calls, which mistakes. Read by `record`.

The draw is derandomised, and what was drawn is stored with the answers: a replay asks what was recorded, whatever hypothesis does
later. Kinds that controllers write to get no optimistic locks here, because on a real cluster the lock could be lost to them.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.simulator.api.playing import Sequence
from tests.simulator.api.steps import JSON, MERGE, PATCH, STRATEGIC, Step

Json = dict[str, Any]
APPLY = "application/apply-patch+yaml"
TABLE = (("Accept", "application/json;as=Table;v=v1;g=meta.k8s.io"),)
PARTIAL = (("Accept", "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"),)
PARTIALS = (("Accept", "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"),)
COUNT = 160
_PHASES = [Phase.generate]
NAMES = ("a", "b", "c")
_CONTAINER = {"name": "app", "image": "web:1", "ports": [{"containerPort": 80}], "resources": {"requests": {"cpu": "0.1"}}}


def _pods(image: str, **spec: Any) -> Json:
    return {"metadata": {"labels": {"app": "x"}}, "spec": {"containers": [{**_CONTAINER, "image": image}], **spec}}


class Kind(NamedTuple):
    """One kind of the grammar. `variants` are the bodies without metadata; `quiet`: no controller writes to it."""

    api: str
    plural: str
    kind: str
    variants: tuple[Json, ...]
    quiet: bool = False
    strategic: bool = True
    scaled: bool = False
    status: Json | None = None

    @property
    def path(self) -> str:
        root = f"/apis/{self.api}" if "/" in self.api else f"/api/{self.api}"
        return f"{root}/namespaces/{{ns}}/{self.plural}"

    def body(self, name: str, variant: int, **meta: Any) -> Json:
        labels = {"set": "ours", "variant": str(variant)}
        return {"apiVersion": self.api, "kind": self.kind, "metadata": {"name": name, "labels": labels, **meta}, **self.variants[variant]}


def _workload(image: str, **spec: Any) -> Json:
    return {"spec": {"replicas": 0, "selector": {"matchLabels": {"app": "x"}}, "template": _pods(image), **spec}}


_BACKEND = {"service": {"name": "s", "port": {"number": 80}}}
_GATED = {"schedulingGates": [{"name": "tests.day2.dev/never"}]}
_TARGET = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "absent"}
_ONCE = {"restartPolicy": "Never"}
_STATED = {"template": _pods("web:1", **_ONCE), "suspend": True}
KINDS: tuple[Kind, ...] = (
    Kind(
        "v1",
        "configmaps",
        "ConfigMap",
        ({"data": {"a": "1"}}, {"data": {"a": "2", "b": "3"}}, {"data": {"c": "1"}, "immutable": True}),
        quiet=True,
    ),
    Kind(
        "v1", "secrets", "Secret", ({"stringData": {"a": "1"}}, {"data": {"a": "Mg=="}}, {"type": "example.dev/x", "data": {}}), quiet=True
    ),
    Kind(
        "v1",
        "services",
        "Service",
        (
            {"spec": {"selector": {"app": "x"}, "ports": [{"port": 80}]}},
            {"spec": {"ports": [{"name": "a", "port": 80, "targetPort": "http"}, {"name": "b", "port": 53, "protocol": "UDP"}]}},
            {"spec": {"type": "ExternalName", "externalName": "a.example"}},
        ),
        quiet=True,
    ),
    Kind(
        "apps/v1",
        "deployments",
        "Deployment",
        (_workload("web:1"), _workload("web:2", minReadySeconds=3), _workload("web", strategy={"type": "Recreate"}, paused=True)),
        scaled=True,
        status={"status": {"conditions": [{"type": "Tested", "status": "True"}]}},
    ),
    Kind(
        "apps/v1",
        "statefulsets",
        "StatefulSet",
        (
            _workload("db:1", serviceName="db"),
            _workload("db:2", serviceName="db", updateStrategy={"type": "OnDelete"}),
            _workload("db:3", podManagementPolicy="Parallel"),
        ),
        scaled=True,
    ),
    Kind(
        "batch/v1",
        "jobs",
        "Job",
        ({"spec": _STATED}, {"spec": {**_STATED, "parallelism": 2, "completions": 4}}, {"spec": {**_STATED, "ttlSecondsAfterFinished": 9}}),
    ),
    Kind(
        "batch/v1",
        "cronjobs",
        "CronJob",
        tuple(
            {"spec": {"schedule": schedule, "suspend": True, "jobTemplate": {"spec": {"template": _pods("web:1", **_ONCE)}}, **more}}
            for schedule, more in (("0 3 * * *", {}), ("@daily", {"concurrencyPolicy": "Forbid"}), ("*/5 * * * *", {"timeZone": "Etc/UTC"}))
        ),
    ),
    Kind(
        "policy/v1",
        "poddisruptionbudgets",
        "PodDisruptionBudget",
        (
            {"spec": {"selector": {"matchLabels": {"app": "y"}}, "minAvailable": 1}},
            {"spec": {"selector": {"matchLabels": {"app": "y"}}, "maxUnavailable": "50%"}},
            {"spec": {"selector": {}, "minAvailable": "10%", "unhealthyPodEvictionPolicy": "AlwaysAllow"}},
        ),
    ),
    Kind(
        "autoscaling/v2",
        "horizontalpodautoscalers",
        "HorizontalPodAutoscaler",
        (
            {"spec": {"scaleTargetRef": _TARGET, "maxReplicas": 5}},
            {"spec": {"scaleTargetRef": _TARGET, "minReplicas": 2, "maxReplicas": 3}},
            {
                "spec": {
                    "scaleTargetRef": _TARGET,
                    "maxReplicas": 4,
                    "metrics": [
                        {"type": "Resource", "resource": {"name": "memory", "target": {"type": "AverageValue", "averageValue": "1Gi"}}}
                    ],
                }
            },
        ),
    ),
    Kind(
        "networking.k8s.io/v1",
        "networkpolicies",
        "NetworkPolicy",
        (
            {"spec": {"podSelector": {}}},
            {"spec": {"podSelector": {"matchLabels": {"app": "x"}}, "ingress": [{"from": [{"podSelector": {}}], "ports": [{"port": 80}]}]}},
            {"spec": {"podSelector": {}, "egress": [{}], "policyTypes": ["Egress"]}},
        ),
        quiet=True,
    ),
    Kind(
        "networking.k8s.io/v1",
        "ingresses",
        "Ingress",
        (
            {"spec": {"defaultBackend": _BACKEND}},
            {"spec": {"rules": [{"host": "a.test", "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": _BACKEND}]}}]}},
            {"spec": {"ingressClassName": "none", "defaultBackend": _BACKEND, "tls": [{"hosts": ["a.test"], "secretName": "s"}]}},
        ),
        quiet=True,
    ),
    Kind(
        "rbac.authorization.k8s.io/v1",
        "roles",
        "Role",
        (
            {"rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]},
            {"rules": [{"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["*"], "resourceNames": ["web"]}]},
            {"rules": []},
        ),
        quiet=True,
    ),
    Kind(
        "rbac.authorization.k8s.io/v1",
        "rolebindings",
        "RoleBinding",
        (
            {
                "subjects": [{"kind": "User", "name": "bob"}],
                "roleRef": {"kind": "Role", "name": "r", "apiGroup": "rbac.authorization.k8s.io"},
            },
            {"subjects": [{"kind": "ServiceAccount", "name": "s", "namespace": "x"}], "roleRef": {"kind": "ClusterRole", "name": "view"}},
            {"roleRef": {"kind": "Role", "name": "r", "apiGroup": "rbac.authorization.k8s.io"}},
        ),
        quiet=True,
    ),
    Kind(
        "v1",
        "serviceaccounts",
        "ServiceAccount",
        ({}, {"automountServiceAccountToken": False}, {"imagePullSecrets": [{"name": "p"}]}),
        quiet=True,
    ),
    Kind(
        "v1",
        "pods",
        "Pod",
        (
            {"spec": {"containers": [_CONTAINER], **_GATED}},
            {"spec": {"containers": [{**_CONTAINER, "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]}], **_GATED}},
            {"spec": {"containers": [_CONTAINER, {"name": "side", "image": "side"}], "nodeSelector": {"a": "b"}, **_GATED}},
        ),
    ),
    Kind(
        "v1",
        "persistentvolumeclaims",
        "PersistentVolumeClaim",
        tuple(
            {"spec": {"accessModes": [mode], "storageClassName": "none", "resources": {"requests": {"storage": size}}}}
            for mode, size in (("ReadWriteOnce", "1Gi"), ("ReadWriteMany", "2048Mi"), ("ReadOnlyMany", "1e9"))
        ),
    ),
    Kind(
        "v1",
        "limitranges",
        "LimitRange",
        tuple({"spec": {"limits": [{"type": "PersistentVolumeClaim", "max": {"storage": size}}]}} for size in ("9Ti", "1000Gi", "8T")),
        quiet=True,
    ),
    Kind(
        "coordination.k8s.io/v1",
        "leases",
        "Lease",
        ({}, {"spec": {"holderIdentity": "me"}}, {"spec": {"leaseDurationSeconds": 15}}),
        quiet=True,
    ),
    Kind("v1", "podtemplates", "PodTemplate", tuple({"template": _pods(image)} for image in ("a:1", "b", "c:latest")), quiet=True),
    Kind(
        "v1",
        "endpoints",
        "Endpoints",
        (
            {},
            {"subsets": [{"addresses": [{"ip": "192.0.2.1"}], "ports": [{"port": 80}]}]},
            {"subsets": [{"notReadyAddresses": [{"ip": "192.0.2.2"}]}]},
        ),
        quiet=True,
    ),
    Kind(
        "apps/v1",
        "controllerrevisions",
        "ControllerRevision",
        tuple({"revision": number, "data": {"a": number}} for number in (1, 2, 3)),
        quiet=True,
    ),
)


class _Draft:
    """The sequence as it grows: what is believed to be there."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.steps: list[Step] = []
        self.made: list[tuple[Kind, str]] = []
        self.seen: dict[tuple[str, str], str] = {}
        self.kinds = draw(st.lists(st.sampled_from(KINDS), min_size=1, max_size=2, unique_by=lambda kind: kind.plural))

    def pick(self, options: Any) -> Any:
        return self.draw(st.sampled_from(options))

    def add(self, method: str, path: str, body: Any = None, content_type: str = JSON, headers: Any = ()) -> str:
        name = f"{len(self.steps) + 1} {method}"
        self.steps.append(Step(name, method, path, body, content_type, headers=headers))
        return name

    def subject(self) -> tuple[Kind, str]:
        """Mostly something that is there, sometimes something absent."""
        if self.made and self.pick((True, True, True, False)):
            return self.pick(self.made)
        return self.pick(self.kinds), self.pick(NAMES)


def _create(draft: _Draft) -> None:
    kind, name = draft.pick(draft.kinds), draft.pick(NAMES)
    query = draft.pick(("", "", "", "?dryRun=All", "?fieldManager=tester", "?fieldValidation=Strict", "?pretty=true"))
    step = draft.add("POST", kind.path + query, kind.body(name, draft.pick((0, 1, 2))))
    if "dryRun" not in query and (kind, name) not in draft.made:
        draft.made.append((kind, name))
        draft.seen[kind.plural, name] = step


def _wrong(draft: _Draft) -> None:
    kind, name = draft.pick(draft.kinds), draft.pick(NAMES)
    body = kind.body(name, draft.pick((0, 1)))
    mistakes: tuple[tuple[str, Any], ...] = (
        ("?fieldValidation=Strict", {**body, "colour": "red"}),
        ("?fieldValidation=Warn&dryRun=All", {**body, "colour": "red"}),
        ("?dryRun=All", {**body, "metadata": {**body["metadata"], "name": "Not_A_Name"}}),
        ("?dryRun=All", {**body, "metadata": {**body["metadata"], "labels": {"a b": "c"}}}),
        ("?dryRun=All", {**body, "metadata": {**body["metadata"], "labels": {"a": "b c"}}}),
        ("?dryRun=Some", body),
        ("", {**body, "metadata": {}}),
        ("", {**body, "apiVersion": "v9"}),
        ("", {**body, "kind": "Nothing"}),
        ("", "[]"),
        ("", {**body, "metadata": {**body["metadata"], "namespace": "elsewhere"}}),
        ("?dryRun=All", {**body, "metadata": {**body["metadata"], "annotations": {"Bad key!": "x"}}}),
        ("?dryRun=All", {**body, "metadata": {**body["metadata"], "finalizers": ["nodomain"]}}),
        ("?fieldManager=" + "x" * 130, body),
    )
    query, content = draft.pick(mistakes)
    draft.add("POST", kind.path + query, content)


def _get(draft: _Draft) -> None:
    kind, name = draft.subject()
    draft.add("GET", f"{kind.path}/{name}", headers=draft.pick(((), (), (), PARTIAL)))


def _list(draft: _Draft) -> None:
    kind = draft.pick(draft.kinds)
    selector = draft.pick(
        ("set=ours", "set=ours,variant in (0,1)", "set=ours,variant notin (0)", "set,!absent", "set=ours,variant!=1", "absent")
    )
    query = selector.replace(" ", "%20").replace("=", "%3D").replace("!", "%21")
    more = draft.pick(("", "", "&fieldSelector=metadata.name%3Da", "&limit=1", "&limit=500", "&fieldSelector=metadata.name%21%3Da"))
    headers = draft.pick(((), (), PARTIALS)) if "limit=1" not in more else ()
    name = draft.add("GET", f"{kind.path}?labelSelector={query}{more}", headers=headers)
    if more == "&limit=1":
        draft.add("GET", f"{kind.path}?labelSelector={query}&limit=5&continue={{continue:{name}}}")


def _replace(draft: _Draft) -> None:
    kind, name = draft.subject()
    meta: Json = {}
    step = draft.seen.get((kind.plural, name))
    if kind.quiet and step:
        meta = draft.pick(
            ({}, {"resourceVersion": f"{{rv:{step}}}"}, {"uid": f"{{uid:{step}}}"}, {"uid": "00000000-0000-4000-8000-000000000000"})
        )
    body = kind.body(name, draft.pick((0, 1, 2)), **meta)
    draft.add(
        "PUT", f"{kind.path}/{draft.pick((name, name, name, 'other'))}{draft.pick(('', '', '?dryRun=All', '?fieldManager=putter'))}", body
    )


def _merge(draft: _Draft) -> None:
    kind, name = draft.subject()
    change = draft.pick(
        (
            {"metadata": {"labels": {"colour": "red"}}},
            {"metadata": {"labels": {"variant": None, "colour": "blue"}}},
            {"metadata": {"annotations": {"note": "x"}}},
            {"metadata": {"annotations": {"note": None}}},
            {"metadata": {"labels": {"colour": 5}}},
            {"metadata": {"name": "other"}},
            {"metadata": {"finalizers": ["tests.day2.dev/hold"]}},
            {"metadata": {"finalizers": None}},
            {"metadata": {"resourceVersion": "1"}},
            kind.variants[1],
            kind.variants[2],
            {},
            [],
        )
    )
    content_type = draft.pick((MERGE, MERGE, STRATEGIC))
    if change == {"metadata": {"finalizers": ["tests.day2.dev/hold"]}} and (kind, name) in draft.made:
        draft.seen[f"held {kind.plural}", name] = ""
    draft.add("PATCH", f"{kind.path}/{name}{draft.pick(('', '', '?dryRun=All', '?fieldManager=painter'))}", change, content_type)


def _json_patch(draft: _Draft) -> None:
    kind, name = draft.subject()
    operations = draft.pick(
        (
            [{"op": "add", "path": "/metadata/labels/colour", "value": "green"}],
            [{"op": "replace", "path": "/metadata/labels/set", "value": "ours"}],
            [{"op": "remove", "path": "/metadata/labels/variant"}],
            [{"op": "remove", "path": "/metadata/labels/absent"}],
            [{"op": "test", "path": "/metadata/name", "value": "a"}, {"op": "add", "path": "/metadata/annotations", "value": {"was": "a"}}],
            [{"op": "test", "path": "/metadata/labels/set", "value": "theirs"}],
            [{"op": "copy", "from": "/metadata/labels/set", "path": "/metadata/labels/copied"}],
            [{"op": "move", "from": "/metadata/labels/variant", "path": "/metadata/labels/moved"}],
            [{"op": "shout", "path": "/metadata"}],
            [{"op": "add", "path": "/no/such/place", "value": 1}],
            {"not": "a list"},
        )
    )
    draft.add("PATCH", f"{kind.path}/{name}", operations, PATCH)


def _apply(draft: _Draft) -> None:
    kind, name = draft.subject()
    body = kind.body(name, draft.pick((0, 1)))
    if draft.pick((True, False, False)):
        body["metadata"]["labels"] = {"set": "ours", "applied": draft.pick(("x", "y"))}
    query = draft.pick(
        (
            "?fieldManager=painter",
            "?fieldManager=painter",
            "?fieldManager=putter",
            "?fieldManager=putter&force=true",
            "",
            "?fieldManager=painter&dryRun=All",
        )
    )
    draft.add("PATCH", f"{kind.path}/{name}{query}", body, APPLY)
    if query and "dryRun" not in query and (kind, name) not in draft.made:
        draft.made.append((kind, name))


def _scale(draft: _Draft) -> None:
    scaled = [each for each in draft.made if each[0].scaled]
    if not scaled:
        return _get(draft)
    kind, name = draft.pick(scaled)
    path = f"{kind.path}/{name}/scale"
    body = {"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": name, "namespace": "{ns}"}, "spec": {"replicas": 0}}
    call = draft.pick(
        (
            ("GET", None, JSON),
            ("PATCH", {"spec": {"replicas": -1}}, MERGE),
            ("PATCH", {"spec": {"replicas": "x"}}, MERGE),
            ("PUT", body, JSON),
        )
    )
    draft.add(call[0], path, *call[1:])
    return None


def _status(draft: _Draft) -> None:
    kind, name = draft.subject()
    if kind.status is None:
        draft.add("GET", f"{kind.path}/{name}/nothing")
    else:
        draft.add("PATCH", f"{kind.path}/{name}/status", {**kind.status, "metadata": {"labels": {"by": "status"}}}, MERGE)


def _delete(draft: _Draft) -> None:
    kind, name = draft.subject()
    step = draft.seen.get((kind.plural, name))
    options: list[Json | None] = [
        None,
        None,
        {"dryRun": ["All"]},
        {"propagationPolicy": "Background"},
        {"propagationPolicy": "Sideways"},
        {"gracePeriodSeconds": 0},
    ]
    options += [{"preconditions": {"uid": "00000000-0000-4000-8000-000000000000"}}]
    if step:
        options.append({"preconditions": {"uid": f"{{uid:{step}}}"}})
        options += [{"preconditions": {"resourceVersion": f"{{rv:{step}}}"}}] if kind.quiet else []
    option = draft.pick(options)
    body = None if option is None else {"kind": "DeleteOptions", "apiVersion": "v1", **option}
    draft.add("DELETE", f"{kind.path}/{name}", body)
    if (kind, name) in draft.made and (
        option is None or option.keys() & {"gracePeriodSeconds"} or option.get("propagationPolicy") == "Background"
    ):
        draft.made.remove((kind, name))
        draft.seen.pop((kind.plural, name), None)


def _odd(draft: _Draft) -> None:
    kind, name = draft.subject()
    method, path, body, content_type = draft.pick(
        (
            ("POST", f"{kind.path}/{name}", {}, JSON),
            ("PUT", kind.path, {}, JSON),
            ("PATCH", f"{kind.path}/{name}", {}, "text/plain"),
            ("GET", kind.path.replace(kind.plural, "gadgets"), None, JSON),
            ("GET", f"{kind.path}?labelSelector=a%3D%3D%3Db", None, JSON),
            ("GET", f"{kind.path}?fieldSelector=spec.nothing%3Db", None, JSON),
            ("GET", f"{kind.path}?limit=x", None, JSON),
            ("GET", f"{kind.path}?continue=nonsense&limit=1", None, JSON),
            ("GET", f"{kind.path}?resourceVersion=nonsense", None, JSON),
            ("GET", f"{kind.path}?resourceVersion=5&resourceVersionMatch=Sometimes", None, JSON),
            ("PATCH", f"{kind.path}/{name}", "{broken", MERGE),
        )
    )
    draft.add(method, path, body, content_type)


_CALLS = (
    _create,
    _create,
    _wrong,
    _get,
    _list,
    _list,
    _replace,
    _replace,
    _merge,
    _merge,
    _json_patch,
    _apply,
    _apply,
    _apply,
    _scale,
    _status,
    _delete,
    _odd,
)


@st.composite
def _sequences(draw: st.DrawFn) -> tuple[Step, ...]:
    draft = _Draft(draw)
    _create(draft)
    for call in draw(st.lists(st.sampled_from(_CALLS), min_size=5, max_size=9)):
        call(draft)
    return tuple(draft.steps)


def drawn(count: int = COUNT) -> Iterator[Sequence]:
    """The sequences, always the same for one version of this module and of hypothesis; those that ask five different things or more."""
    found: list[tuple[Step, ...]] = []

    @settings(
        max_examples=8 * count, derandomize=True, database=None, deadline=None, phases=_PHASES, suppress_health_check=list(HealthCheck)
    )
    @given(_sequences())
    def collect(steps: tuple[Step, ...]) -> None:
        if len({repr(step[1:]) for step in steps}) >= 5 and len({step.method for step in steps}) >= 3:
            found.append(steps)

    collect()
    different = list({repr(steps): steps for steps in found}.values())[:count]
    return (Sequence(f"drawn {number:03d}", steps) for number, steps in enumerate(different))
