"""Who is asked, and why: the supervisor's answer."""

from typing import NamedTuple


class Choice(NamedTuple):
    """One agent with the reason in words fit for a person."""

    agent: str
    why: str
    score: int = 0


class Route(NamedTuple):
    """`nobody` is set when no agent fits, or none that fits is alive; `absent` names agents that would have been asked."""

    chosen: tuple[Choice, ...]
    nobody: str = ""
    absent: tuple[Choice, ...] = ()
