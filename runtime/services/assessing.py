"""Finished runs, assessed: what is stored of one, what it gives, what is recorded of it. Behind the controller and `day2 eval assess`.
"""

from collections.abc import Mapping
from typing import Any

from core.assessing.reading import Stored
from core.domain.errors import InvalidInput
from core.domain.ledger import Ledger
from core.domain.request import Request
from runtime.services import running


def stored(ledger: Ledger, run_id: str, response: Mapping[str, Any], later: Mapping[str, Any] | None = None) -> Stored:
    """What there is of a run. Raises InvalidInput where its request was not kept: then nothing can be held against it."""
    run = running.get(ledger, run_id)
    start = next((link for link in run.way if link.event == running.STARTED), None)
    if start is None or run.finished_at is None:
        raise InvalidInput(f"{run_id[:40]!r} is no finished run of day2 serve", mend="day2 run list")
    approvals = [approval for row in run.actions for approval in ledger.approvals(row.action_id)]
    ends = [run.finished_at, *(row.changed_at for row in run.actions)]
    return Stored(Request.model_validate_json(start.body), response, run.actions, approvals, run.way, max(ends), later)
