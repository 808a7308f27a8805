"""A small OpenAPI: enough that clients know each kind, that dryRun and fieldValidation are understood, and where specs merge.

Schemas are open (any field passes): the simulator validates on its own terms, in `validation`.
"""

from functools import cache
from typing import Any

from simulator import errors
from simulator.resources import RESOURCES, Resource

Json = dict[str, Any]
_PARAMETERS = ("dryRun", "fieldManager", "fieldValidation")
_INFO: Json = {"title": "Kubernetes", "version": "v1.37.2"}


@cache
def index() -> Json:
    """The list at /openapi/v3."""
    versions = sorted({_root(row) for row in RESOURCES})
    return {"paths": {path: {"serverRelativeURL": f"/openapi/v3/{path}"} for path in versions}}


@cache
def group_version(path: str) -> Json:
    """The OpenAPI v3 document of one group and version, such as `apis/apps/v1`. 404 for one that is not served."""
    rows = [row for row in RESOURCES if _root(row) == path]
    if not rows:
        raise errors.no_such_path()
    paths: Json = {}
    for row in rows:
        paths |= _paths(row)
    schemas = {_schema_name(row): _schema(row, "#/components/schemas/") for row in rows}
    return {"openapi": "3.0.0", "info": _INFO, "paths": paths, "components": {"schemas": {**schemas, _META: _META_SCHEMA}}}


@cache
def whole() -> Json:
    """The OpenAPI v2 document."""
    paths: Json = {}
    for row in RESOURCES:
        paths |= _paths(row)
    definitions = {_schema_name(row): _schema(row, "#/definitions/") for row in RESOURCES}
    return {"swagger": "2.0", "info": _INFO, "paths": paths, "definitions": {**definitions, _META: _META_SCHEMA}}


_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
_META_SCHEMA: Json = {"type": "object", "description": "ObjectMeta is metadata that all persisted resources must have."}


def _root(row: Resource) -> str:
    return f"apis/{row.api_version}" if row.group else f"api/{row.version}"


def _schema_name(row: Resource) -> str:
    return f"io.k8s.api.{(row.group or 'core').partition('.')[0]}.{row.version}.{row.kind}"


def _marks(row: Resource) -> Json:
    return {"group": row.group, "version": row.version, "kind": row.kind}


def _schema(row: Resource, prefix: str) -> Json:
    fields: Json = {
        "apiVersion": {"type": "string", "description": "The versioned schema of this object."},
        "kind": {"type": "string", "description": "The kind of this object."},
        "metadata": {"$ref": prefix + _META} if prefix == "#/definitions/" else {"allOf": [{"$ref": prefix + _META}], "default": {}},
        "spec": {"type": "object", "description": f"What is wanted of the {row.kind}."},
        "status": {"type": "object", "description": f"What is seen of the {row.kind}."},
    }
    shown = {"type": "object", "description": f"{row.kind} as the simulator serves it.", "properties": fields}
    return {**shown, "x-kubernetes-group-version-kind": [_marks(row)]}


def _paths(row: Resource) -> Json:
    scope = "/namespaces/{namespace}" if row.namespaced else ""
    collection = f"/{_root(row)}{scope}/{row.plural}"
    operations = {"post": "create", "put": "update", "patch": "patch"}
    done = {method: _operation(row, verb) for method, verb in operations.items() if verb in row.verbs}
    single = {method: told for method, told in done.items() if method != "post"}
    read = {"get": _operation(row, "get")}
    return {collection: {**read, **({"post": done["post"]} if "post" in done else {})}, collection + "/{name}": {**read, **single}}


def _operation(row: Resource, verb: str) -> Json:
    parameters = [{"name": name, "in": "query", "schema": {"type": "string"}} for name in _PARAMETERS]
    return {
        "operationId": f"{verb}{row.kind}",
        "parameters": parameters,
        "responses": {"200": {"description": "OK"}},
        "x-kubernetes-action": verb,
        "x-kubernetes-group-version-kind": _marks(row),
    }
