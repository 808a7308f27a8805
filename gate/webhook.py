"""The permit webhook: the API server asks before each write of our users, and is told no unless `admitting` proves the permit.

Committed before yes: an answer that is lost costs a permit, never a second effect. Whatever goes wrong here is a refusal, or an HTTP
500, which the API server takes as one (`failurePolicy: Fail`). No answer and no log line repeats a permit.
"""

import asyncio
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from core.domain.admissions import Admissions
from core.domain.clock import Clock
from core.domain.errors import Day2Error, PermitRefused
from core.domain.values import Json, bounded
from gate.admitting import admit, read
from gate.keys import Verifier

REGISTRATIONS = {"/verify": "api", "/verify-static": "static"}
"""One path for each registration: with both installed, the API server asks both about each write, and each keeps its own record."""
LARGEST = 8 * 1024 * 1024
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Webhook:
    """`judge` is read at each call: the judge may make its key after we start."""

    book: Admissions
    judge: Callable[[], Verifier]
    clock: Clock

    def answer(self, document: Json, registration: str) -> Json:
        """The AdmissionReview with its response."""
        uid = str((document.get("request") or {}).get("uid") or "")
        try:
            asked = read(document)
            now = int(self.clock.now().timestamp())
            found = admit(asked, registration=registration, judge=self.judge(), book=self.book, now=now)
        except Day2Error as error:
            reason = bounded(str(error) if isinstance(error, PermitRefused) else f"stopped: {error}", 300)
            log.warning("refused: %s", reason)
            return _reviewed(
                {"uid": uid, "allowed": False, "status": {"code": 403, "reason": "Forbidden", "message": f"day2 permit: {reason}"}}
            )
        if not asked.dry_run:
            log.info("admitted %s for %s: %s", asked.line, bounded(asked.user, 60), dict(found.annotations))
        warnings = {"warnings": [found.warning]} if found.warning else {}
        return _reviewed({"uid": uid, "allowed": True, "auditAnnotations": dict(found.annotations), **warnings})


def application(webhook: Webhook) -> Starlette:
    async def verify(request: Request) -> Response:
        if int(request.headers.get("content-length") or LARGEST + 1) > LARGEST:
            return Response(status_code=413)
        try:
            document = json.loads(await request.body())
        except ValueError:
            return Response(status_code=400)
        if not isinstance(document, dict) or not isinstance(document.get("request"), dict):
            return Response(status_code=400)
        return JSONResponse(await asyncio.to_thread(webhook.answer, document, REGISTRATIONS[request.url.path]))

    async def health(_: Request) -> Response:
        """Ready means that the stop can be read."""
        try:
            await asyncio.to_thread(webhook.book.stops)
        except Day2Error as error:
            return Response(f"{error}\n", status_code=503)
        return Response("ok\n")

    verifying = [Route(path, verify, methods=["POST"]) for path in REGISTRATIONS]
    return Starlette(routes=[*verifying, Route("/healthz", health)])


def _reviewed(response: Json) -> Json:
    return {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response}
