"""What the API server says it serves: the legacy lists and the aggregated form, generated from the tables of resources."""

from collections.abc import Sequence
from typing import Any

from simulator import errors
from simulator.resources import SERVED, Resource
from simulator.routes.catalogue import ADVERTISED

Json = dict[str, Any]
VERSION: Json = {
    "major": "1",
    "minor": "37",
    "gitVersion": "v1.37.2",
    "gitCommit": "0000000000000000000000000000000000000000",
    "gitTreeState": "clean",
    "buildDate": "2026-11-01T00:00:00Z",
    "goVersion": "go1.26",
    "compiler": "gc",
    "platform": "linux/amd64",
}
_SUBRESOURCE_KINDS = {
    "scale": ("autoscaling", "v1", "Scale"),
    "eviction": ("policy", "v1", "Eviction"),
    "binding": ("", "v1", "Binding"),
    "exec": ("", "v1", "PodExecOptions"),
    "attach": ("", "v1", "PodAttachOptions"),
    "portforward": ("", "v1", "PodPortForwardOptions"),
    "token": ("authentication.k8s.io", "v1", "TokenRequest"),
}
_CUSTOM_ORDER = ("delete", "deletecollection", "get", "list", "patch", "create", "update", "watch")
_VERSIONS: Json = {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}
_AGGREGATED = "as=APIGroupDiscoveryList"


Rows = Sequence[Resource]


def document(path: str, accept: str, more: Rows = ()) -> Json | None:
    """The discovery document at a path, None when the path is none. 404 for a group that is not served. `more` are custom kinds."""
    every = (*SERVED, *more)
    parts = [part for part in path.split("/") if part]
    if parts == ["api"]:
        return _aggregated([""], every) if _AGGREGATED in accept else _VERSIONS
    if parts == ["apis"]:
        if _AGGREGATED in accept:
            return _aggregated(_groups(every), every)
        return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [_group(each, every) for each in _groups(every)]}
    if parts[0] == "api" and len(parts) == 2:
        return _resource_list("", parts[1], every)
    if parts[0] == "apis" and len(parts) == 2:
        if parts[1] not in _groups(every):
            raise errors.no_such_path()
        return {"kind": "APIGroup", "apiVersion": "v1", **_group(parts[1], every)}
    if parts[0] == "apis" and len(parts) == 3:
        return _resource_list(parts[1], parts[2], every)
    return None


def serves(group: str, version: str, more: Rows = ()) -> bool:
    return bool(_rows(group, version, (*SERVED, *more)))


def known(group: str, more: Rows = ()) -> bool:
    """True for a group of which some version is served."""
    return group == "" or group in _groups((*SERVED, *more))


def media_type(accept: str, path: str) -> str:
    """The content type of a discovery document."""
    if _AGGREGATED in accept and path.strip("/") in ("api", "apis"):
        return f"application/json;g=apidiscovery.k8s.io;v=v2;{_AGGREGATED}"
    return "application/json"


def subresource_kind(row: Resource, subresource: str) -> tuple[str, str, str]:
    """Group, version and kind of what a subresource takes and gives."""
    own = f"{row.kind}ProxyOptions" if subresource == "proxy" else row.kind
    return _SUBRESOURCE_KINDS.get(subresource, (row.group, row.version, own))


def _groups(every: Rows) -> list[str]:
    return list(dict.fromkeys(row.group for row in every if row.group))


def _versions(group: str, every: Rows) -> list[str]:
    return list(dict.fromkeys(row.version for row in every if row.group == group))


def _group(group: str, every: Rows) -> Json:
    versions = [{"groupVersion": f"{group}/{version}", "version": version} for version in _versions(group, every)]
    return {"name": group, "versions": versions, "preferredVersion": versions[0]}


def _rows(group: str, version: str, every: Rows) -> list[Resource]:
    return [row for row in every if row.group == group and row.version == version]


def _resource_list(group: str, version: str, every: Rows) -> Json:
    rows = _rows(group, version, every)
    if not rows:
        raise errors.no_such_path()
    listed = [entry for row in rows for entry in _entries(row)]
    if not group:
        return {"kind": "APIResourceList", "groupVersion": version, "resources": listed}
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": f"{group}/{version}", "resources": listed}


def _entries(row: Resource) -> list[Json]:
    main: Json = {"name": row.plural, "singularName": row.singular, "namespaced": row.namespaced, "kind": row.kind}
    main["verbs"] = list(_CUSTOM_ORDER if row.definition else row.verbs)
    if row.short_names:
        main["shortNames"] = list(row.short_names)
    if row.categories:
        main["categories"] = list(row.categories)
    return [main, *(_subresource_entry(row, each) for each in row.subresources)]


def _subresource_entry(row: Resource, name: str) -> Json:
    group, version, kind = subresource_kind(row, name)
    entry: Json = {
        "name": f"{row.plural}/{name}",
        "singularName": "",
        "namespaced": row.namespaced,
        "kind": kind,
        "verbs": list(ADVERTISED[name]),
    }
    if (group, version) != (row.group, row.version):
        entry |= {"group": group, "version": version}
    return entry


def _aggregated(groups: list[str], every: Rows) -> Json:
    items = [{"metadata": {"name": group} if group else {}, "versions": _described(group, every)} for group in groups]
    return {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items}


def _described(group: str, every: Rows) -> list[Json]:
    return [
        {"version": version, "freshness": "Current", "resources": [_described_resource(row) for row in _rows(group, version, every)]}
        for version in _versions(group, every)
    ]


def _described_resource(row: Resource) -> Json:
    scope = "Namespaced" if row.namespaced else "Cluster"
    told: Json = {
        "resource": row.plural,
        "responseKind": {"group": row.group, "version": row.version, "kind": row.kind},
        "scope": scope,
        "singularResource": row.singular,
        "verbs": list(row.verbs),
    }
    if row.short_names:
        told["shortNames"] = list(row.short_names)
    if row.categories:
        told["categories"] = list(row.categories)
    if row.subresources:
        told["subresources"] = [_described_subresource(row, each) for each in row.subresources]
    return told


def _described_subresource(row: Resource, name: str) -> Json:
    group, version, kind = subresource_kind(row, name)
    return {"subresource": name, "responseKind": {"group": group, "version": version, "kind": kind}, "verbs": list(ADVERTISED[name])}
