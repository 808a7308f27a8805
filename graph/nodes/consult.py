"""Ask one agent. A late or failing one becomes a finding: a run never hangs on an agent, and never hides that one is missing."""

import asyncio
import json
from datetime import datetime

from langgraph.errors import NodeError
from langgraph.runtime import Runtime
from pydantic import ValidationError

from core.actions.catalogue import parse_proposal
from core.domain.errors import Day2Error, InvalidInput, Unavailable
from core.domain.evidence import observe
from core.domain.finding import Coverage, Finding, Severity, finding_id
from core.domain.request import Request
from core.domain.target import Target
from core.domain.values import bounded
from graph.context import RunContext
from graph.state import ConsultTask, Plain, RunState

ABSENT = "DAY-101"


async def consult(state: ConsultTask, runtime: Runtime[RunContext]) -> RunState:
    request = Request.model_validate(state["request"], strict=False)
    seconds = runtime.context.consult_seconds
    try:
        async with asyncio.timeout(seconds):
            answer = understood(state["agent"], await runtime.context.consulting.consult(state["agent"], request))
    except TimeoutError:
        answer = missing(state["agent"], f"no answer within {seconds:g} s", runtime.context.clock.now())
    except Day2Error as error:
        answer = missing(state["agent"], str(error), runtime.context.clock.now())
    return RunState(consultations=[answer])


async def failed(state: ConsultTask, error: NodeError, runtime: Runtime[RunContext]) -> RunState:
    """Called by LangGraph for what the node did not expect: the agent's own defect."""
    return RunState(consultations=[missing(state["agent"], f"{type(error.error).__name__}: {error.error}", runtime.context.clock.now())])


def understood(agent: str, answer: Plain) -> Plain:
    """The answer, if it is one and speaks for nobody else: it may come from another process, and one bad answer must not stop the run.

    Raises Unavailable with what is wrong.
    """
    try:
        findings = [Finding.model_validate_json(json.dumps(row)) for row in answer["findings"]]
        proposals = [parse_proposal(row) for row in answer["proposals"]]
        coverage = Coverage.model_validate_json(json.dumps(answer["coverage"]))
    except (ValidationError, InvalidInput, LookupError, TypeError, ValueError) as error:
        raise Unavailable(f"agent {agent}", 5.0, reason=f"its answer is not understood: {type(error).__name__}") from error
    speakers = {finding.agent for finding in findings} | {proposal.agent for proposal in proposals}
    if not speakers <= {agent}:
        raise Unavailable(f"agent {agent}", 5.0, reason=f"it answered in the name of {', '.join(sorted(speakers - {agent}))}")
    return {
        "agent": agent,
        "findings": [finding.model_dump(mode="json") for finding in findings],
        "proposals": [proposal.model_dump(mode="json") for proposal in proposals],
        "coverage": coverage.model_dump(mode="json"),
    }


def missing(agent: str, reason: str, now: datetime) -> Plain:
    """A consultation that did not happen: a finding about the agent, and all its checks not run."""
    text = bounded(reason, 250)
    coverage = {"run": [], "not_run": [{"check": f"{agent} (all)", "reason": text}]}
    return {
        "agent": agent,
        "findings": [_absence(agent, text, now).model_dump(mode="json")],
        "proposals": [],
        "coverage": coverage,
        "failed": text,
    }


def _absence(agent: str, reason: str, now: datetime) -> Finding:
    subject = Target(cluster="day2", group="day2.dev", kind="Agent", name=agent, uid=f"agent-{agent}")
    return Finding(
        id=finding_id(ABSENT, subject),
        code=ABSENT,
        agent=agent,
        severity=Severity.HIGH,
        subject=subject,
        title=bounded(f"agent {agent} did not answer: {reason}", 200),
        matters="none of its checks ran: what it would have seen is not known",
        evidence=(observe("derived", subject, "consultation", reason, now),),
        at=now,
    )
