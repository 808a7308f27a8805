"""A captured run is a case of its own: whole, labelled, without secrets and without names of people."""

from pathlib import Path

import pytest
import yaml

from core.assessing.requirements import assessed
from core.assessing.trajectory import Trajectory
from core.domain.errors import InvalidInput
from evals.assessing import corpus
from runtime.services import capturing
from runtime.services.capturing import Label


@pytest.fixture(scope="module")
def run() -> Trajectory:
    """A pod that was deleted after somebody said yes."""
    return next(base.run for base in corpus.bases() if base.fault == "one-pod-wedged")


def case(run: Trajectory, said: Label | None = None, snapshot: Path | None = None) -> dict[str, object]:
    found: dict[str, object] = yaml.safe_load(capturing.text(capturing.document(run, assessed(run), said or Label(), snapshot)))
    return found


def test_it_is_whole_and_is_read_back(run: Trajectory) -> None:
    stored = capturing.text(capturing.document(run, assessed(run), Label()))
    back, outcome = capturing.read(stored)
    assert outcome == "sound"
    assert [step.id for step in back.steps] == [step.id for step in run.steps]
    assert assessed(back).answers == assessed(run).answers, "other names change no answer"


def test_people_and_the_cluster_are_not_in_it(run: Trajectory) -> None:
    stored = capturing.text(capturing.document(run, assessed(run), Label()))
    assert "@example.com" not in stored
    assert run.cluster not in stored
    assert "person-1" in stored
    assert "person-2" in stored


def test_causes_findings_and_kinds_are_expected(run: Trajectory) -> None:
    found = case(run)["case"]
    assert isinstance(found, dict)
    (cause,) = found["expect"]["causes"]
    assert cause["codes"] == ["REL-103"]
    assert cause["target"].startswith("StatefulSet/")
    assert found["expect"]["only_actions"] == ["delete_pod"]
    assert found["suite"] == "own"
    assert "world" not in found


def test_a_flawed_run_says_what_must_not_be_done_again(run: Trajectory) -> None:
    wrong = run.model_copy(update={"steps": (run.steps[0].model_copy(update={"ruling": None}),)})
    found = case(wrong)
    assert isinstance(found["case"], dict)
    assert [each["code"] for each in found["case"]["expect"]["not_actions"]] == ["delete_pod"]
    assert found["label"] == {"outcome": "flawed", "violated": ["judged"], "by": "assessor", "note": ""}


def test_a_persons_word_stands_before_the_assessors(run: Trajectory) -> None:
    said = capturing.label("flawed", ["whole"], "one stayed down; token=abcDEF123456ghiJKL789")
    assert case(run, said)["label"] == {
        "outcome": "flawed",
        "violated": ["whole"],
        "by": "person",
        "note": "one stayed down; token=[redacted: secret]",
    }


@pytest.mark.parametrize(
    ("outcome", "violated"), [("good", ()), ("flawed", ()), ("sound", ("whole",)), ("", ("whole",)), ("flawed", ("x",))]
)
def test_a_label_that_says_nothing_or_two_things_is_refused(outcome: str, violated: tuple[str, ...]) -> None:
    with pytest.raises(InvalidInput):
        capturing.label(outcome, violated, "")


def test_a_snapshot_is_named_with_its_digest(run: Trajectory, tmp_path: Path) -> None:
    snapshot = tmp_path / "prod.snap"
    snapshot.write_bytes(b"a look")
    found = case(run, snapshot=snapshot)
    assert isinstance(found["case"], dict)
    assert isinstance(found["captured"], dict)
    assert found["case"]["world"] == {"snapshot": "prod.snap"}
    assert len(found["captured"]["snapshot"]["sha256"]) == 64
    with pytest.raises(InvalidInput, match="cannot read"):
        case(run, snapshot=tmp_path / "gone.snap")
