"""A run in at most twelve sentences, made of what was recorded: who asked, who looked, what they saw, what was done, what waits."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from interfaces.console.templating import clock, who

MOST = 12
SAID = {
    "verified": "was done and verified",
    "rolled_back": "was done, missed its check, and was taken back",
    "denied": "was denied",
    "expired": "expired: nobody decided in time",
    "cancelled": "was taken back before it ran",
    "failed": "failed, and nothing was changed",
    "escalated": "needs a person: it could not be taken back",
    "needs_approval": "waits for people",
    "applied": "was applied and is watched now",
}


QUIET = frozenset({"verified", "expired", "needs_approval"})
"""Whose note says what the sentence says."""


class Sentence(NamedTuple):
    """`word` gives the glyph; `href` leads to what the sentence is about."""

    text: str
    word: str = "info"
    href: str = ""


def told(run: Mapping[str, Any], answer: Mapping[str, Any] | None) -> list[Sentence]:
    found = [_asked(run)]
    if answer:
        found += _looked(answer)
    elif run["finishedAt"] is None:
        found.append(Sentence("Agents are looking; the story grows as they answer.", "working"))
    found += _acted(run, MOST - len(found) - 1)
    if run["finishedAt"]:
        found.append(Sentence(f"The run ended at {clock(run['finishedAt'])}.", "ended"))
    return found[:MOST]


def _asked(run: Mapping[str, Any]) -> Sentence:
    asked = f"asked: “{run['text'][:200]}”" if run["text"] else "started a look at everything"
    return Sentence(f"At {clock(run['startedAt'])}, {who(run['by'])} {asked} ({run['trigger'] or 'cli'}).", "info")


def _looked(answer: Mapping[str, Any]) -> list[Sentence]:
    found = []
    asked, findings = answer["asked"], answer["findings"]
    if asked:
        found.append(Sentence(f"{_joined(asked)} looked, and {len(answer['coverage']['run'])} checks ran.", "ended"))
    found += [Sentence(f"{row['agent']} did not answer: {row['reason']}.", "warn") for row in answer["missing"][:2]]
    if answer["coverage"]["notRun"]:
        found.append(Sentence(f"{_counted(len(answer['coverage']['notRun']), 'check')} could not run: not run is not clean.", "warn"))
    if not findings:
        found.append(Sentence("Nothing was found by the checks that ran.", "ok"))
    else:
        worst = findings[0]
        causes = sum(not row.get("symptomOf") for row in findings)
        found.append(
            Sentence(f"{_counted(len(findings), 'finding')}, {causes} of them causes; the worst: {worst['title']}.", worst["severity"])
        )
    proposals, held = answer["proposals"], answer["held"]
    if proposals or held:
        kept = f"; {len(held)} held back, as another wish wants otherwise" if held else ""
        found.append(Sentence(f"{_counted(len(proposals), 'change')} proposed{kept}.", "info"))
    return found


def _acted(run: Mapping[str, Any], most: int) -> list[Sentence]:
    rows = run["actions"]
    found = []
    for item in rows[: max(0, most)]:
        said = SAID.get(item["state"], f"is {item['state'].replace('_', ' ')}")
        note = f": {item['note']}" if item["note"] and item["state"] not in QUIET else ""
        found.append(Sentence(f"{item['sentence'][:160]} {said}{note[:160]}.".replace("..", "."), item["state"], f"/actions/{item['id']}"))
    if len(rows) > most > 0:
        found[-1] = Sentence(f"{len(rows) - most + 1} more actions are listed below.", "info")
    return found


def _joined(names: Any) -> str:
    rows = [str(name) for name in names]
    return rows[0] if len(rows) == 1 else f"{', '.join(rows[:-1])} and {rows[-1]}"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
