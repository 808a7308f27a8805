"""JUnit XML as CI servers read it: one suite of tests for each suite and contestant, one test case a trial."""

from xml.etree import ElementTree as ET

from core.domain.values import bounded
from evals.running.trial import Trial
from evals.scoring import figures
from evals.scoring.results import Results


def text(results: Results) -> str:
    root = ET.Element("testsuites", name="day2 eval")
    for contestant, trials in figures.by_contestant(results.trials):
        for suite, rows in figures.by_suite(trials):
            failed = sum(not row.passed for row in rows)
            place = ET.SubElement(root, "testsuite", name=f"{contestant} {suite}", tests=str(len(rows)), failures=str(failed))
            for row in rows:
                _case(place, row)
    root.set("tests", str(len(results.trials)))
    root.set("failures", str(sum(not row.passed for row in results.trials)))
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _case(place: ET.Element, row: Trial) -> None:
    case = ET.SubElement(place, "testcase", classname=f"{row.contestant}.{row.suite}", name=f"{row.case} seed {row.seed}")
    if row.wall is not None:
        case.set("time", f"{row.wall:.3f}")
    if not row.passed:
        failure = ET.SubElement(case, "failure", message=bounded(row.misses[0] if row.misses else row.broke, 300))
        failure.text = bounded("; ".join(row.misses), 4000)
