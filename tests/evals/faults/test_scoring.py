"""What counts as found, as right, and as elsewhere."""

from datetime import UTC, datetime

from core.domain.finding import Finding, Severity
from core.domain.target import Target
from evals.faults.scoring import diagnosed
from simulator.faults.fault import Cause

WEB = Cause("Deployment", "shop", "web", ("REL-105",))
DOOR = Cause("Service", "shop", "door", ("REL-145",))


def finding(code: str, kind: str, name: str, *, of: str = "", severity: Severity = Severity.HIGH) -> Finding:
    target = Target(cluster="c-1", kind=kind, namespace="shop", name=name, uid=f"uid-{name}")
    return Finding(
        id=f"fnd-{code}-{name}",
        code=code,
        agent="reliability",
        severity=severity,
        subject=target,
        title="t",
        matters="m",
        symptom_of=of,
        at=datetime(2026, 11, 23, tzinfo=UTC),
    )


PULL = finding("REL-105", "Deployment", "web")
EMPTY = finding("REL-145", "Service", "door")


def test_the_cause_first_and_its_symptoms_under_it_is_right() -> None:
    told = diagnosed([PULL, finding("REL-150", "Service", "web", of=PULL.id)], [WEB])
    assert (told.found, told.right, told.elsewhere) == (True, True, ())


def test_a_symptom_that_stands_alone_is_elsewhere() -> None:
    told = diagnosed([PULL, finding("REL-150", "Service", "web")], [WEB])
    assert (told.right, told.elsewhere) == (True, ("REL-150 shop/service/web",))


def test_the_right_object_for_a_wrong_reason_is_not_found() -> None:
    told = diagnosed([finding("REL-101", "Deployment", "web")], [WEB])
    assert (told.found, told.right, told.first) == (False, False, "REL-101 shop/deployment/web")


def test_a_cause_that_stands_second_is_found_and_not_right() -> None:
    told = diagnosed([EMPTY, PULL], [WEB])
    assert (told.found, told.right) == (True, False)


def test_a_double_fault_needs_both() -> None:
    assert diagnosed([PULL, EMPTY], [WEB, DOOR]).right
    assert not diagnosed([PULL], [WEB, DOOR]).right
    assert not diagnosed([PULL, finding("REL-145", "Service", "door", of=PULL.id)], [WEB, DOOR]).right


def test_where_nothing_is_wrong_nothing_must_be_told() -> None:
    assert diagnosed([finding("REL-170", "Node", "n", severity=Severity.INFO)], []).right
    assert not diagnosed([PULL], []).right
