"""What a message asks for, by a table of intents with examples. Without a model: words weighed by how rarely the table uses them.

`interfaces/chat/modelling.py` may ask a model for the row instead; it names a row of this table and adds nothing.
"""

import itertools
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from core.domain.values import bounded
from graph import supervising

SURE, MAYBE = 0.5, 0.35
"""Likeness to an example from which it is meant, and from which it is offered as what may be meant."""
_ACTION, _RUN, _FINDING = (
    re.compile(r"\bact-[0-9a-z]{4,32}\b"),
    re.compile(r"\brun-[0-9a-z-]{3,60}\b"),
    re.compile(r"\bfnd-[0-9a-z]{4,32}\b"),
)
_ELSEWHERE = re.compile(
    r"(?:and|what about|how about|same for|the same for|now)(?: in| for)?(?: the)?(?: namespace)? ([a-z0-9][a-z0-9-]{0,61}[a-z0-9])\W*"
)
_GOES_ON = re.compile(r"\b(release|lift|resume|unfreeze|continue|end|again|over)\b")
"""Words of whoever wants to go on: they are never taken for a stop."""
_WORD = re.compile(r"[^\W_][\w'/-]*|\?")
_MENTION = re.compile(r"<@[^>]*>|(?<!\S)@day2\b|(?<!\S)/day2\b", re.IGNORECASE)
_DASHES = str.maketrans(dict.fromkeys("‐‑‒–—―−", "-"))
"""What telephones make of a hyphen."""


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_NAMESPACE = re.compile(
    r"(?:(?<!\S)-n[ =]|--namespace[ =]|\bnamespace\s+|\bns[ =/]|\bin\s+(?:the\s+)?(?:namespace\s+)?"
    r"|\b(?:scan|right-?size|right\s+size|plan|check|fix|mend|heal|repair|freeze|shrink)\s+(?:the\s+)?(?:namespace\s+)?)"
    r"([a-z0-9][a-z0-9-]{0,61}[a-z0-9])\b|\b([a-z0-9][a-z0-9-]{0,61}[a-z0-9])\s+namespace\b|\b(?:for|of)\s+(?:the\s+)?([a-z0-9][a-z0-9-]{0,61}[a-z0-9])\W*$"
)
_NO_NAMESPACE = _set(
    """me us you it all everything every any anything the that this its my our your for what which cluster now again please
    namespace dry-run dry something only slack chat here there general total detail details advance case order time
    production words english german console costs cost money security reliability scaling finops everywhere whole entire
    right-size rightsize resume writes write a an and first top waiting open memory cpu requests limits danger"""
)


class Intent(NamedTuple):
    """One row. `shown` is how people write it and what help shows; `says` is one sentence; `examples` are other ways to say it."""

    name: str
    shown: str
    says: str
    examples: tuple[str, ...]
    hidden: bool = False
    """A follow-up: it means something only in a thread."""


