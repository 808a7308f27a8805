"""The life of one container as its status tells it: creating, running, ready, crashed, waiting to start again. Called by the kubelets.

Back-off is the kubelet's: the first restart at once, then 10 s doubled up to 5 minutes.
"""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import sha256
from typing import NamedTuple

from core.cluster import quantities
from simulator.clock import stamp
from simulator.controllers import programs
from simulator.controllers.cluster import Json, moment
from simulator.controllers.fates import Fate

PULL_SECONDS = 2
PULL_BACK_OFF_SECONDS = 15
PROBE_SECONDS = 60
CONFIG_SECONDS = 15
_IMAGE = re.compile(r"([\w.-]+(:\d+)?/)?[a-z0-9]+([._/-]+[a-z0-9]+)*(:\w[\w.-]{0,127})?(@sha256:[0-9a-f]{64})?")


class Note(NamedTuple):
    """An event to tell about the pod."""

    reason: str
    message: str
    warning: bool = False


class Situation(NamedTuple):
    """What is around the container: its pod, the time, and where to tell events. `once`: a success is not started again.

    `absent` is what its variables name and what is not there, in the kubelet's words.
    """

    pod: Json
    now: datetime
    created_at: datetime
    restarts: bool
    once: bool
    ends_at: Callable[[datetime], datetime | None]
    tell: Callable[[Note], None]
    absent: Callable[[Json], str] = lambda _: ""


def step(container: Json, old: Json | None, fate: Fate, around: Situation) -> tuple[Json, datetime | None]:
    """The container's status now, and when it changes next if nothing else happens."""
    if old is None:
        old = new(container)
    state = old["state"]
    if "terminated" in state:
        return old, None
    if "waiting" in state:
        return _waiting(container, old, fate, around)
    return _running(container, old, fate, around)


def new(container: Json) -> Json:
    return {
        "name": container["name"],
        "image": container["image"],
        "imageID": "",
        "ready": False,
        "started": False,
        "restartCount": 0,
        "state": {"waiting": {"reason": "ContainerCreating"}},
        "lastState": {},
    }


def _waiting(container: Json, old: Json, fate: Fate, around: Situation) -> tuple[Json, datetime | None]:
    pulled_at = around.created_at + timedelta(seconds=PULL_SECONDS)
    if around.now < pulled_at:
        return old, pulled_at
    if not _IMAGE.fullmatch(container["image"]):
        return _misnamed(container, old, around)
    if fate.behaviour == "missing":
        return _unpullable(container, old, around, pulled_at)
    due = _restart_at(old)
    if due is not None and around.now < due:
        return old, due
    if absent := around.absent(container):
        if old["state"]["waiting"].get("message") != absent:
            around.tell(Note("Failed", f"Error: {absent}", warning=True))
        waiting = {"reason": "CreateContainerConfigError", "message": absent}
        return {**old, "state": {"waiting": waiting}}, around.now + timedelta(seconds=CONFIG_SECONDS)
    return _start(container, old, fate, around)


def _misnamed(container: Json, old: Json, around: Situation) -> tuple[Json, datetime | None]:
    text = f'Failed to apply default image tag "{container["image"]}": couldn\'t parse image name: invalid reference format'
    if old["state"]["waiting"]["reason"] != "InvalidImageName":
        around.tell(Note("InspectFailed", text, warning=True))
        around.tell(Note("Failed", "Error: InvalidImageName", warning=True))
    return {**old, "state": {"waiting": {"reason": "InvalidImageName", "message": text}}}, None


def _unpullable(container: Json, old: Json, around: Situation, pulled_at: datetime) -> tuple[Json, datetime | None]:
    image = container["image"]
    if old["state"]["waiting"]["reason"] not in ("ErrImagePull", "ImagePullBackOff"):
        around.tell(Note("Pulling", f'Pulling image "{image}"'))
        text = f'Failed to pull image "{image}": rpc error: code = NotFound desc = failed to pull and unpack image "{image}": not found'
        around.tell(Note("Failed", text, warning=True))
        around.tell(Note("Failed", "Error: ErrImagePull", warning=True))
        waiting = {"reason": "ErrImagePull", "message": text}
        return {**old, "state": {"waiting": waiting}}, pulled_at + timedelta(seconds=PULL_BACK_OFF_SECONDS)
    if around.now < pulled_at + timedelta(seconds=PULL_BACK_OFF_SECONDS):
        return old, pulled_at + timedelta(seconds=PULL_BACK_OFF_SECONDS)
    around.tell(Note("BackOff", f'Back-off pulling image "{image}"', warning=False))
    around.tell(Note("Failed", "Error: ImagePullBackOff", warning=True))
    waiting = {"reason": "ImagePullBackOff", "message": f'Back-off pulling image "{image}"'}
    return {**old, "state": {"waiting": waiting}}, around.now + timedelta(minutes=5)


def _restart_at(old: Json) -> datetime | None:
    ended = old["lastState"].get("terminated")
    if ended is None:
        return None
    restarts = old["restartCount"]
    wait = 0 if restarts == 0 else min(300, 10 * 2 ** min(restarts - 1, 6))
    return moment(ended["finishedAt"]) + timedelta(seconds=wait)


