"""metrics.k8s.io: what nodes and pods use now, from the port `Usage`."""

from typing import Any

from simulator import errors, tables
from simulator.routes import reading
from simulator.routes.calls import Answer, Call, answer

Json = dict[str, Any]


def get(call: Call) -> Answer:
    found = next((each for each in _all(call) if each["metadata"]["name"] == call.name), None)
    if found is None:
        raise errors.not_found(call.resource.group, call.resource.plural, call.name)
    return _shown(call, [found], single=True)


def list_(call: Call) -> Answer:
    wanted = reading.selection(call)
    return _shown(call, [each for each in _all(call) if wanted is None or wanted(each)], single=False)


def _all(call: Call) -> list[Json]:
    usage = call.cluster.usage
    return usage.nodes() if call.resource.plural == "nodes" else usage.pods(call.namespace or None)


def _shown(call: Call, items: list[Json], *, single: bool) -> Answer:
    marks = {"kind": call.resource.kind, "apiVersion": call.resource.api_version}
    if (form := tables.form(call.accept)) != "plain":
        return answer(tables.render(form, call.resource, [{**marks, **each} for each in items], call.store.clock.now(), {}, single=single))
    if single:
        return answer({**marks, **items[0]})
    return answer({"kind": f"{call.resource.kind}List", "apiVersion": call.resource.api_version, "metadata": {}, "items": items})
