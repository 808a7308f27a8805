"""`day2 vulnerabilities`: scanners' reports, ranked by what runs and what is exposed. Writes nothing."""

from pathlib import Path
from typing import Annotated

import typer

from interfaces.cli.commands.looking import SOURCE
from interfaces.cli.sessions import begin, run


def vulnerabilities(
    context: typer.Context,
    report: Annotated[
        list[Path],
        typer.Option("--report", help="JSON of Trivy, Grype, or kubectl get vulnerabilityreports; SARIF 2.1; once for each file"),
    ],
    vex: Annotated[list[Path] | None, typer.Option("--vex", help="OpenVEX or CycloneDX; once for each file", show_default=False)] = None,
    kev: Annotated[Path | None, typer.Option("--kev", help="CISA's known_exploited_vulnerabilities.json", show_default=False)] = None,
    epss: Annotated[Path | None, typer.Option("--epss", help="FIRST's epss_scores CSV, also gzipped", show_default=False)] = None,
    source: Annotated[Path | None, typer.Option("--from", help=SOURCE, show_default=False)] = None,
    alone: Annotated[bool, typer.Option("--alone", help="by the reports alone: no cluster, no snapshot")] = False,
) -> None:
    """What to mend first, and how: reports against what runs, what the outside reaches, what is known to be exploited. Nothing is scanned.

    What VEX calls not affected or fixed is taken off the list and shown with its reason. The plan for each image is for a person to follow,
    who alone knows the successor's digest. Reports are of other machines: records that cannot be read are told and cost no others.
    """
    from interfaces.cli.flags import UsageMistake
    from interfaces.rendering import vulnerabilities as shown
    from runtime.roles import looking

    session = begin(context)
    if alone and source is not None:
        raise UsageMistake("--alone looks at no cluster, and --from names one", mend="leave one of them away")
    with session.waiting(f"reading {source or 'the cluster'}"):
        weighed, sources, where = run(
            looking.vulnerabilities(session.settings, reports=report, vex=vex or (), kev=kev, epss=epss, source=source, alone=alone)
        )
    session.show(shown.document(weighed, sources, where), columns=shown.COLUMNS, view=shown.view)
    for problem in weighed.problems:
        session.say(f"not read: {problem.place}: {problem.reason}")
    if weighed.skipped:
        session.say(f"and {weighed.skipped} more records that cannot be read")
    if kev is None or epss is None:
        session.hint("with --kev and --epss the order follows what is exploited, not only how bad it could be")
