"""Strategic merge patch: merge patch that knows which lists merge by key. Directives: `$patch`, `$deleteFromPrimitiveList`,
`$setElementOrder` and `$retainKeys`.

Reference: https://github.com/kubernetes/community/blob/master/contributors/devel/sig-api-machinery/strategic-merge-patch.md
"""

from typing import Any

from simulator.errors import ApiError
from simulator.patching.merge_keys import is_set, merge_key

Json = dict[str, Any]
_ORDER = "$setElementOrder/"
_DELETE_VALUES = "$deleteFromPrimitiveList/"


def merge(target: Json, patch: Json) -> Json:
    """`target` with `patch` merged in. Neither argument is changed. Raises ApiError 400 for an unknown directive."""
    directive = patch.get("$patch")
    if directive == "replace":
        return merge({}, {field: value for field, value in patch.items() if field != "$patch"})
    if directive == "delete":
        return {}
    if directive not in (None, "merge"):
        raise ApiError(400, "BadRequest", f"Unknown patch type found: {directive}")
    result = _retained(target, patch)
    for field, value in patch.items():
        if field.startswith("$"):
            continue
        if value is None:
            result.pop(field, None)
        else:
            result[field] = _merge_field(field, result.get(field), value, patch.get(_ORDER + field))
    _delete_values(result, patch)
    _order_untouched(result, patch)
    return result


def _retained(target: Json, patch: Json) -> Json:
    keep = patch.get("$retainKeys")
    return dict(target) if keep is None else {field: value for field, value in target.items() if field in keep}


def _merge_field(field: str, old: Any, new: Any, order: list[Any] | None) -> Any:
    if isinstance(new, dict):
        return merge(old if isinstance(old, dict) else {}, new)
    if isinstance(new, list):
        return _merge_list(field, old if isinstance(old, list) else [], new, order)
    return new


def _merge_list(field: str, old: list[Any], new: list[Any], order: list[Any] | None) -> list[Any]:
    if is_set(field):
        every = [*old, *(item for item in new if item not in old)]
        return _merged_order([each for each in (new if order is None else order) if each in every], every, old)
    if any(isinstance(item, dict) and item == {"$patch": "replace"} for item in new):
        return [_plain(item) for item in new if item != {"$patch": "replace"}]
    key = merge_key(field, [*old, *new])
    if not key:
        return [_plain(item) for item in new]
    items = {item.get(key): item for item in old}
    for item in new:
        if key not in item:
            raise ApiError(400, "BadRequest", f"map: {item} does not contain declared merge key: {key}")
        _merge_item(items, item, key)
    wanted = [each.get(key) for each in (new if order is None else order)]
    names = _merged_order([name for name in wanted if name in items], list(items), [item.get(key) for item in old])
    return [items[name] for name in names]


def _merge_item(items: dict[Any, Json], item: Json, key: str) -> None:
    name = item[key]
    if item.get("$patch") == "delete":
        items.pop(name, None)
    else:
        items[name] = merge(items.get(name, {}), item)


def _merged_order(wanted: list[Any], every: list[Any], live: list[Any]) -> list[Any]:
    """Names in the order the patch wants; the ones it does not name go where they were among those the server knew."""
    rest = [name for name in every if name not in wanted]
    at = {name: index for index, name in enumerate(live)}
    result: list[Any] = []
    left, right = 0, 0
    while left < len(wanted) and right < len(rest):
        both = wanted[left] in at and rest[right] in at
        if both and at[rest[right]] < at[wanted[left]]:
            result.append(rest[right])
            right += 1
        else:
            result.append(wanted[left])
            left += 1
    return [*result, *wanted[left:], *rest[right:]]


def _delete_values(result: Json, patch: Json) -> None:
    for field, values in patch.items():
        if field.startswith(_DELETE_VALUES):
            name = field.removeprefix(_DELETE_VALUES)
            result[name] = [item for item in result.get(name, []) if item not in values]


def _order_untouched(result: Json, patch: Json) -> None:
    """`$setElementOrder` for a list that the patch does not otherwise change."""
    for field, order in patch.items():
        name = field.removeprefix(_ORDER)
        if field.startswith(_ORDER) and name not in patch and isinstance(result.get(name), list):
            result[name] = _merge_list(name, result[name], [], order)


def _plain(value: Any) -> Any:
    """A value of the patch without directives and nulls, as it is stored where nothing was before."""
    if isinstance(value, dict):
        return merge({}, value)
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value
