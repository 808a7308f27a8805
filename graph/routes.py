"""Who is asked, and why: the supervisor's answer."""

from typing import NamedTuple

from core.domain.model import Usage

NOTHING_USED = Usage()


class Choice(NamedTuple):
    """One agent with the reason in words fit for a person."""

    agent: str
    why: str
    score: int = 0


class Route(NamedTuple):
    """`nobody` is set when no agent fits, or none that fits is alive; `absent` names agents that would have been asked.

    `usage` is what a model cost that was asked for its opinion; `without_model` says why none was heard.
    """

    chosen: tuple[Choice, ...]
    nobody: str = ""
    absent: tuple[Choice, ...] = ()
    usage: Usage = NOTHING_USED
    without_model: str = ""
