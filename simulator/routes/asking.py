"""What a list or a watch may ask for: versions and how they match. Refused in the API server's words."""

from simulator import errors
from simulator.errors import ApiError, Cause
from simulator.routes.calls import Call

_MATCH = "resourceVersionMatch"


def require(call: Call) -> None:
    """422 for options that do not go together, 400 or 500 for a version that is none."""
    watched = call.verb == "watch"
    causes = _watch_causes(call) if watched else _list_causes(call)
    if causes:
        raise errors.invalid("meta.k8s.io", "ListOptions", "", causes)
    version = call.query.get("resourceVersion", "")
    if version and not version.isdecimal():
        why = f'Invalid value: "{version[:80]}": strconv.ParseUint: parsing "{version[:80]}": invalid syntax'
        raise ApiError(500 if watched else 400, "" if watched else "BadRequest", f"resourceVersion: {why}")
    if call.query.get("continue") and version not in ("", "0"):
        raise errors.bad_request("specifying resource version is not allowed when using continue")


def _watch_causes(call: Call) -> list[Cause]:
    match, initial = call.query.get(_MATCH, ""), "sendInitialEvents" in call.query
    causes = []
    if match and not initial:
        text = f"Forbidden: {_MATCH} is forbidden for watch unless sendInitialEvents is provided"
        causes.append(Cause("FieldValueForbidden", text, _MATCH))
    if initial and match != "NotOlderThan":
        text = f"Forbidden: sendInitialEvents requires setting {_MATCH} to NotOlderThan"
        causes.append(Cause("FieldValueForbidden", text, _MATCH))
    if match and match != "NotOlderThan":
        text = f'Unsupported value: "{match[:80]}": supported values: "NotOlderThan"'
        causes.append(Cause("FieldValueNotSupported", text, _MATCH))
    return causes


def _list_causes(call: Call) -> list[Cause]:
    match, version = call.query.get(_MATCH, ""), call.query.get("resourceVersion", "")
    causes = []
    if match and not version:
        causes.append(Cause("FieldValueForbidden", f"Forbidden: {_MATCH} is forbidden unless resourceVersion is provided", _MATCH))
    if match and match not in ("Exact", "NotOlderThan"):
        text = f'Unsupported value: "{match[:80]}": supported values: "Exact", "NotOlderThan", ""'
        causes.append(Cause("FieldValueNotSupported", text, _MATCH))
    return causes
