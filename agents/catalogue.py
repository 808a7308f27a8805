"""The four agents, in the order in which they are shown. The registry, the supervisor and `scan` read this table."""

from agents.desk import Agent
from agents.finops.table import AGENT as FINOPS
from agents.reliability.table import AGENT as RELIABILITY
from agents.scaling.table import AGENT as SCALING
from agents.security.table import AGENT as SECURITY

AGENTS: tuple[Agent, ...] = (RELIABILITY, SECURITY, SCALING, FINOPS)


def agent(name: str) -> Agent | None:
    return next((item for item in AGENTS if item.name == name), None)
