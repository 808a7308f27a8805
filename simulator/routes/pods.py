"""What only pods have: log and binding."""

from typing import Any

from simulator import errors
from simulator.clock import stamp
from simulator.routes.calls import Answer, Call, answer

Json = dict[str, Any]


def log(call: Call) -> Answer:
    """The text of a container's log. `follow` sends what there is and ends; `sinceSeconds`, `sinceTime` and `timestamps` change nothing."""
    pod = call.required()
    container = _container(pod, call.query.get("container", ""))
    state: Json = next((each for each in pod.get("status", {}).get("containerStatuses") or () if each["name"] == container), {})
    previous = call.flag("previous")
    if previous and "terminated" not in state.get("lastState", {}):
        raise errors.bad_request(f'previous terminated container "{container}" in pod "{call.name}" not found')
    waiting = state.get("state", {}).get("waiting")
    if not previous and waiting and "terminated" not in state.get("lastState", {}):
        why = waiting.get("reason", "ContainerCreating")
        raise errors.bad_request(f'container "{container}" in pod "{call.name}" is waiting to start: {why}')
    if not state and not pod.get("spec", {}).get("nodeName"):
        return Answer(200, b"", "text/plain")
    text = call.cluster.logs(call.namespace, call.name, container, previous, call.number("tailLines"))
    limit = call.number("limitBytes")
    encoded = text.encode()
    return Answer(200, encoded if limit is None else encoded[:limit], "text/plain")


def _container(pod: Json, asked: str) -> str:
    names = [each["name"] for each in pod["spec"].get("containers", ())]
    every = [*names, *(each["name"] for each in pod["spec"].get("initContainers", ()))]
    name = pod["metadata"]["name"]
    if asked:
        if asked not in every:
            raise errors.bad_request(f"container {asked[:80]} is not valid for pod {name}")
        return asked
    marked = str((pod["metadata"].get("annotations") or {}).get("kubectl.kubernetes.io/default-container", ""))
    if marked in names:
        return marked
    if len(names) > 1:
        raise errors.bad_request(f"a container name must be specified for pod {name}, choose one of: [{' '.join(names)}]")
    return str(names[0])


def bind(call: Call) -> Answer:
    """POST of a Binding: the pod belongs to a node from now on."""
    asked = call.json_body()
    node = (asked.get("target") or {}).get("name", "")
    if not node:
        raise errors.invalid("", "Binding", call.name, [errors.Cause("FieldValueRequired", "Required value", "target.name")])
    if (asked.get("metadata") or {}).get("name") != call.name:
        raise errors.bad_request("name in URL does not match name in Binding object")
    pod = call.required()
    if pod["spec"].get("nodeName"):
        raise errors.conflict("", "pods/binding", call.name, f'pod {call.name} is already assigned to node "{pod["spec"]["nodeName"]}"')
    pod["spec"]["nodeName"] = node
    status: Json = pod.setdefault("status", {})
    others = [each for each in status.get("conditions") or () if each["type"] != "PodScheduled"]
    moment = stamp(call.store.clock.now())
    status["conditions"] = [*others, {"type": "PodScheduled", "status": "True", "lastProbeTime": None, "lastTransitionTime": moment}]
    call.store.update(call.resource, pod, subresource="binding", manager=call.manager, dry_run=call.dry_run)
    return answer({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}, 201)
