"""The judge's side of the model judge: a child (`runtime.roles.reviewer`) is asked by a line and answers by a line.

The child holds the model's key and the libraries that read its answers; the judge takes one small value from it, strictly.
"""

import asyncio
import json
import sys
import time
from pathlib import Path

from pydantic import ValidationError

from core.domain.errors import Unavailable
from core.domain.review import Brief, Review
from core.domain.values import bounded, canonical
from runtime.processes import dies_with_parent

PATIENCE_SECONDS = 60.0
"""More than a child's own deadline of one call: the child says why itself."""
REST_SECONDS = 30.0


class Opinions:
    """A child is started when it is asked for the first time. After one that failed, nobody is asked for half a minute."""

    def __init__(self, settings: Path, *, patience: float = PATIENCE_SECONDS) -> None:
        self._settings, self._patience = settings, patience
        self._child: asyncio.subprocess.Process | None = None
        self._rests_until = 0.0

    async def review(self, brief: Brief) -> Review:
        if time.monotonic() < self._rests_until:
            raise Unavailable("the model judge", REST_SECONDS, reason="it failed a moment ago")
        try:
            async with asyncio.timeout(self._patience):
                answer = json.loads(await self._asked(brief))
            if "unavailable" not in answer:
                return Review.model_validate_json(canonical(answer["review"]))
        except (TimeoutError, OSError, ValueError, TypeError, KeyError, ValidationError) as error:
            await self.close()
            self._rests_until = time.monotonic() + REST_SECONDS
            raise Unavailable("the model judge", REST_SECONDS, reason=type(error).__name__) from error
        self._rests_until = time.monotonic() + REST_SECONDS
        raise Unavailable("the model judge", REST_SECONDS, reason=bounded(str(answer["unavailable"]), 160))

    async def _asked(self, brief: Brief) -> bytes:
        child = self._child = self._child or await self._started()
        assert child.stdin is not None  # noqa: S101  both were asked for
        assert child.stdout is not None  # noqa: S101
        child.stdin.write(canonical({"fields": brief.fields, "evidence": [[item.id, item.text] for item in brief.evidence]}) + b"\n")
        await child.stdin.drain()
        return await child.stdout.readline()

    async def _started(self) -> asyncio.subprocess.Process:
        command = (sys.executable, "-m", "runtime.roles.reviewer", "--settings", str(self._settings))
        pipe = asyncio.subprocess.PIPE
        return await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, preexec_fn=dies_with_parent)

    async def close(self) -> None:
        child, self._child = self._child, None
        if child and child.returncode is None:
            child.kill()
            await child.wait()
