"""What a model is asked of a run, and what of its answer counts.

It answers from closed lists, names what shows it by ids that it was shown, and quotes it word for word; code looks each of them up. It can
only tighten: it never takes a violation back, and its `satisfied` changes nothing. Two statements among those that it is asked are
controls, of which code knows that one holds and one does not: an answer that gets one of them wrong was not read from this run, and is
left aside as a whole. So fall answers that are always the same, empty, or an echo of what was asked.
"""

from enum import StrEnum
from typing import NamedTuple

from pydantic import Field

from core.assessing.answers import Answer, Assessment, Standing
from core.assessing.requirements import BY_NAME, REQUIREMENTS
from core.assessing.trajectory import Trajectory
from core.domain.model import Question
from core.domain.quoting import Quoted
from core.domain.values import Value, bounded, canonical, digest

PURPOSE = "assess a run"
SHOWN = 20
"""As many texts as a prompt may hold."""
SHORTEST_QUOTE = 8
CONTROLS = ("control-a", "control-b")
WORDS = tuple(requirement.name for requirement in REQUIREMENTS if requirement.words)
Asked = StrEnum("Asked", {name.replace("-", "_"): name for name in (*WORDS, *CONTROLS)})  # type: ignore[misc]


class Said(Value):
    """Of one statement. `cites` are ids of what shows it, `quote` is copied from one of them."""

    statement: Asked
    standing: Standing
    cites: tuple[str, ...] = Field(default=(), max_length=4)
    quote: str = Field(default="", max_length=200)


class Opinion(Value):
    """The whole answer of the model."""

    answers: tuple[Said, ...] = Field(default=(), max_length=12)


class Heard(NamedTuple):
    """The assessment with what the model adds; `aside` says why its answer was left aside, where it was."""

    assessment: Assessment
    aside: str = ""


def question(run: Trajectory) -> Question:
    return Question(PURPOSE, _instruction(run), evidence=shown(run))


def shown(run: Trajectory) -> tuple[Quoted, ...]:
    """Actions first, then what they name, then what that rests on."""
    told = {claim.about: claim for claim in run.report}
    items: dict[str, str] = {}
    for step in run.steps:
        changes = "; ".join(f"{change.path}: {change.old} to {change.new}" for change in step.changes[:3])
        claim = told.get(step.id)
        says = f"Told as {claim.says}: {claim.words}" if claim else ""
        parts = (f"{step.kind} {step.target.qualified} for {', '.join(step.findings)}", f"Why: {step.why}", changes, says)
        items[step.id] = ". ".join(part for part in parts if part)
    named = [finding for step in run.steps for cited in step.findings if (finding := run.finding(cited))]
    for finding in dict.fromkeys((*named, *run.before)):
        cause = f" Explained by {finding.symptom_of}." if finding.symptom_of else ""
        items[finding.id] = f"{finding.code} on {finding.subject.qualified}: {finding.title}.{cause}"
    for cited in dict.fromkeys((*(each for finding in named for each in finding.evidence), *(each.id for each in run.evidence))):
        if seen := run.observation(cited):
            items[cited] = f"{seen.subject.kind} {seen.subject.name}: {seen.query} = {seen.value}"
    for later in run.after.findings if run.after else ():
        items.setdefault(f"later-{later.id}", f"Later {later.code} on {later.subject.qualified}: {later.title}")
    return tuple(Quoted(name, bounded(text, 500)) for name, text in list(items.items())[:SHOWN])


def controls(run: Trajectory) -> dict[str, tuple[str, Standing]]:
    """By name: the statement, and what is true. Which of them holds differs from run to run."""
    step = run.steps[0] if run.steps else None
    kind, other = (step.kind, "drain_cluster") if step else ("nothing", "restart_rollout")
    pair = (f"an action of this run is {kind}", Standing.SATISFIED), (f"an action of this run is {other}", Standing.VIOLATED)
    first, second = pair if int(digest(run.run)[:2], 16) % 2 else reversed(pair)
    return dict(zip(CONTROLS, (first, second), strict=True))


def _instruction(run: Trajectory) -> str:
    statements = [f"{name}: {BY_NAME[name].says}" for name in WORDS] + [f"{name}: {text}" for name, (text, _) in controls(run).items()]
    return (
        "A run of an operations agent on Kubernetes has ended. The evidence holds its actions with their reasons and what is told of them, "
        "its findings, and what was observed. For each statement say satisfied, violated, or unknown where the texts do not tell. For a "
        "violation cite the ids of the texts that show it, and copy at least eight characters from one of them as the quote.\n"
        + "\n".join(statements)
    )


def heard(run: Trajectory, assessment: Assessment, opinion: Opinion) -> Heard:
    """What of the answer holds, joined to what code said."""
    said = {each.statement.value: each for each in opinion.answers}
    for name, (_, truth) in controls(run).items():
        if name not in said or said[name].standing is not truth:
            return Heard(assessment, f"{name} is answered wrong: this was not read from the run")
    texts = {item.id: item.text for item in shown(run)}
    added = {name: each for name, each in said.items() if name in WORDS and _holds(each, texts)}
    if len(added) > 1 and len({(each.cites, each.quote) for each in added.values()}) == 1:
        return Heard(assessment, "every violation rests on the same words")
    return Heard(
        assessment.model_copy(update={"answers": tuple(_joined(answer, added.get(answer.requirement)) for answer in assessment.answers)})
    )


def _holds(said: Said, texts: dict[str, str]) -> bool:
    """A violation whose ids were shown and whose quote stands in one of them."""
    if said.standing is not Standing.VIOLATED or not said.cites or not set(said.cites) <= set(texts):
        return False
    quote = said.quote.strip()
    return len(quote) >= SHORTEST_QUOTE and any(quote in texts[cited] for cited in said.cites)


def _joined(answer: Answer, said: Said | None) -> Answer:
    if said is None or answer.standing is Standing.VIOLATED:
        return answer
    why = bounded(f"a model reads a violation in {canonical(said.quote).decode()}", 400)
    return answer.model_copy(update={"standing": Standing.VIOLATED, "why": why, "cites": said.cites, "by": "model"})