def _start(container: Json, old: Json, fate: Fate, around: Situation) -> tuple[Json, datetime | None]:
    again = "terminated" in old["lastState"]
    restarts = old["restartCount"] + again
    digest = sha256(f"{around.pod['metadata']['uid']}/{container['name']}/{restarts}".encode()).hexdigest()
    image = sha256(container["image"].encode()).hexdigest()
    resources = container.get("resources", {})
    begun = {
        **old,
        "image": container["image"],
        "imageID": f"{container['image'].rpartition(':')[0]}@sha256:{image}",
        "containerID": f"containerd://{digest}",
        "restartCount": restarts,
        "started": True,
        "state": {"running": {"startedAt": stamp(around.now)}},
        "resources": resources,
    }
    if resources.get("requests"):
        begun["allocatedResources"] = resources["requests"]
    text = (
        f'Container image "{container["image"]}" already present on machine'
        if again
        else f'Successfully pulled image "{container["image"]}"'
    )
    around.tell(Note("Pulled", text))
    around.tell(Note("Created", f"Created container: {container['name']}"))
    if fate.error:
        around.tell(Note("Failed", f"Error: failed to create containerd task: {fate.error}", warning=True))
        return _stop(container, begun, around, around.now, code=128, reason="StartError", message=_UNSTARTED + fate.error)
    around.tell(Note("Started", f"Started container {container['name']}"))
    return _running(container, begun, fate, around)


_UNSTARTED = (
    "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: "
    "unable to start container process: error during container init: "
)


def _running(container: Json, old: Json, fate: Fate, around: Situation) -> tuple[Json, datetime | None]:
    started = moment(old["state"]["running"]["startedAt"])
    end, code, reason = _end(old, fate, around, started)
    if end is not None and around.now >= end:
        return _stop(container, old, around, started, code=code, reason=reason)
    killed, which, why = _killed(container, fate, started)
    if killed is not None and around.now >= killed and (end is None or killed < end):
        around.tell(Note("Unhealthy", f"{which} probe failed: {why}", warning=True))
        text = f"Container {container['name']} failed {which.lower()} probe, will be restarted"
        around.tell(Note("Killing", text))
        return _stop(container, old, around, started, code=137, reason="Error")
    end = min((each for each in (end, killed) if each is not None), default=None)
    ready_at = started + timedelta(seconds=fate.ready_seconds)
    probe = container.get("readinessProbe")
    silent = probe is not None and fate.behaviour == "sleep"
    refused = "connect: connection refused" if silent else programs.complaint(probe, container) if probe else ""
    healthy = fate.behaviour != "unready" and not refused
    ready = healthy and around.now >= ready_at
    due = end
    if not ready:
        check = ready_at if around.now < ready_at else None
        if not healthy and around.now >= ready_at:
            text = refused or "HTTP probe failed with statuscode: 503"
            around.tell(Note("Unhealthy", f"Readiness probe failed: {text}", warning=True))
            check = around.now + timedelta(seconds=PROBE_SECONDS)
        due = min(each for each in (end, check) if each is not None) if end or check else None
    return (old if old["ready"] == ready else {**old, "ready": ready}), due


def _killed(container: Json, fate: Fate, started: datetime) -> tuple[datetime | None, str, str]:
    """When a liveness or startup probe that fails by its own spec ends this run, which, and what it says.

    A startup probe also ends a program that takes longer to come up than the probe waits.
    """
    for which in ("startup", "liveness"):
        probe = container.get(f"{which}Probe")
        if probe is None:
            continue
        wait, why = programs.gives_up_after(probe), programs.complaint(probe, container)
        if fate.behaviour == "sleep":
            why = why or "connect: connection refused"
        if which == "startup" and not why and fate.ready_seconds > wait:
            why = "connect: connection refused"
        if why:
            return started + timedelta(seconds=wait), which.capitalize(), why
    return None, "", ""


def _end(old: Json, fate: Fate, around: Situation, started: datetime) -> tuple[datetime | None, int, str]:
    """When, with which code and why this run of the container ends."""
    limit = old.get("resources", {}).get("limits", {}).get("memory")
    killed = fate.killed_after(quantities.memory_mib(limit)) if limit else None
    if killed is not None:
        return started + timedelta(seconds=killed), 137, "OOMKilled"
    if fate.behaviour == "crash":
        return started + timedelta(seconds=fate.crash_after_seconds), fate.exit_code, "Error"
    if fate.behaviour == "sleep":
        return None, 0, ""
    if fate.run_seconds and (end := around.ends_at(started)) is not None:
        return end, 0, "Completed"
    return None, 0, ""


def _stop(
    container: Json, old: Json, around: Situation, started: datetime, *, code: int, reason: str, message: str = ""
) -> tuple[Json, datetime | None]:
    ended = {
        "exitCode": code,
        "reason": reason,
        **({"message": message} if message else {}),
        "startedAt": stamp(started),
        "finishedAt": stamp(around.now),
        "containerID": old["containerID"],
    }
    stopped = {**old, "ready": False, "started": False}
    if not around.restarts or (code == 0 and around.once):
        return {**stopped, "state": {"terminated": ended}}, None
    pod, name = around.pod["metadata"], container["name"]
    wait = 0 if old["restartCount"] == 0 else min(300, 10 * 2 ** min(old["restartCount"] - 1, 6))
    text = f"back-off {_go_duration(wait or 10)} restarting failed container={name} pod={pod['name']}_{pod['namespace']}({pod['uid']})"
    around.tell(
        Note("BackOff", f"Back-off restarting failed container {name} in pod {pod['name']}_{pod['namespace']}({pod['uid']})", warning=True)
    )
    stopped |= {"state": {"waiting": {"reason": "CrashLoopBackOff", "message": text}}, "lastState": {"terminated": ended}}
    return stopped, around.now + timedelta(seconds=max(wait, 1))


def _go_duration(seconds: int) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"