INTENTS: tuple[Intent, ...] = (
    Intent(
        "ask",
        "why is checkout slow?",
        "Any question: the agents that fit look, and the answer cites their evidence.",
        (
            "why does cart restart",
            "what is wrong with checkout",
            "what could be cheaper",
            "which pods run as root",
            "is anything broken",
            "what waits for a GPU",
            "who can read secrets",
        ),
    ),
    Intent(
        "scan",
        "scan payments",
        "All agents look at a namespace, or at everything.",
        (
            "scan",
            "scan everything",
            "scan the cluster",
            "scan the whole cluster",
            "scan namespace X",
            "run a scan",
            "start a scan of X",
            "check X",
            "check namespace X",
            "have a look at everything",
            "look at X",
            "look over the whole cluster",
            "do a health check",
            "give me an overview of X",
            "findings in X",
            "what findings do we have",
            "what findings are there",
            "audit X",
        ),
    ),
    Intent(
        "size",
        "right-size shop dry-run",
        "What requests could be smaller, as proposals; nothing is submitted.",
        (
            "right-size X",
            "rightsize X",
            "right size X dry run",
            "rightsize the requests in X",
            "rightsizing proposals for X",
            "rightsize everything",
            "rightsizing for X",
            "make the requests fit in X",
            "shrink the requests of X",
            "suggest smaller requests for X",
            "cut oversized requests in X",
        ),
    ),
    Intent(
        "plan",
        "plan shop",
        "Proposals as diffs; nothing is submitted.",
        (
            "plan",
            "plan X",
            "plan changes for X",
            "make a plan for X",
            "what would you do in X",
            "what would you change",
            "what do you propose for X",
            "show me proposals for X",
            "propose changes",
            "any proposals",
            "propose something for X",
            "suggest changes for X",
            "what would you do about it",
            "plan for the whole cluster",
            "suggest improvements for X",
            "dry run for X",
            "what do you suggest",
        ),
    ),
    Intent(
        "start",
        "fix shop",
        "A run whose proposals go before the judge; asks you to confirm.",
        (
            "fix X",
            "mend X",
            "heal X",
            "repair X",
            "apply the plan",
            "apply the proposals for X",
            "go ahead and fix X",
            "do it",
            "start a run for X",
            "start a run",
            "submit the proposals",
            "submit it",
            "please fix it",
            "make it so",
        ),
    ),
    Intent(
        "status",
        "status",
        "What is stopped, what waits, which agents live, what ran last.",
        (
            "status",
            "how is it going",
            "how are things",
            "how are we doing",
            "what is going on",
            "what is the state of the platform",
            "are you alive",
            "are the agents alive",
            "which agents are there",
            "list agents",
            "agents",
            "what ran last",
            "what did you do last",
            "is something stopped",
            "status of the platform",
            "last runs",
            "show me the runs",
            "recent runs",
            "is anything stopped",
            "are writes stopped",
        ),
    ),
    Intent(
        "approvals",
        "approvals",
        "What waits for a person.",
        (
            "approvals",
            "what waits for me",
            "what is waiting for approval",
            "what needs approval",
            "pending approvals",
            "open approvals",
            "show the approvals",
            "list approvals",
            "anything to approve",
            "is anything waiting for me",
            "what do I have to decide",
            "what do I need to approve",
            "do I have approvals open",
            "show my inbox",
            "inbox",
            "pending actions",
            "what needs a decision",
        ),
    ),
    Intent(
        "decide",
        "approve act-3fa9c2d1e0",
        "Shows the card with its buttons; words alone decide nothing.",
        (
            "approve act-X",
            "deny act-X",
            "reject act-X",
            "refuse act-X",
            "accept act-X",
            "ok act-X",
            "yes to act-X",
            "lgtm act-X",
            "let act-X through",
            "I approve act-X",
            "please approve act-X",
            "no to act-X",
            "decline act-X",
            "approve it",
            "deny it",
            "reject it",
        ),
    ),
    Intent(
        "show",
        "show act-3fa9c2d1e0",
        "The card of an action, as it stands.",
        (
            "show act-X",
            "act-X",
            "open act-X",
            "card of act-X",
            "what is act-X",
            "how is act-X going",
            "status of act-X",
            "where is act-X",
            "did act-X work",
            "what happened to act-X",
            "state of act-X",
            "what came of act-X",
            "details of act-X",
        ),
    ),
    Intent(
        "who",
        "who approved act-3fa9c2d1e0",
        "Who asked, who decided, when and why.",
        (
            "who approved act-X",
            "who denied act-X",
            "who decided on act-X",
            "who signed act-X",
            "who said yes to act-X",
            "who asked for act-X",
            "by whom was act-X approved",
            "whose approval does act-X have",
            "who let act-X through",
            "who rejected act-X",
            "who approved it",
            "approver of act-X",
        ),
    ),
    Intent(
        "explain",
        "explain act-3fa9c2d1e0",
        "The verdict rule by rule.",
        (
            "explain act-X",
            "why act-X",
            "why was act-X denied",
            "why does act-X need approval",
            "why does act-X need a person",
            "verdict of act-X",
            "which rules spoke on act-X",
            "which rule stopped act-X",
            "explain the verdict of act-X",
            "reason for act-X",
            "what did the judge say on act-X",
            "which rules did act-X fail",
            "why did the judge deny act-X",
            "why is act-X waiting",
        ),
    ),
    Intent(
        "run",
        "show run-3fa9c2d1e0",
        "A run as it stands.",
        ("run-X", "show run-X", "status of run-X", "what came of run-X", "how is run-X going", "is run-X done", "result of run-X"),
    ),
    Intent(
        "stop",
        "stop writes",
        "Emergency stop, at once; `stop writes in shop` for one namespace.",
        (
            "stop",
            "stop writes",
            "stop all writes",
            "stop everything",
            "emergency stop",
            "freeze",
            "freeze writes",
            "freeze everything",
            "halt",
            "halt all writes",
            "stop writes in X",
            "freeze X",
            "stop all agents",
            "pull the plug",
            "hold everything",
            "stop changing things",
            "no more changes",
        ),
    ),
    Intent(
        "resume",
        "resume",
        "Lifts a stop; asks you to confirm.",
        (
            "resume",
            "resume writes",
            "unfreeze",
            "lift the stop",
            "lift the freeze",
            "continue writing",
            "start writes again",
            "allow writes again",
            "release the stop",
            "release the emergency stop",
            "continue with writes",
            "end the emergency stop",
            "go on again",
            "resume X",
        ),
    ),
    Intent(
        "help",
        "help",
        "This list.",
        (
            "help",
            "help me",
            "what can you do",
            "what can I ask",
            "commands",
            "list commands",
            "how do I use you",
            "how does this work",
            "usage",
            "options",
            "hello",
            "hi",
            "hey day2",
            "good morning",
        ),
    ),
    Intent(
        "elsewhere",
        "and in payments?",
        "In a thread: the same question about another namespace.",
        ("and in X?", "and X?", "what about X?", "how about X?", "same for X", "the same in X", "now X", "and for X", "also in X?"),
        hidden=True,
    ),
    Intent(
        "why",
        "why?",
        "In a thread: why that was said, or why a person is needed.",
        (
            "why?",
            "why",
            "why is that",
            "how come",
            "why so",
            "what makes you say that",
            "what is the reason",
            "explain",
            "explain that",
            "please explain",
            "really?",
        ),
        hidden=True,
    ),
    Intent(
        "evidence",
        "show the evidence",
        "In a thread: what was seen, and how to look again.",
        (
            "show the evidence",
            "evidence",
            "evidence?",
            "show me the evidence",
            "prove it",
            "show me the proof",
            "proof?",
            "how do you know",
            "what did you see",
            "on what grounds",
            "show the numbers",
            "where is that from",
            "show me the data",
            "based on what",
        ),
        hidden=True,
    ),
)
BY_NAME = {intent.name: intent for intent in INTENTS}
NEED_ACTION = frozenset({"show", "who", "explain", "decide"})
NEED_THREAD = frozenset({"elsewhere", "why", "evidence"})


