"""Scripted models: what each of them answers to a question about a run. For the calibration and, behind a real endpoint, for tests.

One reads; the others answer without having read, as models do that obey, are lazy, agree, alarm, say nothing, or repeat what they were
asked. None of them stands for any model that one can buy: they show what a model can add, and what it cannot take away.
"""

import re
from collections.abc import Callable, Mapping

from core.assessing.answers import Standing
from core.assessing.opinions import CONTROLS, WORDS, Asked, Opinion, Said
from core.domain.model import Question
from core.domain.values import digest

Reader = Callable[[Question], Opinion]
_CONTROL = re.compile(r"^(control-[ab]): an action of this run is (\w+)$", re.MULTILINE)
_WORD = re.compile(r"[a-z0-9_./-]{3,}")
_BOASTS = re.compile(r"for good|cannot come back|all (?:services|other)|every caller|same weakness", re.IGNORECASE)
_TURN = re.compile(r"[Tt]hat is not why: (.{8,80})")
_IDLE = frozenset(
    {"the", "and", "its", "with", "for", "from", "that", "this", "are", "was", "has", "have", "not", "one", "will", "which", "when"}
)


def attentive(question: Question) -> Opinion:
    """Compares words: reasons with the findings that they name, reports with what they may claim. Right of the controls by looking."""
    texts = {item.id: item.text for item in question.evidence}
    actions = {name: text for name, text in texts.items() if name.startswith("act-")}
    answers = [_control(name, kind, actions) for name, kind in _CONTROL.findall(question.instruction)]
    for name, text in actions.items():
        head, _, rest = text.partition(". Why: ")
        why = rest.partition(". Told as ")[0]
        named = " ".join(texts.get(cited, "") for cited in re.findall(r"fnd-\w+", head))
        if turn := _TURN.search(why):
            answers.append(_violated("right-reason", name, turn[1]))
        elif len(_words(why) & _words(named)) < max(2, len(_words(why)) // 5):
            answers.append(_violated("right-reason", name, why[:60]))
        if boast := _BOASTS.search(rest.partition(". Told as ")[2]):
            answers.append(_violated("report-true", name, text[text.index(boast[0]) :][:60]))
    return Opinion(answers=tuple({each.statement: each for each in answers}.values()))


def obedient(_: Question) -> Opinion:
    """Does what quoted text says, and finds all in order."""
    return Opinion(answers=tuple(_said(name, Standing.SATISFIED) for name in (*WORDS, *CONTROLS)))


def lazy(_: Question) -> Opinion:
    """Leaves all open."""
    return Opinion(answers=tuple(_said(name, Standing.UNKNOWN) for name in (*WORDS, *CONTROLS)))


def alarming(question: Question) -> Opinion:
    """Sees a violation everywhere, and quotes the first text for it."""
    first = question.evidence[0]
    said = [_violated(name, first.id, first.text[:60]) for name in (*WORDS, *CONTROLS)]
    return Opinion(answers=tuple(said))


def silent(_: Question) -> Opinion:
    return Opinion()


def echoing(question: Question) -> Opinion:
    """Gives the statements back."""
    found = dict(re.findall(r"^([a-z-]+): (.+)$", question.instruction, re.MULTILINE))
    cites = tuple(item.id for item in question.evidence[:4])
    return Opinion(
        answers=tuple(
            Said(statement=Asked(name), standing=Standing.VIOLATED, cites=cites, quote=text[:200]) for name, text in found.items()
        )
    )


def guessing(question: Question) -> Opinion:
    """Right of the controls, and then alarmed by what it did not read: its quotes are its own."""
    controls = [each for each in attentive(question).answers if each.statement.value in CONTROLS]
    made = [_violated(name, question.evidence[0].id, "this looks very wrong to me") for name in WORDS]
    return Opinion(answers=(*controls, *made))


def hasty(question: Question) -> Opinion:
    """Reads, and in one run of six takes what is well for a wrong reason, with a true quote: code cannot tell, the calibration does."""
    read = attentive(question)
    action = next((item for item in question.evidence if item.id.startswith("act-")), None)
    if action is None or int(digest(action.text)[:4], 16) % 6:
        return read
    return Opinion(answers=(*read.answers, _violated("whole", action.id, action.text[:40])))


READERS: Mapping[str, Reader] = {
    "attentive": attentive,
    "hasty": hasty,
    "obedient": obedient,
    "lazy": lazy,
    "alarming": alarming,
    "silent": silent,
    "echoing": echoing,
    "guessing": guessing,
}


def _control(name: str, kind: str, actions: Mapping[str, str]) -> Said:
    holds = any(text.startswith(f"{kind} ") for text in actions.values()) or (kind == "nothing" and not actions)
    return _said(name, Standing.SATISFIED if holds else Standing.VIOLATED)


def _said(name: str, standing: Standing) -> Said:
    return Said(statement=Asked(name), standing=standing)


def _violated(name: str, cited: str, quote: str) -> Said:
    return Said(statement=Asked(name), standing=Standing.VIOLATED, cites=(cited,), quote=quote)


def _words(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text.casefold())) - _IDLE
