"""The judge's rules, kept current: a changed folder counts once it was linted and all embedded tests of the whole set passed.

Until then, and when it is refused, the last good rules stay in force; both stand in the log and in the audit chain. A process of its own
reads and checks the folder (`core.policy.loading`), because an expression has no deadline: the judge goes on meanwhile. It takes over the
very rules that passed, and of these only a set that holds each locked rule of the platform's as it is.
"""

import asyncio
import json
import logging
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from core.domain.clock import Clock
from core.domain.errors import InvalidInput
from core.domain.ledger import Ledger
from core.domain.values import Json, canonical
from core.policy import engine, policies
from runtime.processes import dies_with_parent

log = logging.getLogger(__name__)


def taken(answer: Json) -> engine.Engine:
    """Raises InvalidInput for a set that was refused, or in which a locked rule is missing or another one."""
    if "refused" in answer:
        raise InvalidInput(answer["refused"], mend="day2 policy test shows every problem")
    found = [policies.ActionPolicy.model_validate_json(canonical(item)) for item in answer["policies"]]
    locked = [rule.policy for rule in engine.builtin().rules if rule.policy.name in engine.LOCKED]
    if missing := [policy.name for policy in locked if policy not in found]:
        raise InvalidInput(f"the locked rule `{missing[0]}` is not as it was")
    return engine.Engine(found)


def stamp(folder: Path | None) -> list[object]:
    """Changes whenever a file of the folder does: its name, which file it is, its size or its time."""
    return [_stamp(path) for path in sorted(folder.glob("*.y*ml"))] if folder else []


def _stamp(path: Path) -> object:
    try:
        seen = path.stat()
    except OSError:  # a link to nothing, or it went between the two calls: known by its name, beside files that may change
        return path.name
    return path.name, seen.st_ino, seen.st_size, seen.st_mtime_ns


async def checked(folder: Path, seconds: float = 120.0) -> Json:
    """What `core.policy.loading` answers of it; no answer in time is a refusal."""
    command = (sys.executable, "-m", "core.policy.loading", str(folder))
    child = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, preexec_fn=dies_with_parent)
    try:
        async with asyncio.timeout(seconds):
            return dict(json.loads((await child.communicate())[0]))
    except (TimeoutError, ValueError):
        return {"refused": f"{folder}: checking it did not come to an answer within {seconds:.0f} s"}
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()


class Rulebook:
    """`checking` is the check under way. Without a folder the built-in rules hold, and nothing is looked at."""

    def __init__(self, folder: Path | None, ledger: Ledger, clock: Clock, check: Callable[[Path], Awaitable[Json]] = checked) -> None:
        self.checking: asyncio.Future[Json] | None = None
        self._rules, self._seen = engine.builtin(), stamp(folder)
        self._folder, self._ledger, self._clock, self._check = folder, ledger, clock, check

    async def begin(self) -> None:
        """Raises InvalidInput: at its start a judge has no last good rules to stay with."""
        if self._folder:
            self._take(await self._check(self._folder))

    def look(self) -> engine.Engine:
        """The rules in force. Called at each step of the judge, and cheap: it reads the folder's list of files."""
        if self.checking and self.checking.done():
            answer, self.checking = self.checking.result(), None
            try:
                self._take(answer)
            except InvalidInput as error:
                log.error("%s; the rules %s stay in force", error, self._rules.digest[:12])  # noqa: TRY400  the message is all of it
        if self._folder and self.checking is None and (now := stamp(self._folder)) != self._seen:
            self._seen, self.checking = now, asyncio.ensure_future(self._check(self._folder))
        return self._rules

    def _take(self, answer: Json) -> None:
        try:
            self._rules = taken(answer)
        except InvalidInput as error:
            self._record("policy.refused", reason=str(error))
            raise
        self._record("policy.loaded")

    def _record(self, event: str, **more: str) -> None:
        body = {"policy": self._rules.digest, **more}
        self._ledger.record(role="judge", event=event, subject=str(self._folder), body=body, at=self._clock.now())
