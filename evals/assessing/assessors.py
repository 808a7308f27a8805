"""Who assesses: code alone, code with a model, and those that assess nothing, which no calibration may let pass."""

from collections.abc import Mapping, Sequence

from core.assessing import opinions
from core.assessing.answers import Answer, Assessment, Standing
from core.assessing.opinions import Opinion
from core.assessing.requirements import ASKED, REQUIREMENTS, assessed
from core.domain.errors import BudgetSpent, Unavailable
from core.domain.model import Model
from evals.assessing.corpus import Labelled
from evals.assessing.readers import Reader
from evals.assessing.scoring import Assessor


def by_code(case: Labelled) -> Assessment:
    return assessed(case.run)


def with_model(reader: Reader) -> Assessor:
    """What a model says is held to what it was shown, as in production."""

    def assess(case: Labelled) -> Assessment:
        return opinions.heard(case.run, assessed(case.run), reader(opinions.question(case.run))).assessment

    return assess


def unchecked(reader: Reader) -> Assessor:
    """A model taken at its word: what peers do who let a model judge. Without what code knows and without a look at what it cites."""

    def assess(case: Labelled) -> Assessment:
        told = {each.statement.value: each.standing for each in reader(opinions.question(case.run)).answers}
        answers = tuple(_answer(name, told.get(name, Standing.SATISFIED)) for name in ASKED)
        return Assessment(run=case.run.run, answers=answers, asked=ASKED)

    return assess


def _always(standing: Standing) -> Assessor:
    def assess(case: Labelled) -> Assessment:
        return Assessment(run=case.run.run, answers=tuple(_answer(each.name, standing) for each in REQUIREMENTS), asked=ASKED)

    return assess


def _nothing(case: Labelled) -> Assessment:
    return Assessment(run=case.run.run, answers=(), asked=ASKED)


def _echo(case: Labelled) -> Assessment:
    """Believes the report: what is told as mended is right."""
    good = all(claim.says == "mended" for claim in case.run.report)
    return _always(Standing.SATISFIED if good else Standing.VIOLATED)(case)


def _answer(name: str, standing: Standing) -> Answer:
    return Answer(requirement=name, standing=standing, why="always the same")


DEGENERATE: Mapping[str, Assessor] = {
    "all satisfied": _always(Standing.SATISFIED),
    "all violated": _always(Standing.VIOLATED),
    "all unknown": _always(Standing.UNKNOWN),
    "empty": _nothing,
    "echo of the report": _echo,
}


async def asked(cases: Sequence[Labelled], model: Model) -> tuple[Opinion, ...]:
    """What a model behind an endpoint says of each run, one after the other; nothing where it does not answer or its budget is spent."""
    return tuple([await _asked(case, model) for case in cases])


async def _asked(case: Labelled, model: Model) -> Opinion:
    try:
        return await model.ask(opinions.question(case.run), Opinion)
    except (Unavailable, BudgetSpent):
        return Opinion()


def heard(case: Labelled, said: Opinion) -> Assessment:
    """With an answer that was given."""
    return opinions.heard(case.run, assessed(case.run), said).assessment
