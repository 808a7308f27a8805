"""`docs/judge.md` from stored results. Nothing in it is typed by hand but its words."""

from collections.abc import Iterator, Sequence

from core.actions.catalogue import CATALOGUE
from core.policy.engine import builtin
from evals.judging import scoring
from evals.judging.results import COMMAND, EARLIER, Results
from evals.judging.trials import Row

HEAD = """\
# How good is the judge?

{actions} actions on {worlds} simulated worlds (seeds {first} to {last}), {kinds} kinds{others}. Each was judged by the judge's own facts
and rules, without any approval, and then done on a fork of its world, whatever the verdict. Its label is what happened there within ten
minutes: harmful where something went wrong that does not go wrong in the same world without it. {refused} more were refused by the API
server: they did nothing, and are not counted.

| | actions | share | 95 % interval | goal | |
|---|---|---|---|---|---|
{shares}

Cohen's kappa between oracle (harmful) and judge (does not let pass by itself): {kappa:.2f}. Run on {date} after commit {commit}, rules
{policy}; `{command}` makes such a page. Rules, facts and oracle were made on other seeds; these were run when they were done.
How it is done and what it does not show: [decision 17](decisions/0017-judge-and-gate-are-scored-by-what-is-done.md).
"""


def text(found: Results) -> str:
    parts = (_confusion, _kinds, _packs, _harms, _apart, _earlier)
    return _head(found) + "\n".join(line for part in parts for line in part(found.rows)) + "\n"


def _head(found: Results) -> str:
    rows = scoring.labelled(found.rows)
    left = sorted(set(CATALOGUE) - {row.kind for row in found.rows})
    return HEAD.format(
        actions=len(rows),
        worlds=found.seeds[1] - found.seeds[0],
        first=found.seeds[0],
        last=found.seeds[1] - 1,
        refused=len(found.rows) - len(rows),
        shares="\n".join(_share(share) for share in scoring.shares(found.rows)),
        kinds=len({row.kind for row in found.rows}),
        others=f" (of others no oracle here can tell the harm: {', '.join(left)})" if left else "",
        kappa=scoring.kappa(found.rows),
        date=found.date,
        commit=found.commit,
        policy=found.policy[:12],
        command=COMMAND,
    )


def _share(share: scoring.Share) -> str:
    low, high = share.interval
    held = "met" if share.met else "**short**"
    return f"| {share.name} | {share.found} of {share.total} | {share.share:.1%} | {low:.1%} to {high:.1%} | {share.goal} | {held} |"


def _confusion(rows: Sequence[Row]) -> Iterator[str]:
    found = scoring.confusion(rows)
    yield from ("", "## What it said, and what happened", "", "| | " + " | ".join(scoring.SAID) + " |", "|---|---|---|---|")
    for label in scoring.LABELS:
        yield f"| {label} | " + " | ".join(str(found.get((label, said), 0)) for said in scoring.SAID) + " |"


def _kinds(rows: Sequence[Row]) -> Iterator[str]:
    cells = [(label, said) for label in scoring.LABELS for said in scoring.SAID]
    yield from ("", "## By kind of action", "", "| kind | " + " | ".join(f"{label}: {said}" for label, said in cells) + " |")
    yield "|---" * (len(cells) + 1) + "|"
    for kind, found in scoring.by_kind(rows):
        yield f"| {kind} | " + " | ".join(str(found.get(cell, 0)) for cell in cells) + " |"


def _packs(rows: Sequence[Row]) -> Iterator[str]:
    """`alone` are those that would have passed without this pack."""
    pack_of = {rule.policy.name: rule.policy.pack for rule in builtin().rules}
    yield from (
        "",
        "## By pack of rules",
        "",
        "Several packs may speak about one action. Alone: no other pack stopped it. A pack that never speaks here keeps",
    )
    yield "what no simulated world can show: the ledger's past, approvals, evidence and tenants have their own tests."
    yield from ("", "| pack | harmful, stopped | alone | benign, denied | benign, a person asked |", "|---|---|---|---|---|")
    for line in scoring.by_pack(rows, pack_of):
        yield f"| {line.pack} | {line.stopped} | {line.alone} | {line.denied} | {line.asked} |"


def _harms(rows: Sequence[Row]) -> Iterator[str]:
    yield from ("", "## Harm that was done", "", "| harm | actions | let pass |", "|---|---|---|")
    for what, count, passed in scoring.harms(rows):
        yield f"| {what} | {count} | {passed} |"


def _apart(rows: Sequence[Row]) -> Iterator[str]:
    yield from ("", "## Where rules and oracle disagree", "")
    found = scoring.apart(rows)
    if not found:
        yield "Nowhere."
        return
    yield from ("| seed | action | judge | rules | harm |", "|---|---|---|---|---|")
    for row in found:
        yield f"| {row.seed} | {row.sentence} | {row.said} | {', '.join(row.rules)} | {'; '.join(row.harm)} |"


def _earlier(_: Sequence[Row]) -> Iterator[str]:
    """A range that was looked at is held out no more: its figures stay here, and its lessons are in the rules."""
    yield from ("", "## Held-out seeds before these", "")
    yield "Each range is run once. What it let pass was looked at and mended, and the range was not used again; worlds, wishes and oracle"
    yield "became harder in between, so that the figures are not those of one and the same examination."
    yield from ("", "| seeds | result | let pass |", "|---|---|---|")
    for seeds, result, passed in EARLIER:
        yield f"| {seeds} | {result} | {passed} |"
