"""Choosing agents for a request: by name, trigger, capability, words, and whether they live. Pure; the model's opinion comes in as data.

The route says why each agent is asked, who would have been asked but is not alive, and when nobody fits.
"""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

from core.domain.request import Request
from graph import lexicon
from graph.routes import Choice, Route
from registry.membership import Member

ENOUGH = 1
SURE = 2  # a hint alone does not narrow a request for the whole picture
NAMES = 3
SAFE_LENGTH = 6  # below it, one other letter makes another word: still, stall
SHARE_OF_BEST = 40  # per cent: a second agent is asked when its score comes that near to the best
_WORD = re.compile(r"[^\W_][\w'-]*")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")  # TargetDown is two words, as alerts, reasons and fields are written
_PHRASES = tuple(sorted((row for row in lexicon.STEMS.items() if " " in row[0]), key=lambda row: (-len(row[0]), row[0])))
_MISTAKABLE = tuple(row for row in lexicon.STEMS.items() if len(row[0]) > 4 and row[0].isalpha() and max(row[1].values()) == 3)
_NUMBERED = frozenset({"cve", "soc", "iso", "cis", "pci", "p99", "sev"})


def choose(request: Request, members: Sequence[Member], suggested: Sequence[str] = ()) -> Route:
    """`suggested` are agents that a model named: they are asked besides those whose words fit, never instead of them."""
    wanted = _wanted(request, members, suggested)
    if not wanted:
        return Route((), nobody=_nobody(members))
    alive = {member.name for member in members if member.takes_work}
    chosen = tuple(choice for choice in wanted if choice.agent in alive)
    absent = tuple(
        choice._replace(why=f"{choice.why}; but it is {_state(choice.agent, members)}") for choice in wanted if choice.agent not in alive
    )
    nobody = "" if chosen else "; ".join(f"{choice.agent}: {choice.why}" for choice in absent)
    return Route(chosen, nobody, absent)


def scores(text: str) -> dict[str, int]:
    """How strongly the words of a text speak for each domain."""
    return {domain: sum(hits.values()) for domain, hits in _hits(text).items()}


def _hits(text: str) -> dict[str, dict[str, int]]:
    """Domain to what was said for it, with its weight. A word counts once, by its longest stem; what a phrase has matched is used up."""
    rest = f" {' '.join(_words(text))} "
    found: dict[str, dict[str, int]] = {}
    for phrase, weights in _PHRASES:
        if f" {phrase}" in rest:
            rest = rest.replace(f" {phrase}", " | ")
            _count(found, phrase, weights)
    for word in rest.split():
        _count(found, word, _weights(word))
    return found


def _count(found: dict[str, dict[str, int]], said: str, weights: Mapping[str, int]) -> None:
    for domain, weight in weights.items():
        found.setdefault(domain, {})[said] = weight


def _words(text: str) -> list[str]:
    """Words without apostrophes and without the names of things; a hyphenated word is its parts. In German, `die` is an article."""
    words: list[str] = []
    for word in _WORD.findall(_HUMP.sub(" ", text).casefold().replace("’", "").replace("'", "")):
        parts = word.strip("-").split("-")
        if len(parts) == 1 or parts[0] in _NUMBERED or not any(part in lexicon.NAME_PARTS or part.isdigit() for part in parts):
            words += parts
    german = not lexicon.GERMAN.isdisjoint(words)
    around = zip(("", *words), words, (*words[1:], ""), strict=False)
    return [word for before, word, after in around if not (german and word == "die") and not _names(before, word, after)]


def _names(before: str, word: str, after: str) -> bool:
    """Whether it is what a thing is called: `the billing api`, `team payments`."""
    return word in lexicon.NAMES and (after in lexicon.THINGS or before in lexicon.OWNERS)


@lru_cache(maxsize=4096)
def _weights(word: str) -> Mapping[str, int]:
    for length in range(len(word), 1, -1):
        stem = word[:length]
        if length == len(word) and f"{stem}=" in lexicon.STEMS:
            return lexicon.STEMS[f"{stem}="]
        if stem in lexicon.STEMS:
            return lexicon.STEMS[stem]
    return next((weights for stem, weights in _MISTAKABLE if _mistyped(word, stem)), {})


def _mistyped(word: str, stem: str) -> bool:
    """Two letters exchanged; in longer words also one too many, too few or other. Behind the same first letter."""
    if word[0] != stem[0]:
        return False
    for start in (word[: len(stem)], word[: len(stem) + 1], word[: len(stem) - 1]):
        at = next((place for place, (one, two) in enumerate(zip(start, stem, strict=False)) if one != two), min(len(start), len(stem)))
        one, two = start[at:], stem[at:]
        if len(one) > 1 and one[1::-1] + one[2:] == two:
            return True
        if len(stem) >= SAFE_LENGTH and (one[1:] == two[1:] or one[1:] == two or one == two[1:]):
            return True
    return False


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
    if not extra and _everything(request.text) and all(choice.score < SURE for choice in chosen):
        return tuple(Choice(member.name, "the whole picture was asked for") for member in members)
    if not chosen and not extra and request.trigger == "alert":
        return tuple(Choice(member.name, "alerts go to reliability") for member in members if member.name == lexicon.RELIABILITY)
    return chosen + extra


def _everything(text: str) -> bool:
    return lexicon.ELSEWHERE not in _hits(text) and any(word in text.casefold() for word in lexicon.EVERYTHING)


def _by_capability(text: str, members: Sequence[Member]) -> tuple[Choice, ...]:
    words = set(_WORD.findall(text.casefold()))
    return tuple(
        Choice(member.name, f"has the capability {item.id}", 100)
        for member in members
        for item in member.card.capabilities
        if item.id in words or item.id.replace("_", "-") in words
    )


def _by_words(text: str, members: Sequence[Member]) -> tuple[Choice, ...]:
    hits = _hits(text)
    found = {domain: sum(weights.values()) for domain, weights in hits.items()}
    for member in members:
        own = sum(3 for word in member.card.words if _says(text, word))
        if own and member.name not in lexicon.DOMAINS:
            found[member.name] = found.get(member.name, 0) + own
    elsewhere = found.pop(lexicon.ELSEWHERE, 0)
    best = max(found.values(), default=0)
    if best < ENOUGH or best <= elsewhere:
        return ()
    names = {member.name for member in members}
    fitting = ((score, name) for name, score in found.items() if name in names and _counts(score, best, hits.get(name, {})))
    picked = sorted(fitting, key=_best_first)
    return tuple(Choice(name, f"words of its domain: {', '.join(hits.get(name, ())) or 'of its card'}", score) for score, name in picked)


def _counts(score: int, best: int, said: Mapping[str, int]) -> bool:
    """Whether an agent is asked beside the best: something must name its domain, hints alone are anybody's."""
    named = max(said.values(), default=NAMES) >= NAMES
    return score == best or (score * 100 >= best * SHARE_OF_BEST and (named or score > NAMES))


def _best_first(row: tuple[int, str]) -> tuple[int, str]:
    return -row[0], row[1]


def _says(text: str, word: str) -> bool:
    return any(part.startswith(word.casefold()) for part in _WORD.findall(text.casefold()))


def _nobody(members: Sequence[Member]) -> str:
    names = ", ".join(sorted(member.name for member in members))
    known = names or "none is registered"
    return f"no registered agent fits these words ({known}); ask about cost, reliability, security or scaling, or name an agent"


def _state(agent: str, members: Sequence[Member]) -> str:
    return next((member.state.value for member in members if member.name == agent), "not registered")
