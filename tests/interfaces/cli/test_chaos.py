"""The page's example from end to end on the command line, and what is refused before anything is submitted."""

import contextlib
import json
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from core.domain.errors import Refused, Unavailable
from core.domain.outcome import ActionState
from interfaces.rendering import schemas
from runtime.roles import console, deciding, everything
from runtime.settings import Settings
from tests.contracts import experiments
from tests.runtime import test_experiments as worlds

Day2 = Callable[..., Any]
PAGE = (Path(__file__).parents[3] / "docs" / "experiments.md").read_text(encoding="utf-8")
pytestmark = pytest.mark.slow


def example() -> str:
    found = re.search(r"```yaml\n# experiment.yaml\n(.*?)```", PAGE, re.DOTALL)
    assert found
    return found[1]


@contextlib.contextmanager
def beside(tmp_path: Path) -> Iterator[Settings]:
    """A folder with `day2.yaml` and the page's document, beside a simulated cluster."""
    home = tmp_path / "cluster"
    home.mkdir()
    with worlds.running(home) as (_, settings):
        (tmp_path / "day2.yaml").write_text(
            json.dumps(json.loads(settings.model_dump_json(include={"kubernetes", "prometheus", "policy", "clock", "gate", "flow"}))),
            encoding="utf-8",
        )
        (tmp_path / "experiment.yaml").write_text(example(), encoding="utf-8")
        yield settings


class Person(threading.Thread):
    """Approves whatever waits, until told to go."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(daemon=True)
        self._settings, self._gone = settings, threading.Event()

    def run(self) -> None:
        while not self._gone.wait(0.2):
            with contextlib.suppress(Refused, Unavailable), console.record(self._settings) as kept:  # it moved on, or looks again
                decide = deciding.door(self._settings, kept.ledger, kept.clock, name="test")
                for row in kept.ledger.in_states(ActionState.NEEDS_APPROVAL):
                    if not kept.ledger.approvals(row.action_id):
                        decide(row.action_id, by=experiments.APPROVER, approve=True, reason="well bounded")

    def leave(self) -> None:
        self._gone.set()
        self.join(10)


@pytest.mark.timeout(240)
def test_the_example_of_the_page_is_validated_run_listed_and_shown(day2: Day2, tmp_path: Path) -> None:
    with beside(tmp_path) as settings:
        data = ("--data-dir", str(settings.data_dir))
        seen = day2("chaos", "validate", "experiment.yaml", "-o", "json", *data)
        assert seen.code == 0, seen.err
        jsonschema.validate(seen.json, schemas.of_kind("ExperimentPreview"))
        assert [row["capability"] for row in seen.json["actions"]] == ["delete_pod"]
        everything.prepare(settings)  # the person looks while the command starts: the ledger is there before
        person = Person(settings)
        person.start()
        try:
            done = day2("chaos", "run", "experiment.yaml", "-o", "json", *data)
        finally:
            person.leave()
        assert done.out, f"exit {done.code}: {done.err}"
        assert done.json["verdict"] == "pass", done.json["reasons"]
        assert done.code == 0
        (row,) = done.json["actions"]
        assert (row["capability"], row["state"]) == ("delete_pod", "verified")
        assert done.json["coverage"] >= 80
        (listed,) = day2("chaos", "list", "-o", "json", *data).json["items"]
        assert (listed["id"], listed["verdict"]) == (done.json["id"], "pass")
        shown = day2("chaos", "show", listed["id"], *data)
        assert "Verdict: pass" in shown.out
        assert "two-ready" in shown.out
        over = day2("chaos", "stop", listed["id"], "--reason", "late", *data)
        assert (over.code, "is over" in over.err) == (1, True)


REFUSED = {
    "no-label": ("shut", "is not open to experiments"),
    "kube-system": ("kube-system", "no experiment ever runs there"),
    "no-namespace": ("nowhere", "there is no namespace nowhere"),
}


@pytest.mark.timeout(120)
def test_what_may_not_begin_says_every_reason_and_submits_nothing(day2: Day2, tmp_path: Path) -> None:
    with beside(tmp_path) as settings:
        data = ("--data-dir", str(settings.data_dir))
        for namespace, reason in REFUSED.values():
            text = example().replace("namespace: shop", f"namespace: {namespace}")
            (tmp_path / "experiment.yaml").write_text(text, encoding="utf-8")
            said = day2("chaos", "validate", "experiment.yaml", *data)
            assert (said.code, reason in " ".join(said.out.split())) == (3, True), said.out
            ran = day2("chaos", "run", "experiment.yaml", "-o", "json", *data)
            assert (ran.code, ran.json["verdict"], ran.json["actions"]) == (1, "inconclusive", [])
            assert any(reason in row for row in ran.json["reasons"])
