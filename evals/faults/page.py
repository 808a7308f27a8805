"""`docs/faults.md` from stored results. Nothing in it is typed by hand but its words."""

from collections.abc import Iterator, Sequence

from evals.faults import scoring
from evals.faults.results import COMMAND, Results
from evals.faults.scoring import Share
from evals.faults.trials import Row
from simulator.faults.table import FAULTS

HEAD = """\
# Faults: found, explained, mended

{faults} faults of {families} families, each done by ordinary API writes to a healthy simulated cluster of three teams (two dozen pods on
eight nodes, with services that call one another, budgets, autoscaler, claim, jobs, daemons), drawn from {seeds}. Every agent then looks,
and what it proposes for the cause goes through the product's own judge and executor. Right means: the first incident of the scan is the
object at fault, named by a right check; of a double fault each cause is an incident, and of one that passes by itself nothing may be told.
Elsewhere are incidents on objects that the fault has nothing to do with. Mended means: verified by the executor, nothing left for the
oracle to say of the cluster, also after a pod of the workload was deleted. Harmed are pods of others that went or were restarted.

| | trials | | 95 % interval | goal | |
|---|---|---|---|---|---|
{shares}

Healthy grounds were told of {quiet}. Run on {date} after commit {commit}; `{command}` makes such a page, `python -m evals.faults --only ID`
shows one fault. The library is `simulator/faults/`; its oracle is written from what Kubernetes promises and knows no check of ours.

Of these, {rig} are done on a real control plane too, where real controllers or the pod's own spec make both cause and cure, with the
same demands (`make test-cluster ARGS="tests/cluster/test_faults.py"`); they have a mark under rig.

| fault | family | rig | first incident | right | elsewhere | mended by | end |
|---|---|---|---|---|---|---|---|
"""


def text(found: Results) -> str:
    return _head(found) + "\n".join(_lines(found.rows)) + "\n" + "\n".join(_short(found.rows)) + "\n"


def _head(found: Results) -> str:
    return HEAD.format(
        faults=len({row.fault for row in found.rows}),
        families=len({row.family for row in found.rows}),
        seeds=f"seed{'s' if len(found.seeds) > 1 else ''} {', '.join(map(str, found.seeds))}",
        shares="\n".join(map(_share, scoring.shares(found.rows))),
        quiet=f"{len(found.quiet)} incidents" if found.quiet else "no incident",
        date=found.date,
        commit=found.commit,
        command=COMMAND,
        rig=sum(fault.on_rig for fault in FAULTS),
    )


def _share(share: Share) -> str:
    low, high = share.interval
    held = "met" if share.met else "**short**"
    return f"| {share.name} | {share.total} | {share.right} ({share.share:.1%}) | {low:.1%} to {high:.1%} | {share.goal:.0%} | {held} |"


def _lines(rows: Sequence[Row]) -> Iterator[str]:
    """One line for each fault: the first ground, and the others where they differ."""
    rig = {fault.id for fault in FAULTS if fault.on_rig}
    for name in dict.fromkeys(row.fault for row in rows):
        group = [row for row in rows if row.fault == name]
        first = group[0]
        right = "yes" if all(row.right for row in group) else "no"
        elsewhere = "; ".join(dict.fromkeys(each for row in group for each in row.elsewhere)) or "-"
        kinds = ", ".join(dict.fromkeys(f"`{kind}`" for row in group for kind in row.kinds)) or "-"
        end = "-" if not first.mendable else "mended" if all(row.mended for row in group) else "**not**"
        mark = "x" if name in rig else ""
        yield f"| {name} | {first.family} | {mark} | {first.first} | {right} | {elsewhere} | {kinds} | {end} |"


def _short(rows: Sequence[Row]) -> Iterator[str]:
    """What fell short, with all that is known of it."""
    bad = [row for row in rows if not row.right or row.elsewhere or (row.mendable and (not row.mended or row.harmed))]
    yield from ("", "## What fell short", "")
    if not bad:
        yield "Nothing."
    for row in bad:
        told = [f"first incident {row.first}"]
        told += [f"elsewhere {each}" for each in row.elsewhere]
        told += [f"`{kind}`: {end}" for kind, end in zip(row.kinds, row.ended, strict=True) if end != "verified"]
        told += [*row.ills, *(f"harmed: {each}" for each in row.harmed)]
        yield f"- {row.fault}, seed {row.seed}: {'; '.join(told)}"
