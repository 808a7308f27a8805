from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.domain.errors import InvalidDocument
from core.domain.money import PriceList
from core.domain.objective import Autonomy, Objective
from core.policy import documents
from core.policy.declarations import Grant
from core.policy.policies import ActionPolicy
from core.policy.schedules import KINDS, Schedule

OBJECTIVE = """\
apiVersion: day2.dev/v1alpha1
kind: Objective
metadata:
  name: shop-cost
spec:
  scope:
    namespaces: [shop]
  serves: cost
  priority: 40
  slo:
    latencyP99Ms: 300
    errorPerMille: 10
  monthlyBudget: 499.50 USD
  gpuAllowance: 6
  minReplicas: 2
  podSecurity: baseline
  freeze:
    - name: peak-days
      start: 2026-11-26T00:00:00Z
      end: 2026-11-30T00:00:00+01:00
  autonomy:
    "*": guarded
    delete_pod: suggest
"""
REST = """\
apiVersion: day2.dev/v1alpha1
kind: Grant
metadata: {name: finops-shop}
spec: {agent: finops, capabilities: [set_requests, scale_workload], namespaces: [shop]}
---
apiVersion: day2.dev/v1alpha1
kind: Schedule
metadata: {name: hourly}
spec: {every: 1h, agents: [finops], namespaces: [shop], act: true}
---
apiVersion: day2.dev/v1alpha1
kind: PriceList
metadata: {name: list-prices}
spec:
  source: list prices
  at: 2026-11-01T00:00:00Z
  instances:
    - {instanceType: m6.4xlarge, cpu: 16, memory: 64Gi, hourly: 0.768 USD}
    - {instanceType: g6.12xlarge, cpu: "32", memory: 128Gi, gpus: 4, hourly: 4.60}
"""


def test_an_objective_becomes_the_platforms_own_value() -> None:
    (document,) = documents.read(OBJECTIVE, "o.yaml")
    assert isinstance(document.value, Objective)
    assert (document.kind, document.name, document.file, document.line) == ("Objective", "shop-cost", "o.yaml", 1)
    value = document.value
    assert (value.monthly_budget_micro_usd, value.gpu_allowance, value.slo.latency_p99_ms) == (499_500_000, 6, 300)
    assert value.autonomy == {"*": Autonomy.GUARDED, "delete_pod": Autonomy.SUGGEST}
    assert value.freeze[0].end == datetime(2026, 11, 29, 23, tzinfo=UTC)


def test_grants_schedules_and_prices_are_read() -> None:
    found = documents.read(REST, "rest.yaml", KINDS)
    (grant,), (schedule,) = documents.of_kind(found, Grant), documents.of_kind(found, Schedule)
    (prices,) = documents.of_kind(found, PriceList)
    assert grant.allows("finops", "set_requests", "shop")
    assert not grant.allows("finops", "delete_pod", "shop")
    assert not grant.allows("finops", "set_requests", "payments")
    assert not grant.allows("security", "set_requests", "shop")
    assert (schedule.every_seconds, schedule.ceiling, schedule.suspended) == (3600, Autonomy.AUTO, False)
    assert [(item.cpu_milli, item.memory_mib, item.hourly_micro_usd) for item in prices.instances] == [
        (16_000, 65_536, 768_000),
        (32_000, 131_072, 4_600_000),
    ]
    assert documents.of_kind(found, Objective) == ()