class Meant(NamedTuple):
    """`intent` is empty where nothing fits well enough; `near` are rows that may be meant. `verb` is approve or deny, of a decision.

    `sure` is False where only its likeness to an example speaks for it: then what changes something is asked about first."""

    intent: str
    text: str
    namespace: str = ""
    action: str = ""
    run: str = ""
    verb: str = ""
    near: tuple[str, ...] = ()
    sure: bool = True


def meant(text: str, *, follows: bool = False, about_action: bool = False) -> Meant:
    """`follows`: the thread was about something already; `about_action`: about one action."""
    clean = cleaned(text)
    action, run = _first(_ACTION, clean), _first(_RUN, clean)
    ranked = ranking(clean, follows=follows, has_action=bool(action) or about_action, has_run=bool(run))
    best, likeness = ranked[0] if ranked else ("", 0.0)
    found = Meant(best, clean, namespace_in(clean), action, run, _verb(clean))
    if follows and (elsewhere := _ELSEWHERE.fullmatch(clean.casefold())) and elsewhere[1] not in _NO_NAMESPACE:
        return found._replace(intent="elsewhere", namespace=elsewhere[1])
    if best == "stop" and _GOES_ON.search(clean.casefold()):
        return found._replace(intent="resume", sure=False)
    if action and (best not in NEED_ACTION or likeness < MAYBE):
        return found._replace(intent="show")
    if likeness < CLEAR and best in _BROAD and _names_a_domain(clean):
        return found._replace(intent="ask")
    if likeness >= SURE:
        return found._replace(sure=likeness > 0.9)
    near = tuple(name for name, score in ranked[:3] if score >= MAYBE and name not in (NEED_THREAD | {"ask"}))
    if asks_agents(clean):
        return found._replace(intent="ask", near=near)
    return found._replace(intent="", near=near, sure=False)


_BROAD = frozenset({"scan", "plan", "status", "help"})
"""Rows that a question resembles without being one of them."""
CLEAR = 0.75


def _names_a_domain(text: str) -> bool:
    scores = supervising.scores(text)
    elsewhere = scores.pop("elsewhere", 0)
    return max(scores.values(), default=0) >= max(supervising.NAMES, elsewhere + 1)


def cleaned(text: str) -> str:
    """One line, without the mention of us, with hyphens where telephones made dashes."""
    return " ".join(_MENTION.sub(" ", bounded(text, 4000)).translate(_DASHES).split())


def namespace_in(text: str) -> str:
    for found in _NAMESPACE.finditer(text.casefold()):
        name = found[1] or found[2] or found[3]
        if name not in _NO_NAMESPACE and not name.startswith(("act-", "run-", "fnd-")):
            return name
    return ""


def asks_agents(text: str) -> bool:
    """Whether the words are some agent's business, by the lexicon of the supervisor."""
    scores = supervising.scores(text)
    elsewhere = scores.pop("elsewhere", 0)
    return bool(_FINDING.search(text)) or max(scores.values(), default=0) > elsewhere


