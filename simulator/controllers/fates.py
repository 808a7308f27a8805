"""What a container will do, from its image, its pod's annotations and the world: so that a right fix cures and a wrong one does not.

Annotations (prefix `simulator.day2.dev/`), on the template or live on a pod: `behaviour` (run, crash, missing, unready), `ready-seconds`,
`run-seconds`, `needs-mi`, `state: not-ready`, `term-seconds`, `resize: Deferred|Infeasible`. Image tags `missing`, `crash`, `unready` and
`errors` speak for themselves (and `arm64`, on nodes that are not); other images may have a row in the world. What the container's command
and probes do is read from them alone (`programs`), unless an annotation or the image says otherwise.
"""

from typing import NamedTuple

from simulator.controllers import programs
from simulator.controllers.cluster import PREFIX, Json
from simulator.worlds.matching import Roster
from simulator.worlds.world import Image, World

SECONDS_TO_OOM = 25
GANG = "scheduling.day2.dev/min-available"
"""Annotation of a pod that works only while so many pods of its owner run."""
_TAGS = ("missing", "crash", "unready")
ERRORS = 0.06
"""Of the requests that a container with the tag `errors` answers: often enough to hurt, too seldom for any probe."""


class Fate(NamedTuple):
    """`run_seconds` 0 means for ever; `needs_mib` 0 means that memory never runs out; `error` is why the runtime cannot start it."""

    behaviour: str
    crash_after_seconds: int
    exit_code: int
    ready_seconds: int
    run_seconds: int
    needs_mib: int
    base_mib: float
    grows_mib_per_hour: float
    error: str = ""

    def killed_after(self, limit_mib: int) -> float | None:
        """Seconds from the start until the kernel kills a container with this limit; None when it fits."""
        if limit_mib and self.needs_mib > limit_mib:
            return SECONDS_TO_OOM
        if limit_mib and self.grows_mib_per_hour > 0:
            return max(60.0, (limit_mib - self.base_mib) / self.grows_mib_per_hour * 3600)
        return None


def fate(world: World, roster: Roster, pod: Json, container: Json) -> Fate:
    """The fate of one container of `pod`."""
    notes = {key[len(PREFIX) :]: text for key, text in pod["metadata"].get("annotations", {}).items() if key.startswith(PREFIX)}
    image = world.images.get(container.get("image", "")) or _by_tag(container.get("image", ""))
    workload = roster.of_pod(pod)
    memory = workload.memory if workload else None
    behaviour = notes.get("behaviour", image.behaviour)
    if image.unless_env and any(each.get("name") == image.unless_env for each in container.get("env") or ()):
        behaviour = "run"
    if notes.get("state") == "not-ready" and behaviour == "run":
        behaviour = "unready"
    fated = Fate(
        behaviour=behaviour,
        crash_after_seconds=image.crash_after_seconds,
        exit_code=image.exit_code,
        ready_seconds=number(notes.get("ready-seconds"), 3),
        run_seconds=number(notes.get("run-seconds"), 0),
        needs_mib=number(notes.get("needs-mi"), memory.needs_mib if memory else 0),
        base_mib=memory.base_mib if memory else 0,
        grows_mib_per_hour=memory.grows_mib_per_hour if memory else 0,
    )
    return _commanded(fated, container)


def _commanded(fated: Fate, container: Json) -> Fate:
    """An image that cannot be pulled runs no command."""
    if fated.behaviour == "missing":
        return fated
    if container.get("image", "").endswith(":arm64"):
        return fated._replace(error=f'exec: "/app/{container["name"]}": exec format error: unknown')
    told = programs.course([*(container.get("command") or ()), *((container.get("args") or ()) if container.get("command") else ())])
    if told.takes_over:
        return fated
    if told.error:
        return fated._replace(error=told.error)
    if told.code:
        return fated._replace(behaviour="crash", crash_after_seconds=told.seconds + 1, exit_code=told.code)
    return fated._replace(behaviour="sleep" if told.seconds >= programs.FOR_EVER else "run", run_seconds=min(told.seconds + 1, 10**8))


def gang_size(pod: Json) -> int:
    """How many pods the pod's gang needs; 0 when it is in none."""
    return number(pod["metadata"].get("annotations", {}).get(GANG), 0)


def errors(world: World, image: str) -> float:
    """The share of requests, 0 to 1, that containers of this image fail by themselves."""
    row = world.images.get(image)
    return row.error_ratio if row else ERRORS * (image.rpartition(":")[2] == "errors")


def _by_tag(image: str) -> Image:
    if image.partition("/")[0].endswith(".invalid"):  # no registry is ever found there (RFC 2606)
        return Image.model_construct(**{**_PLAIN, "behaviour": "missing"})
    tag = image.rpartition(":")[2]
    return Image.model_construct(**{**_PLAIN, "behaviour": tag}) if tag in _TAGS else _RUN


_RUN = Image()
_PLAIN = _RUN.model_dump()


def number(text: str | None, default: int) -> int:
    """A whole number of an annotation; cluster text that is none counts as not given."""
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 9 else default
