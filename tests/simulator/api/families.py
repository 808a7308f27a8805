"""Sequences by hand, one family of behaviour each, in the order of the API's own documentation. Read by `record`."""

import json
from typing import Any

from tests.simulator.api.grammar import APPLY, PARTIAL, TABLE
from tests.simulator.api.playing import Sequence
from tests.simulator.api.sequences import deployment, pod
from tests.simulator.api.steps import CORE, DEPLOYMENTS, JSON, MERGE, PATCH, STRATEGIC, WEB, Step

Json = dict[str, Any]
_CONFIGS = CORE + "/configmaps"
_CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_GROUP = "{own}.day2.dev"
_WIDGETS = f"/apis/{_GROUP}/v1/namespaces/{{ns}}/widgets"


def _sequence(name: str, *calls: tuple[Any, ...]) -> Sequence:
    """Calls are (method, path, body, content type, headers), short of what they lack."""
    steps = []
    for number, call in enumerate(calls, 1):
        method, path, body, content_type, headers = (*call, *(None, JSON, ())[len(call) - 2 :])
        steps.append(Step(f"{number}", method, path, body, content_type, headers=headers))
    return Sequence(name, tuple(steps))


def _config(name: str = "c", **rest: Any) -> Json:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, **rest.pop("meta", {})}, **rest}


def _of(version: str, kind: str, name: str, **rest: Any) -> Json:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name}, **rest}


def _by(path: str, manager: str, body: Any, *, force: bool = False, more: str = "") -> tuple[Any, ...]:
    query = f"?fieldManager={manager}{'&force=true' if force else ''}{more}"
    return ("PATCH", path + query, body, APPLY)


def _applied(**spec: Any) -> Json:
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec}


def _containers(*containers: Json) -> Json:
    return {"template": {"spec": {"containers": list(containers)}}}


_FULL = {**deployment(), "metadata": {"name": "web", "labels": {"app": "web"}}}
_IMAGE = {"name": "app", "image": "web:2"}

