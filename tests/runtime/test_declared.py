"""What people declared for judge and planners, or nothing where they name no folder."""

from pathlib import Path

import pytest

from core.domain.errors import InvalidInput
from core.policy.schedules import KINDS
from runtime import declared

PRICES = """
apiVersion: day2.dev/v1alpha1
kind: PriceList
metadata: {name: list}
spec: {source: test list, at: 2026-11-01T00:00:00Z, instances: [{instanceType: m6.large, cpu: "2", memory: 8Gi, hourly: 0.1 USD}]}
"""
GRANT = """
apiVersion: day2.dev/v1alpha1
kind: Grant
metadata: {name: scaling}
spec: {agent: scaling, capabilities: ["*"]}
"""


def test_without_a_folder_nothing_is_declared_and_one_that_is_not_there_says_so(tmp_path: Path) -> None:
    found = declared.read(None)
    assert (found.objectives.items, found.grants, found.prices) == ((), (), None)
    with pytest.raises(InvalidInput, match="no documents at") as refusal:
        declared.read(tmp_path / "none")
    assert "policy.objectives" in refusal.value.mend
    assert declared.read(tmp_path).prices is None


def test_documents_are_told_apart_by_their_kind(tmp_path: Path) -> None:
    (tmp_path / "prices.yaml").write_text(PRICES, encoding="utf-8")
    (tmp_path / "grant.yaml").write_text(GRANT, encoding="utf-8")
    found = declared.read(tmp_path)
    assert found.prices is not None
    assert found.prices.source.name == "test list"
    assert [grant.agent for grant in found.grants] == ["scaling"]
    assert found.objectives.items == ()


def test_a_schedule_that_cannot_be_stops_nobody_who_runs_none(tmp_path: Path) -> None:
    wrong = "apiVersion: day2.dev/v1alpha1\nkind: Schedule\nmetadata: {name: n}\nspec: {cron: nonsense}\n"
    (tmp_path / "all.yaml").write_text(f"{GRANT}---\n{wrong}", encoding="utf-8")
    assert [grant.agent for grant in declared.read(tmp_path).grants] == ["scaling"]
    with pytest.raises(InvalidInput, match="five fields"):
        declared.documents_at(tmp_path, KINDS)