def ranking(text: str, *, follows: bool = False, has_action: bool = False, has_run: bool = False) -> list[tuple[str, float]]:
    """Rows by their best example, the likest first. Rows that need what is not there are left out."""
    terms = _terms(text)
    said = _weighed(terms)
    found = []
    for intent in INTENTS:
        if (
            (intent.name in NEED_THREAD and not follows)
            or (intent.name in NEED_ACTION and not has_action)
            or (intent.name == "run" and not has_run)
        ):
            continue
        found.append((intent.name, max(_likeness(said, vector) for vector in _vectors(intent.name))))
    return sorted(found, key=lambda row: (-row[1], row[0]))


def _first(pattern: "re.Pattern[str]", text: str) -> str:
    found = pattern.search(text.casefold())
    return found[0] if found else ""


def _verb(text: str) -> str:
    low = text.casefold()
    if re.search(r"\b(deny|denied|reject|refuse|decline|no to)\b", low):
        return "deny"
    return "approve" if re.search(r"\b(approve|accept|lgtm|yes|ok|let)\b", low) else ""


def _terms(text: str) -> list[str]:
    """Words and pairs of neighbours. Ids and names of namespaces are one word each: they are what is asked about, not what is asked."""
    low = text.casefold()
    name = namespace_in(low)
    for pattern, mark in ((_ACTION, "act-x"), (_RUN, "run-x"), (_FINDING, "fnd-x")):
        low = pattern.sub(mark, low)
    words = ["x" if word == name else _SAME.get(word, word) for word in _WORD.findall(low)]
    words = [word for word in words if word not in _EMPTY]
    return [*words, *(f"{one} {two}" for one, two in itertools.pairwise(words))]


_EMPTY = _set("""the a an of to please me us now can could you do is are be that kindly just our my""")
_WRITTEN = {
    "size": "rightsize right-size rightsizing right-sizing resize sizing",
    "deny": "reject refuse decline denied rejected",
    "approve": "accept approved",
    "what": "what's whats",
    "who": "who's",
    "finding": "findings",
    "run": "runs",
    "propose": "proposals proposal proposing",
    "suggest": "suggestions suggestion",
    "stop": "halt freeze",
    "stopped": "frozen",
    "resume": "unfreeze",
    "wait": "waiting waits",
    "explain": "explained",
    "agents": "agent",
    "approvals": "approval",
    "scan": "check scanning checkup",
    "fix": "repair mend heal",
    "plan": "planning",
    "writes": "mutations",
    "change": "changes",
    "command": "commands",
    "hello": "helo",
    "evidence": "proof",
    "why": "reason",
    "decide": "decision",
}
_SAME = {word: meaning for meaning, words in _WRITTEN.items() for word in words.split()}


OWN_WORDS = 0.35
"""How much it counts that the words are those of a row, whichever of its examples they stand in."""
SAME = 0.98
"""Likeness from which a text is an example."""


def _own(terms: Sequence[str], name: str) -> float:
    """Which part of what is said, by weight, this row's examples say too."""
    weights, words = _weights(), [term for term in set(terms) if " " not in term]
    whole = sum(weights.get(word, UNKNOWN) for word in words)
    own = _vocabulary(name)
    return sum(weights[word] for word in words if word in own) / whole if whole else 0.0


@lru_cache(maxsize=64)
def _vocabulary(name: str) -> frozenset[str]:
    return frozenset(term for vector in _vectors(name) for term in vector)


@lru_cache(maxsize=1)
def _weights() -> Mapping[str, float]:
    """How telling a term is: the fewer rows use it, the more."""
    rows = [{term for example in (intent.shown, *intent.examples) for term in _terms(example)} for intent in INTENTS]
    used = Counter(term for row in rows for term in row)
    return {term: math.log(1 + len(rows) / count) for term, count in used.items()}


UNKNOWN = 1.1
"""Weight of a word that no example has: it makes every likeness smaller, so that a long question about something else is no command."""


@lru_cache(maxsize=64)
def _vectors(name: str) -> tuple[Mapping[str, float], ...]:
    intent = BY_NAME[name]
    return tuple(_weighed(_terms(example)) for example in dict.fromkeys((intent.shown, *intent.examples)))


def _weighed(terms: Iterable[str]) -> Mapping[str, float]:
    weights = _weights()
    return {term: weights.get(term, UNKNOWN if " " not in term else 0.0) for term in set(terms)}


def _likeness(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    """Cosine of the two."""
    shared = sum(weight * other[term] for term, weight in one.items() if term in other)
    lengths = math.sqrt(sum(weight**2 for weight in one.values()) * sum(weight**2 for weight in other.values()))
    return shared / lengths if lengths else 0.0
