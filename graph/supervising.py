"""Choosing agents for a request: by name, trigger, capability, words, and whether they live. Pure; the model's opinion comes in as data.

The route says why each agent is asked, who would have been asked but is not alive, and when nobody fits.
"""

import re
from collections.abc import Sequence

from core.domain.request import Request
from graph import lexicon
from graph.routes import Choice, Route
from registry.membership import Member

ENOUGH = 2
SHARE_OF_BEST = 60  # per cent: a second agent is asked when its score comes that near to the best
_WORD = re.compile(r"[a-z0-9][a-z0-9_-]*")


def choose(request: Request, members: Sequence[Member], suggested: Sequence[str] = ()) -> Route:
    """`suggested` are agents that a model named: they are asked besides those whose words fit, never instead of them."""
    wanted = _wanted(request, members, suggested)
    if not wanted:
        return Route((), nobody=_nobody(members))
    alive = {member.name for member in members if member.takes_work}
    chosen = tuple(choice for choice in wanted if choice.agent in alive)
    absent = tuple(choice._replace(why=f"{choice.why}; but it is {_state(choice.agent, members)}") for choice in wanted if choice.agent not in alive)
    nobody = "" if chosen else "; ".join(f"{choice.agent}: {choice.why}" for choice in absent)
    return Route(chosen, nobody, absent)


def scores(text: str) -> dict[str, int]:
    """How strongly the words of a text speak for each domain."""
    folded = text.casefold()
    words = set(_WORD.findall(folded))
    found: dict[str, int] = {}
    for stem, weights in lexicon.STEMS.items():
        if (" " in stem and stem in folded) or any(word.startswith(stem) for word in words):
            for domain, weight in weights.items():
                found[domain] = found.get(domain, 0) + weight
    return found


def _wanted(request: Request, members: Sequence[Member], suggested: Sequence[str]) -> tuple[Choice, ...]:
    if request.agents:
        return tuple(Choice(name, "asked for by name") for name in request.agents)
    named = _by_capability(request.text, members)
    if named:
        return named
    if not request.text.strip() or request.trigger == "schedule":
        return tuple(Choice(member.name, "a scan asks every agent") for member in members)
    chosen = _by_words(request.text, members)
    extra = tuple(Choice(name, "suggested by the model") for name in suggested if name not in {choice.agent for choice in chosen})
    if not chosen and not extra and any(word in request.text.casefold() for word in lexicon.EVERYTHING):
        return tuple(Choice(member.name, "the whole picture was asked for") for member in members)
    if not chosen and not extra and request.trigger == "alert":
        return tuple(Choice(member.name, "alerts go to reliability") for member in members if member.name == lexicon.RELIABILITY)
    return chosen + extra


def _by_capability(text: str, members: Sequence[Member]) -> tuple[Choice, ...]:
    words = set(_WORD.findall(text.casefold()))
    return tuple(
        Choice(member.name, f"has the capability {item.id}", 100)
        for member in members
        for item in member.card.capabilities
        if item.id in words or item.id.replace("_", "-") in words
    )


def _by_words(text: str, members: Sequence[Member]) -> tuple[Choice, ...]:
    found = scores(text)
    for member in members:
        own = sum(3 for word in member.card.words if _says(text, word))
        if own and member.name not in lexicon.DOMAINS:
            found[member.name] = found.get(member.name, 0) + own
    best = max(found.values(), default=0)
    if best < ENOUGH:
        return ()
    names = {member.name for member in members}
    picked = sorted(((score, name) for name, score in found.items() if name in names and score * 100 >= best * SHARE_OF_BEST), key=lambda row: (-row[0], row[1]))
    return tuple(Choice(name, f"words of its domain: {_matched(text, name)}", score) for score, name in picked)


def _says(text: str, word: str) -> bool:
    return any(part.startswith(word.casefold()) for part in _WORD.findall(text.casefold()))


def _matched(text: str, domain: str) -> str:
    folded = text.casefold()
    words = _WORD.findall(folded)
    hits = [
        stem if " " in stem else next(word for word in words if word.startswith(stem))
        for stem, weights in lexicon.STEMS.items()
        if domain in weights and ((" " in stem and stem in folded) or any(word.startswith(stem) for word in words))
    ]
    return ", ".join(dict.fromkeys(hits)) or "its card's words"


def _nobody(members: Sequence[Member]) -> str:
    names = ", ".join(sorted(member.name for member in members))
    return f"no registered agent fits these words ({names or 'none is registered'}); ask about cost, reliability, security or scaling, or name an agent"


def _state(agent: str, members: Sequence[Member]) -> str:
    return next((member.state.value for member in members if member.name == agent), "not registered")