@pytest.mark.parametrize(
    ("spec", "line", "words"),
    [
        ("{every: 1h,\n  agents: [finops]}", 0, ""),
        ("{agents: [finops],\n  every: 10s}", 5, "`spec.every`: Input should be greater than or equal to 60"),
        ("{agents: [finops],\n  every: 400d}", 5, "`spec.every`: Input should be less than or equal to 2678400"),
    ],
)
def test_what_the_value_refuses_is_said_of_the_field_it_came_from(spec: str, line: int, words: str) -> None:
    text = f"apiVersion: day2.dev/v1alpha1\nkind: Schedule\nmetadata: {{name: often}}\nspec: {spec}\n"
    if not words:
        assert documents.of_kind(documents.read(text, "s.yaml", KINDS), Schedule)
        return
    with pytest.raises(InvalidDocument) as caught:
        documents.read(text, "s.yaml", KINDS)
    assert caught.value.line == line
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("apiVersion: day2.dev/v1alpha1", "apiVersion: day2.dev/v2", 1, "apiVersion must be day2.dev/v1alpha1"),
        ("kind: Objective", "kind: Objectiv", 2, "did you mean `Objective`"),
        ("metadata:", "metadta:", 3, "unknown field `metadta`; did you mean `metadata`"),
        ("  name: shop-cost", "  nme: shop-cost", 4, "unknown field `nme` in `metadata`; did you mean `name`"),
        ("  name: shop-cost", "  name: Shop Cost", 4, "`metadata.name`"),
        ("  priority: 40", "  prioirty: 40", 9, "unknown field `prioirty` in `spec`; did you mean `priority`"),
        ("  priority: 40", "  priority: '40'", 9, "`spec.priority`: Input should be a valid integer"),
        ("  priority: 40", "  priority: 4000", 9, "less than or equal to 1000"),
        ("  priority: 40", "  priority: true", 9, "valid integer"),
        ("    latencyP99Ms: 300", "    latencyP99: 300", 11, "did you mean `latencyP99Ms`"),
        ("    latencyP99Ms: 300", "    latency_p99_ms: 300", 11, "did you mean `latencyP99Ms`"),
        ("499.50 USD", "499.50 EUR", 13, 'written like "500 USD"'),
        ("499.50 USD", "-5 USD", 13, 'written like "500 USD"'),
        ("  serves: cost", "  serves: beauty", 8, "`spec.serves`"),
        (
            "      start: 2026-11-26T00:00:00Z",
            "      strat: 2026-11-26T00:00:00Z",
            19,
            "unknown field `strat` in `spec.freeze[0]`; did you mean `start`",
        ),
        ("      start: 2026-11-26T00:00:00Z", "      start: 2026-11-26T00:00:00", 19, "a time needs its zone"),
        ("      start: 2026-11-26T00:00:00Z", "      start: 2026-12-26T00:00:00Z", 5, "ends before it starts"),
        ('    "*": guarded', '    "*": guard', 22, "`spec.autonomy.*`"),
        ("    namespaces: [shop]", "    namespaces: []", 7, "at least 1 item"),
        ("    namespaces: [shop]", "    namespaces: shop", 7, "valid tuple|valid array"),
        ("  serves: cost\n", "", 5, "`spec.serves` is missing"),
    ],
)
def test_a_mistake_names_file_line_and_mend(old: str, new: str, line: int, words: str) -> None:
    assert old in OBJECTIVE
    with pytest.raises(InvalidDocument, match=_literal(words)) as caught:
        documents.read(OBJECTIVE.replace(old, new, 1), "o.yaml")
    assert str(caught.value).startswith(f"o.yaml:{line}: ")


def _literal(words: str) -> str:
    import re

    return "|".join(re.escape(part) for part in words.split("|"))


@pytest.mark.parametrize("text", ["- a\n", "text\n", "a: 1\n", "apiVersion: day2.dev/v1alpha1\nkind: Grant\n", "kind: Grant\nspec: 3\n"])
def test_what_is_no_document_is_refused(text: str) -> None:
    with pytest.raises(InvalidDocument):
        documents.read(text, "x.yaml")


@pytest.mark.parametrize(("field", "value"), [("memory", "64Gb"), ("memory", "-1Gi"), ("cpu", "lots"), ("cpu", "0"), ("hourly", "1e3 USD")])
def test_quantities_that_are_none_are_refused(field: str, value: str) -> None:
    instance = {"instanceType": "m", "cpu": "1", "memory": "1Gi", "hourly": "1 USD", field: value}
    row = ", ".join(f'{key}: "{item}"' for key, item in instance.items())
    text = REST.split("---\n")[2].split("    - ", maxsplit=1)[0] + f"    - {{{row}}}\n"
    with pytest.raises(InvalidDocument, match=rf"instances\[0\].{field}"):
        documents.read(text, "p.yaml")


def test_one_name_twice_in_a_folder_is_refused_and_says_where(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(OBJECTIVE)
    (tmp_path / "b.yaml").write_text(REST + "---\n" + OBJECTIVE)
    with pytest.raises(InvalidDocument, match=r"already declared in .*a\.yaml:1"):
        documents.read_path(tmp_path)


def test_a_folder_is_read_in_the_order_of_its_names(tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_text(OBJECTIVE)
    (tmp_path / "a.yml").write_text(REST)
    (tmp_path / "notes.txt").write_text("not ours")
    assert [document.kind for document in documents.read_path(tmp_path)] == ["Grant", "Schedule", "PriceList", "Objective"]


def test_a_file_that_is_not_text_or_not_there_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InvalidDocument, match=r"read as UTF-8 text .*invalid start byte"):
        documents.read_path(tmp_path / "x.yaml")
    with pytest.raises(InvalidDocument, match=r"\(No such file or directory\)"):
        documents.read_path(tmp_path / "none.yaml")


def test_a_name_that_documents_may_have_and_rules_may_not_is_refused_where_it_stands() -> None:
    head = "apiVersion: day2.dev/v1alpha1\nkind: ActionPolicy\nmetadata:\n  name: no.dots\n"
    text = head + "spec: {why: w, appliesTo: ['*'], decision: deny, when: 'false', message: \"'m'\"}\n"
    with pytest.raises(InvalidDocument, match="should match pattern") as caught:
        documents.read(text, "r.yaml")
    assert str(caught.value).startswith("r.yaml:4: ")
    documents.read(text.replace("no.dots", "no-dots"), "r.yaml")


def test_a_policy_keeps_the_name_of_its_pack(tmp_path: Path) -> None:
    head = "apiVersion: day2.dev/v1alpha1\nkind: ActionPolicy\nmetadata: {name: r}\n"
    text = head + "spec: {why: w, appliesTo: ['*'], decision: deny, when: 'false', message: \"'m'\"}\n"
    (policy,) = documents.of_kind(documents.read(text, str(tmp_path / "money.yaml")), ActionPolicy)
    assert policy.pack == "money"
