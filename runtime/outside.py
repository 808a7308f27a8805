"""Findings with what tools of others say about them: quoted evidence, and nothing else. Beside `Unmuted`, between the flow and the agents.

An outside tool can add no finding, no proposal and no evidence of a proposal, so nothing that it says reaches the judge. It is called
only where a person granted it, read-only by its own promise, and exactly as it was when it was pinned.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core.domain.clock import Clock
from core.domain.errors import Day2Error
from core.domain.evidence import observe
from core.domain.outside import LONGEST, OutsideGrant, OutsideTool, OutsideTools
from core.domain.request import Request
from core.domain.target import Target
from core.domain.values import bounded
from core.policy.redaction import redact
from graph.context import Consulting

log = logging.getLogger(__name__)
Plain = dict[str, Any]
MOST_CALLS = 10
"""Of one agent in one run: the worst findings are asked about first."""
PATIENCE_SECONDS = 20.0


@dataclass(frozen=True)
class Informed:
    """Answers of agents, whose findings carry what granted tools say of them."""

    asking: Consulting
    tools: OutsideTools
    grants: Sequence[OutsideGrant]
    clock: Clock

    async def consult(self, agent: str, request: Request) -> Plain:
        answer = await self.asking.consult(agent, request)
        mine = [grant for grant in self.grants if grant.agent == agent]
        if not mine or not answer.get("findings"):
            return answer
        refused: list[Plain] = []
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                answer = answer | {"findings": await self._informed(answer["findings"], mine, refused)}
        except TimeoutError:
            refused.append(_not_run("outside tools", f"they took longer than {PATIENCE_SECONDS:g} s together"))
        coverage = answer["coverage"]
        return answer | {"coverage": coverage | {"not_run": [*coverage["not_run"], *refused]}}

    async def _informed(self, findings: Sequence[Plain], grants: Sequence[OutsideGrant], refused: list[Plain]) -> list[Plain]:
        usable = [grant for grant in grants if await self._usable(grant, refused)]
        left, found = MOST_CALLS, []
        for finding in findings:
            more = []
            for grant in usable:
                if left and (not grant.codes or finding["code"] in grant.codes):
                    left -= 1
                    more += await self._asked(grant, finding, refused)
            found.append(finding | {"evidence": [*finding["evidence"], *more]} if more else finding)
        return found

    async def _usable(self, grant: OutsideGrant, refused: list[Plain]) -> bool:
        try:
            offered = await self.tools.tools(grant.server)
        except Day2Error as error:
            refused.append(_not_run(grant.name, str(error)))
            return False
        why = unusable(grant, offered)
        if why:
            refused.append(_not_run(grant.name, why))
        return not why

    async def _asked(self, grant: OutsideGrant, finding: Plain, refused: list[Plain]) -> list[Plain]:
        subject = Target.model_validate(finding["subject"])
        place = {"namespace": subject.namespace, "kind": subject.kind, "name": subject.name, "code": str(finding["code"])}
        arguments = {key: filled(text, place) for key, text in grant.arguments.items()}
        try:
            said = await self.tools.call(grant.server, grant.tool, arguments)
        except Day2Error as error:
            refused.append(_not_run(grant.name, str(error)))
            return []
        text = bounded(redact(said[: 8 * LONGEST]), LONGEST)
        evidence = observe("outside", subject, f"{grant.name} {arguments}", text, self.clock.now())
        return [evidence.model_dump(mode="json")] if text.strip() else []


def unusable(grant: OutsideGrant, offered: Sequence[OutsideTool]) -> str:
    """Why this tool is not called; empty where it may be."""
    tool = next((item for item in offered if item.name == grant.tool), None)
    if tool is None:
        return "its server offers it no more"
    if not tool.reads_only:
        return "it does not promise to read only"
    if tool.pin != grant.pin:
        return "it is not what was pinned: read it anew, then pin it (day2 mcp tools)"
    return ""


def filled(text: str, place: dict[str, str]) -> str:
    """Places by plain replacement: names of the cluster never become a format or another place."""
    parts = text.split("{")
    return parts[0] + "".join(_part(part, place) for part in parts[1:])


def _part(part: str, place: dict[str, str]) -> str:
    name, closed, rest = part.partition("}")
    return place[name] + rest if closed and name in place else "{" + part


def _not_run(name: str, why: str) -> Plain:
    return {"check": bounded(f"outside:{name}", 100), "reason": bounded(why, 200)}
