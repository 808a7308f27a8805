"""Every page and every form of the console, by address. Who may see what is the services' business."""

from typing import NamedTuple

from interfaces.console.pages import deciding, finding, incidents, knowing, now, runs
from interfaces.console.visiting import View


class Route(NamedTuple):
    """`sends` is a form: it may change something. What is not, never does."""

    path: str
    view: View
    sends: bool = False


ROUTES = (
    Route("/", now.now),
    Route("/parts/waiting", now.waiting),
    Route("/approvals", deciding.inbox),
    Route("/approvals/batch", deciding.batch, sends=True),
    Route("/parts/card/{action}", deciding.card),
    Route("/actions/{action}", deciding.action),
    Route("/actions/{action}/approve", deciding.approve, sends=True),
    Route("/actions/{action}/deny", deciding.deny, sends=True),
    Route("/actions/{action}/edit", deciding.edit, sends=True),
    Route("/actions/{action}/patch", deciding.patch),
    Route("/actions/{action}/cancel", deciding.cancel, sends=True),
    Route("/stop", deciding.stopping),
    Route("/stop", deciding.stop, sends=True),
    Route("/resume", deciding.resume, sends=True),
    Route("/runs", runs.runs),
    Route("/runs", runs.ask, sends=True),
    Route("/runs/{run}", runs.run),
    Route("/incidents", incidents.incidents),
    Route("/incidents/{incident}", incidents.incident),
    Route("/findings", finding.findings),
    Route("/findings/mute", finding.mute, sends=True),
    Route("/findings/expire", finding.expire, sends=True),
    Route("/o/{namespace}/{kind}/{name}", finding.thing),
    Route("/agents", knowing.agents),
    Route("/policies", knowing.policies),
    Route("/policies", knowing.tried, sends=True),
    Route("/policies/simulate", knowing.simulated, sends=True),
    Route("/policies/{rule}", knowing.policy),
    Route("/schedules", knowing.schedules),
    Route("/schedules/{schedule}/run", knowing.run_now, sends=True),
    Route("/reports/weekly", knowing.week),
    Route("/savings", knowing.savings),
    Route("/audit", knowing.audit),
    Route("/audit/export", knowing.export),
    Route("/evals", knowing.evals),
)