APPLYING = (
    _sequence(
        "apply creates, repeats and changes",
        _by(_CONFIGS + "/c", "painter", _config(data={"a": "1"})),
        _by(_CONFIGS + "/c", "painter", _config(data={"a": "1"})),
        _by(_CONFIGS + "/c", "painter", _config(data={"a": "2", "b": "3"})),
        ("GET", _CONFIGS + "/c"),
    ),
    _sequence(
        "apply removes what its manager no longer says",
        _by(_CONFIGS + "/c", "painter", _config(data={"a": "1", "b": "2"}, meta={"labels": {"x": "y"}})),
        _by(_CONFIGS + "/c", "painter", _config(data={"a": "1"})),
        ("GET", _CONFIGS + "/c"),
    ),
    _sequence(
        "apply leaves what another manager owns too",
        _by(_CONFIGS + "/c", "painter", _config(data={"a": "1", "b": "2"})),
        _by(_CONFIGS + "/c", "putter", _config(data={"b": "2"})),
        _by(_CONFIGS + "/c", "painter", _config(data={"a": "1"})),
        ("GET", _CONFIGS + "/c"),
    ),
    _sequence(
        "apply conflicts with another applier",
        _by(_CONFIGS + "/c", "painter", _config(data={"a": "1"})),
        _by(_CONFIGS + "/c", "putter", _config(data={"a": "2"})),
        _by(_CONFIGS + "/c", "putter", _config(data={"a": "2"}), force=True),
        _by(_CONFIGS + "/c", "painter", _config(data={"a": "1"})),
        ("GET", _CONFIGS + "/c"),
    ),
    _sequence(
        "apply conflicts with an update",
        ("POST", _CONFIGS + "?fieldManager=tester", _config(data={"a": "1", "b": "2"})),
        _by(_CONFIGS + "/c", "painter", _config(data={"a": "9", "b": "9"})),
        _by(_CONFIGS + "/c", "painter", _config(data={"a": "9", "b": "9"}), more="&dryRun=All", force=True),
        _by(_CONFIGS + "/c", "painter", _config(data={"a": "1"})),
        ("GET", _CONFIGS + "/c"),
    ),
    _sequence(
        "apply of a workload and of one field of it",
        _by(WEB, "painter", _FULL),
        _by(WEB, "putter", _applied(paused=True)),
        _by(WEB, "putter", _applied(**_containers(_IMAGE))),
        _by(WEB, "putter", _applied(**_containers(_IMAGE)), force=True),
        _by(WEB, "painter", _FULL),
        ("GET", WEB),
    ),
    _sequence(
        "apply adds and removes containers",
        _by(WEB, "painter", _FULL),
        _by(WEB, "putter", _applied(**_containers({"name": "side", "image": "side:1"}))),
        _by(WEB, "putter", _applied(paused=True)),
        ("GET", WEB),
    ),
    _sequence(
        "apply of env, ports and resources",
        _by(WEB, "painter", _FULL),
        _by(WEB, "putter", _applied(**_containers({"name": "app", "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]}))),
        _by(
            WEB, "putter", _applied(**_containers({"name": "app", "env": [{"name": "B", "value": "2"}], "ports": [{"containerPort": 81}]}))
        ),
        _by(WEB, "putter", _applied(**_containers({"name": "app", "resources": {"limits": {"cpu": "1"}}}))),
        ("GET", WEB),
    ),
    _sequence(
        "apply over a patch of another",
        ("POST", DEPLOYMENTS + "?fieldManager=tester", deployment()),
        ("PATCH", WEB + "?fieldManager=recorder", {"spec": {"minReadySeconds": 4}}, MERGE),
        _by(WEB, "painter", _applied(minReadySeconds=5)),
        _by(WEB, "painter", _applied(minReadySeconds=4)),
        ("PATCH", WEB + "?fieldManager=recorder", {"spec": {"minReadySeconds": 6}}, MERGE),
        _by(WEB, "painter", _applied(minReadySeconds=4)),
    ),
    _sequence(
        "apply to scale and its conflict",
        _by(WEB, "painter", _FULL),
        _by(
            WEB + "/scale",
            "putter",
            {"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "web"}, "spec": {"replicas": 0}},
        ),
        ("PATCH", WEB + "/scale?fieldManager=tester", {"spec": {"replicas": 0}}, MERGE),
        ("GET", WEB),
    ),
    _sequence(
        "apply to status",
        _by(WEB, "painter", _FULL),
        _by(WEB + "/status", "putter", {**_applied(), "status": {"conditions": [{"type": "Tested", "status": "True"}]}}),
        ("GET", WEB + "/status"),
    ),
    _sequence(
        "apply without a manager",
        ("PATCH", _CONFIGS + "/c", _config(data={"a": "1"}), APPLY),
        ("PATCH", _CONFIGS + "/c?fieldManager=", _config(data={"a": "1"}), APPLY),
        ("PATCH", _CONFIGS + "/c?force=true", _config(data={"a": "1"}), APPLY),
    ),
    _sequence(
        "apply with a field that is none",
        _by(_CONFIGS + "/c", "painter", {**_config(), "colour": "red"}),
        _by(WEB, "painter", {**_FULL, "spec": {**_FULL["spec"], "colour": "red"}}),
        _by(_CONFIGS + "/c", "painter", _config(data={"a": 1})),
        ("GET", _CONFIGS + "/c"),
    ),
    _sequence(
        "apply with foreign marks",
        _by(_CONFIGS + "/c", "painter", _config(meta={"managedFields": [{"manager": "x"}]})),
        _by(_CONFIGS + "/c", "painter", _config("other")),
        _by(_CONFIGS + "/c", "painter", _config(meta={"namespace": "elsewhere"})),
        _by(_CONFIGS + "/c", "painter", _config(meta={"uid": "00000000-0000-4000-8000-000000000000"})),
        _by(_CONFIGS + "/c", "painter", _config(meta={"resourceVersion": "1"})),
    ),
    _sequence(
        "apply with a wrong kind and what is no object",
        _by(_CONFIGS + "/c", "painter", _of("v1", "Secret", "c")),
        _by(_CONFIGS + "/c", "painter", {"metadata": {"name": "c"}}),
        _by(_CONFIGS + "/c", "painter", "[]"),
        _by(_CONFIGS + "/c", "painter", "{"),
    ),
    _sequence(
        "apply in YAML",
        ("PATCH", _CONFIGS + "/c?fieldManager=painter", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c\ndata:\n  a: b\n", APPLY),
        ("GET", _CONFIGS + "/c"),
    ),
    _sequence(
        "apply with two conflicts",
        ("POST", DEPLOYMENTS + "?fieldManager=tester", deployment()),
        ("PATCH", WEB + "?fieldManager=recorder", {"spec": {"minReadySeconds": 4}}, MERGE),
        _by(WEB, "painter", _applied(minReadySeconds=5, paused=True, revisionHistoryLimit=3, **_containers(_IMAGE))),
    ),
    _sequence(
        "apply of owners, finalizers and taints",
        _by(_CONFIGS + "/c", "painter", _config(meta={"finalizers": ["a.test/x"]})),
        _by(_CONFIGS + "/c", "putter", _config(meta={"finalizers": ["a.test/y"]})),
        _by(_CONFIGS + "/c", "painter", _config()),
        _by(_CONFIGS + "/c", "putter", _config()),
    ),
    _sequence(
        "apply of a service's ports",
        _by(CORE + "/services/s", "painter", _of("v1", "Service", "s", spec={"ports": [{"name": "a", "port": 80}]})),
        _by(CORE + "/services/s", "putter", _of("v1", "Service", "s", spec={"ports": [{"name": "b", "port": 81, "protocol": "UDP"}]})),
        _by(CORE + "/services/s", "painter", _of("v1", "Service", "s", spec={"selector": {"a": "b"}})),
        ("GET", CORE + "/services/s"),
    ),
    _sequence(
        "apply of a secret and of a role",
        _by(CORE + "/secrets/s", "painter", _of("v1", "Secret", "s", stringData={"a": "b"})),
        _by(CORE + "/secrets/s", "painter", _of("v1", "Secret", "s", data={"c": "ZA=="})),
        ("GET", CORE + "/secrets/s"),
    ),
    _sequence(
        "a put by an applier",
        _by(_CONFIGS + "/c", "painter", _config(data={"a": "1"})),
        ("PUT", _CONFIGS + "/c?fieldManager=painter", _config(data={"a": "2"})),
        ("PATCH", _CONFIGS + "/c?fieldManager=tester", {"metadata": {"managedFields": [{}]}}, MERGE),
        ("GET", _CONFIGS + "/c"),
    ),
)


def _schema() -> Json:
    size = {"type": "integer", "minimum": 1, "maximum": 9, "default": 3}
    parts = {
        "type": "array",
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["name"],
        "items": {
            "type": "object",
            "required": ["name"],
            "properties": {"name": {"type": "string"}, "count": {"type": "integer"}},
        },
    }
    spec = {
        "type": "object",
        "required": ["colour"],
        "properties": {
            "colour": {"type": "string", "enum": ["red", "green"]},
            "size": size,
            "replicas": {"type": "integer"},
            "parts": parts,
            "tags": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}},
            "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
            "code": {"type": "string", "pattern": "^[a-z]+$", "maxLength": 5},
            "words": {"type": "object", "additionalProperties": {"type": "string"}},
            "port": {"x-kubernetes-int-or-string": True},
        },
    }
    status = {"type": "object", "properties": {"phase": {"type": "string"}, "replicas": {"type": "integer"}}}
    return {"openAPIV3Schema": {"type": "object", "required": ["spec"], "properties": {"spec": spec, "status": status}}}


def _definition(**version: Any) -> Json:
    columns = [{"name": "Colour", "type": "string", "jsonPath": ".spec.colour"}]
    scale = {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"}
    served = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": _schema(),
        "subresources": {"status": {}, "scale": scale},
        "additionalPrinterColumns": columns,
        **version,
    }
    names = {"plural": "widgets", "kind": "Widget", "singular": "widget", "shortNames": ["wd"], "listKind": "WidgetList"}
    spec = {"group": _GROUP, "scope": "Namespaced", "names": names, "versions": [served]}
    return _of("apiextensions.k8s.io/v1", "CustomResourceDefinition", "widgets." + _GROUP, spec=spec)


def _widget(name: str = "w", **spec: Any) -> Json:
    return {"apiVersion": f"{_GROUP}/v1", "kind": "Widget", "metadata": {"name": name}, "spec": {"colour": "red", **spec}}


def _custom(name: str, *calls: tuple[Any, ...]) -> Sequence:
    """Calls between the birth and the end of a definition. `settled` lets the real server begin to serve it."""
    made = (("POST", _CRDS, _definition()), ("GET", _CRDS + "/widgets." + _GROUP + "?settled=1"))
    ended = ("DELETE", _CRDS + "/widgets." + _GROUP)
    return _sequence(name, *made, *calls, ended)


_WRONG_WIDGETS: tuple[Json, ...] = (
    {"colour": "blue"},
    {"colour": None},
    {"size": 0},
    {"size": 10},
    {"size": "3"},
    {"code": "ABC"},
    {"code": "abcdef"},
    {"parts": [{"count": 1}]},
    {"parts": [{"name": "a"}, {"name": "a"}]},
    {"tags": ["a", "a"]},
    {"words": {"a": 1}},
    {"port": True},
)
CUSTOM = (
    _custom(
        "custom: create, default, prune",
        ("POST", _WIDGETS, _widget(unknown="x", free={"a": {"b": 1}}, port="http")),
        ("GET", _WIDGETS + "/w"),
        ("POST", _WIDGETS + "?fieldValidation=Strict", _widget("x", unknown="x")),
        ("POST", _WIDGETS, {**_widget("y"), "spec": None}),
        ("POST", _WIDGETS, {**_widget("y"), "status": {"phase": "dropped"}}),
    ),
    _custom("custom: refusals", *(("POST", _WIDGETS, {**_widget(), "spec": {"colour": "red", **wrong}}) for wrong in _WRONG_WIDGETS)),
    _custom(
        "custom: patches",
        ("POST", _WIDGETS, _widget()),
        ("PATCH", _WIDGETS + "/w", {"spec": {"size": 5}}, MERGE),
        ("PATCH", _WIDGETS + "/w", {"spec": {"size": 50}}, MERGE),
        ("PATCH", _WIDGETS + "/w", {"spec": {"size": 5}}, STRATEGIC),
        ("PATCH", _WIDGETS + "/w", [{"op": "replace", "path": "/spec/colour", "value": "green"}], PATCH),
        ("GET", _WIDGETS + "/w"),
    ),
    _custom(
        "custom: apply",
        _by(_WIDGETS + "/w", "painter", _widget(parts=[{"name": "a", "count": 1}], tags=["x"])),
        _by(_WIDGETS + "/w", "putter", _widget(parts=[{"name": "b", "count": 2}], tags=["y"])),
        _by(_WIDGETS + "/w", "putter", {**_widget(), "spec": {"colour": "green"}}),
        _by(_WIDGETS + "/w", "putter", {**_widget(), "spec": {"colour": "green"}}, force=True),
        _by(_WIDGETS + "/w", "painter", _widget(unknown=1)),
    ),
    _custom(
        "custom: status and scale",
        ("POST", _WIDGETS, _widget(replicas=2)),
        ("PATCH", _WIDGETS + "/w/status", {"status": {"phase": "Ready", "replicas": 1}, "spec": {"size": 9}}, MERGE),
        ("PATCH", _WIDGETS + "/w", {"status": {"phase": "Other"}}, MERGE),
        ("GET", _WIDGETS + "/w/scale"),
        ("PATCH", _WIDGETS + "/w/scale", {"spec": {"replicas": 4}}, MERGE),
        ("GET", _WIDGETS + "/w"),
    ),
    _custom(
        "custom: lists and tables",
        ("POST", _WIDGETS, _widget("a")),
        ("POST", _WIDGETS, _widget("b")),
        ("GET", _WIDGETS),
        ("GET", _WIDGETS, None, JSON, TABLE),
        ("GET", _WIDGETS + "?fieldSelector=metadata.name%3Db"),
        ("GET", _WIDGETS + "?fieldSelector=spec.colour%3Dred"),
        ("DELETE", _WIDGETS),
        ("GET", _WIDGETS),
    ),
    _custom("custom: discovery", ("GET", f"/apis/{_GROUP}"), ("GET", f"/apis/{_GROUP}/v1"), ("GET", f"/apis/{_GROUP}/v2")),
    _custom(
        "custom: optimistic locks and deletion",
        ("POST", _WIDGETS, _widget()),
        ("PUT", _WIDGETS + "/w", _widget(size=4)),
        ("PUT", _WIDGETS + "/w", {**_widget(size=4), "metadata": {"name": "w", "resourceVersion": "{rv:3}"}}),
        ("PUT", _WIDGETS + "/w", {**_widget(size=5), "metadata": {"name": "w", "resourceVersion": "{rv:3}"}}),
        ("DELETE", _WIDGETS + "/w", {"preconditions": {"resourceVersion": "{rv:3}"}}),
        ("DELETE", _WIDGETS + "/w"),
        ("DELETE", _WIDGETS + "/w"),
    ),
    _sequence(
        "custom: definitions that are refused",
        ("POST", _CRDS, {**_definition(), "metadata": {"name": "wrong.name"}}),
        ("POST", _CRDS, _definition(schema={"openAPIV3Schema": {"properties": {"spec": {"type": "object"}}}})),
        ("POST", _CRDS, _definition(storage=False)),
        ("POST", _CRDS, _definition(name="V_1")),
        ("GET", _CRDS + "/widgets." + _GROUP),
    ),
)


def _owned(name: str, finalizers: tuple[str, ...] = ()) -> Json:
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": "{uid:1}"}
    meta: Json = {"ownerReferences": [{**owner, "blockOwnerDeletion": True}]}
    if finalizers:
        meta["finalizers"] = list(finalizers)
    return _config(name, meta=meta)


LIVES = (
    *(
        _sequence(
            f"deletion of an owner: {policy}",
            ("POST", _CONFIGS, _config("owner")),
            ("POST", _CONFIGS, _owned("owned", ("tests.day2.dev/hold",))),
            ("DELETE", _CONFIGS + "/owner", {"propagationPolicy": policy}),
        )
        for policy in ("Background", "Foreground", "Orphan")
    ),
    _sequence(
        "deletion with options in the query",
        ("POST", _CONFIGS, _config()),
        ("DELETE", _CONFIGS + "/c?propagationPolicy=Sideways"),
        ("DELETE", _CONFIGS + "/c?gracePeriodSeconds=-1"),
        ("DELETE", _CONFIGS + "/c?orphanDependents=true&propagationPolicy=Orphan"),
        ("DELETE", _CONFIGS + "/c?dryRun=All"),
        ("DELETE", _CONFIGS + "/c?propagationPolicy=Background"),
    ),
    _sequence(
        "deletion with preconditions",
        ("POST", _CONFIGS, _config()),
        ("PATCH", _CONFIGS + "/c", {"data": {"a": "1"}}, MERGE),
        ("DELETE", _CONFIGS + "/c", {"preconditions": {"resourceVersion": "{rv:1}"}}),
        ("DELETE", _CONFIGS + "/c", {"preconditions": {"uid": "00000000-0000-4000-8000-000000000000"}}),
        ("DELETE", _CONFIGS + "/c", {"preconditions": {"resourceVersion": "{rv:2}", "uid": "{uid:1}"}}),
    ),
    _sequence(
        "generated names",
        ("POST", _CONFIGS, _config("", meta={"generateName": "gen-", "name": ""})),
        ("POST", _CONFIGS, _config("named", meta={"generateName": "gen-", "name": "named"})),
        ("POST", _CONFIGS, _config("", meta={"generateName": "Gen_", "name": ""})),
        ("POST", _CONFIGS + "?dryRun=All", _config("", meta={"generateName": "gen-", "name": ""})),
    ),
    _sequence(
        "optimistic locks",
        ("POST", _CONFIGS, _config(data={"a": "1"})),
        ("PUT", _CONFIGS + "/c", _config(data={"a": "2"}, meta={"resourceVersion": "{rv:1}"})),
        ("PUT", _CONFIGS + "/c", _config(data={"a": "3"}, meta={"resourceVersion": "{rv:1}"})),
        ("PATCH", _CONFIGS + "/c", {"metadata": {"resourceVersion": "{rv:1}"}, "data": {"a": "4"}}, MERGE),
        ("PATCH", _CONFIGS + "/c", {"metadata": {"resourceVersion": "{rv:2}"}, "data": {"a": "4"}}, MERGE),
        ("PUT", _CONFIGS + "/c", _config(meta={"resourceVersion": "nonsense"})),
        ("PUT", _CONFIGS + "/c", _config(data={"a": "4"})),
    ),
    _sequence(
        "pages of a list",
        *(("POST", _CONFIGS, _config(name, meta={"labels": {"set": "ours"}})) for name in "abcde"),
        ("GET", _CONFIGS + "?labelSelector=set&limit=2"),
        ("GET", _CONFIGS + "?limit=2&labelSelector=set&continue={continue:6}"),
        ("GET", _CONFIGS + "?labelSelector=set&limit=2&continue={continue:7}"),
        ("GET", _CONFIGS + "?labelSelector=set&limit=2&continue={continue:6}&resourceVersion=5"),
        ("GET", _CONFIGS + "?labelSelector=set&limit=0"),
        ("GET", _CONFIGS + "?labelSelector=set&limit=-1"),
    ),
    _sequence(
        "a watch from a version",
        ("POST", _CONFIGS, _config("a", meta={"labels": {"x": "1"}})),
        ("POST", _CONFIGS, _config("b")),
        ("PATCH", _CONFIGS + "/a", {"metadata": {"labels": {"x": "2"}}}, MERGE),
        ("DELETE", _CONFIGS + "/b"),
        ("GET", _CONFIGS + "?watch=1&timeoutSeconds=1&resourceVersion={rv:1}&fieldSelector=metadata.name%21%3Dkube-root-ca.crt"),
        ("GET", _CONFIGS + "?watch=1&timeoutSeconds=1&resourceVersion={rv:1}&labelSelector=x%3D1"),
        ("GET", _CONFIGS + "/a?watch=1&timeoutSeconds=1&resourceVersion={rv:1}"),
    ),
    _sequence(
        "a watch with initial events",
        ("POST", _CONFIGS, _config("a", meta={"labels": {"x": "1"}})),
        (
            "GET",
            _CONFIGS
            + "?watch=1&timeoutSeconds=1&labelSelector=x&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true",
        ),
        ("GET", _CONFIGS + "?watch=1&timeoutSeconds=1&sendInitialEvents=true"),
        ("GET", _CONFIGS + "?watch=1&timeoutSeconds=1&resourceVersionMatch=Exact"),
        ("GET", _CONFIGS + "?watch=1&timeoutSeconds=1&resourceVersion=nonsense"),
    ),
    _sequence(
        "forms of an answer",
        ("POST", _CONFIGS, _config("a", meta={"labels": {"x": "1"}}, data={"a": "1"})),
        ("GET", _CONFIGS + "/a", None, JSON, TABLE),
        ("GET", _CONFIGS + "/a", None, JSON, PARTIAL),
        ("GET", _CONFIGS + "?labelSelector=x", None, JSON, TABLE),
        ("GET", _CONFIGS + "?labelSelector=x&includeObject=None", None, JSON, TABLE),
        ("GET", _CONFIGS + "/a", None, JSON, (("Accept", "text/plain"),)),
    ),
    _sequence(
        "evictions of a pod that has not started",
        ("POST", CORE + "/pods", pod()),
        ("POST", CORE + "/pods/solo/eviction", {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "other"}}),
        ("POST", CORE + "/pods/solo/eviction", _of("policy/v1", "Eviction", "solo", deleteOptions={"dryRun": ["All"]})),
        ("POST", CORE + "/pods/solo/eviction", _of("policy/v1", "Eviction", "solo")),
        ("POST", CORE + "/pods/solo/eviction", _of("policy/v1", "Eviction", "solo")),
    ),
    _sequence(
        "resize of a pod that has not started",
        ("POST", CORE + "/pods", pod()),
        (
            "PATCH",
            CORE + "/pods/solo/resize",
            {"spec": {"containers": [{"name": "app", "resources": {"limits": {"cpu": "300m"}}}]}},
            STRATEGIC,
        ),
        (
            "PATCH",
            CORE + "/pods/solo/resize",
            {"spec": {"containers": [{"name": "app", "resources": {"limits": {"cpu": "50m"}}}]}},
            STRATEGIC,
        ),
        ("PATCH", CORE + "/pods/solo/resize", {"spec": {"containers": [{"name": "app", "image": "other"}]}}, STRATEGIC),
        ("GET", CORE + "/pods/solo"),
    ),
    _sequence(
        "ephemeral containers",
        ("POST", CORE + "/pods", pod()),
        ("PATCH", CORE + "/pods/solo/ephemeralcontainers", {"spec": {"ephemeralContainers": [{"name": "dbg", "image": "d:1"}]}}, STRATEGIC),
        ("PATCH", CORE + "/pods/solo", {"spec": {"ephemeralContainers": [{"name": "dbg2", "image": "d:1"}]}}, STRATEGIC),
    ),
    _sequence(
        "gates of a pod",
        ("POST", CORE + "/pods", pod()),
        ("PATCH", CORE + "/pods/solo", {"spec": {"schedulingGates": [{"name": "a.test/more"}]}}, STRATEGIC),
        ("PATCH", CORE + "/pods/solo", {"spec": {"nodeName": "n1"}}, MERGE),
        ("PATCH", CORE + "/pods/solo", {"spec": {"terminationGracePeriodSeconds": 1}}, MERGE),
        ("PATCH", CORE + "/pods/solo", {"spec": {"activeDeadlineSeconds": 10}}, MERGE),
        ("PATCH", CORE + "/pods/solo", {"spec": {"activeDeadlineSeconds": 20}}, MERGE),
    ),
    _sequence(
        "tokens of a service account",
        ("POST", CORE + "/serviceaccounts", _of("v1", "ServiceAccount", "sa")),
        ("POST", CORE + "/serviceaccounts/sa/token", {"spec": {"expirationSeconds": 600}}),
        ("POST", CORE + "/serviceaccounts/sa/token", {"spec": {"expirationSeconds": 10}}),
        ("POST", CORE + "/serviceaccounts/none/token", {"spec": {}}),
        (
            "POST",
            CORE + "/serviceaccounts/sa/token",
            {"spec": {"audiences": ["a"], "boundObjectRef": {"kind": "Pod", "apiVersion": "v1", "name": "x"}}},
        ),
    ),
    _sequence(
        "a quota holds",
        (
            "POST",
            CORE + "/resourcequotas",
            _of("v1", "ResourceQuota", "q", spec={"hard": {"configmaps": "2", "count/deployments.apps": "1"}}),
        ),
        ("GET", CORE + "/resourcequotas/q?settled=1"),
        ("POST", DEPLOYMENTS, deployment()),
        ("POST", DEPLOYMENTS, deployment("second")),
        ("GET", CORE + "/resourcequotas/q/status"),
    ),
    _sequence(
        "limits are filled in",
        (
            "POST",
            CORE + "/limitranges",
            _of("v1", "LimitRange", "l", spec={"limits": [{"type": "Container", "default": {"cpu": "1"}, "max": {"cpu": "2"}}]}),
        ),
        ("GET", CORE + "/limitranges/l?settled=1"),
        ("POST", CORE + "/pods", {**pod(), "spec": {**pod()["spec"], "containers": [{"name": "a", "image": "i"}]}}),
        (
            "POST",
            CORE + "/pods",
            {**pod("big"), "spec": {**pod()["spec"], "containers": [{"name": "a", "image": "i", "resources": {"limits": {"cpu": "3"}}}]}},
        ),
    ),
)

_SSAR = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
_SAR = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
_DISCOVERED = (
    *("apps/v1", "batch/v1", "autoscaling/v2", "autoscaling/v1", "policy/v1", "networking.k8s.io/v1", "rbac.authorization.k8s.io/v1"),
    *("coordination.k8s.io/v1", "events.k8s.io/v1", "scheduling.k8s.io/v1", "storage.k8s.io/v1", "discovery.k8s.io/v1"),
    *("apiextensions.k8s.io/v1", "apiregistration.k8s.io/v1", "admissionregistration.k8s.io/v1", "authentication.k8s.io/v1"),
    *("authorization.k8s.io/v1", "resource.k8s.io/v1", "node.k8s.io/v1", "certificates.k8s.io/v1", "flowcontrol.apiserver.k8s.io/v1"),
)
ASKING = (
    _sequence(
        "reviews of oneself and of others",
        ("POST", _SSAR, {"spec": {"resourceAttributes": {"verb": "get", "resource": "pods"}}}),
        ("POST", _SSAR, {"spec": {}}),
        ("POST", _SAR, {"spec": {"user": "nobody", "resourceAttributes": {"verb": "get", "resource": "pods", "namespace": "{ns}"}}}),
        ("POST", _SAR, {"spec": {"user": "nobody", "nonResourceAttributes": {"verb": "get", "path": "/version"}}}),
        ("POST", _SAR, {"spec": {"resourceAttributes": {"verb": "get", "resource": "pods"}}}),
        ("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", {}),
        ("POST", "/apis/authentication.k8s.io/v1/tokenreviews", {"spec": {"token": "wrong"}}),
        ("GET", _SSAR),
    ),
    *(_sequence(f"discovery of {each}", ("GET", f"/apis/{each}"), ("GET", f"/apis/{each.partition('/')[0]}")) for each in _DISCOVERED),
    _sequence("discovery of the core", ("GET", "/api/v1")),
    _sequence(
        "paths that are none",
        ("GET", "/apis/none.example/v1"),
        ("GET", "/api/v2"),
        ("GET", "/nothing"),
        ("GET", "/apis/apps/v9/namespaces/{ns}/deployments"),
        ("GET", CORE + "/pods/x/y/z"),
        ("OPTIONS", CORE + "/pods"),
    ),
    _sequence(
        "cluster-scoped kinds",
        (
            "POST",
            "/api/v1/persistentvolumes",
            _of(
                "v1",
                "PersistentVolume",
                "{own}",
                spec={"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": "/x"}},
            ),
        ),
        ("DELETE", "/api/v1/persistentvolumes/{own}?dryRun=All"),
        ("POST", "/apis/scheduling.k8s.io/v1/priorityclasses", _of("scheduling.k8s.io/v1", "PriorityClass", "{own}", value=10)),
        ("PATCH", "/apis/scheduling.k8s.io/v1/priorityclasses/{own}", {"value": 11}, MERGE),
        ("DELETE", "/apis/scheduling.k8s.io/v1/priorityclasses/{own}"),
        ("POST", "/apis/storage.k8s.io/v1/storageclasses", _of("storage.k8s.io/v1", "StorageClass", "{own}", provisioner="a.test/b")),
        ("PATCH", "/apis/storage.k8s.io/v1/storageclasses/{own}", {"provisioner": "c.test/d"}, MERGE),
        ("DELETE", "/apis/storage.k8s.io/v1/storageclasses/{own}"),
        ("POST", "/apis/node.k8s.io/v1/runtimeclasses", _of("node.k8s.io/v1", "RuntimeClass", "{own}", handler="h")),
        ("DELETE", "/apis/node.k8s.io/v1/runtimeclasses/{own}"),
    ),
)

FAMILIES: tuple[Sequence, ...] = (*APPLYING, *CUSTOM, *LIVES, *ASKING)
assert len({each.name for each in FAMILIES}) == len(FAMILIES), json.dumps([each.name for each in FAMILIES])
