import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.actions import catalogue, schemas
from core.actions.catalogue import CATALOGUE, parse_action, parse_proposal
from core.domain.errors import InvalidInput
from core.domain.evidence import observe
from core.domain.proposal import Effect, Proposal
from core.domain.target import Target

KINDS = sorted(CATALOGUE)


def test_the_table_and_the_schema_union_hold_the_same_kinds() -> None:
    tagged = schemas.proposal_schema()["properties"]["action"]["discriminator"]["mapping"]
    assert sorted(tagged) == KINDS
    assert {kind: CATALOGUE[kind].model_fields["kind"].default for kind in KINDS} == {kind: kind for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS)
def test_an_action_survives_json(kind: str, documents: Any) -> None:
    action = parse_action(documents[kind])
    assert type(action) is CATALOGUE[kind]
    assert parse_action(action.model_dump(mode="json")) == action
    assert parse_action(action.model_dump_json()) == action


@pytest.mark.parametrize("kind", KINDS)
def test_every_right_of_a_kind_can_be_named_and_its_request_is_among_them(kind: str, cases: Any) -> None:
    action, live = cases[kind]
    assert action.request(live).right in action.rights
    assert {right.verb for right in action.rights} <= {"get", "patch", "create", "delete"}
    made = {(right.resource, right.subresource) for right in action.rights if right.verb == "create"}
    assert made <= {("pods", "eviction"), ("networkpolicies", "")}
    assert set(action.rights) <= set(catalogue.rights())


@pytest.mark.parametrize("kind", ["", "kubectl", "scale-workload", "SCALE_WORKLOAD", "drain_node", 7, None, ["scale_workload"]])
def test_an_unknown_kind_is_refused_with_the_kinds_there_are(kind: Any, documents: Any) -> None:
    with pytest.raises(InvalidInput) as refusal:
        parse_action({**documents["scale_workload"], "kind": kind})
    assert all(name in refusal.value.mend for name in CATALOGUE)


SLOPPY: list[dict[str, Any]] = [
    {"to_replicas": "2"},
    {"to_replicas": 2.0},
    {"to_replicas": True},
    {"to_replicas": -1},
    {"to_replicas": 10**9},
    {"to_replicas": None},
    {"to_replicas": 4},
    {"replicas": 2},
    {"id": "scale it"},
    {"id": "act-1; DROP TABLE"},
    {"target": None},
    {"target": {}},
    {"patch": {"spec": {}}},
]


@pytest.mark.parametrize("change", SLOPPY, ids=str)
def test_sloppy_arguments_are_refused(change: dict[str, Any], documents: Any) -> None:
    with pytest.raises(InvalidInput):
        parse_action({**documents["scale_workload"], **change})


WRONG_TARGETS: list[dict[str, str]] = [
    {"kind": "DaemonSet"},
    {"kind": "Secret", "group": ""},
    {"group": ""},
    {"group": "apps.example"},
    {"namespace": ""},
    {"name": "cart/scale"},
    {"name": "../../nodes/n1"},
    {"name": "Cart"},
    {"name": ""},
    {"namespace": "shop?dryRun=All"},
    {"uid": ""},
    {"cluster": ""},
]


@pytest.mark.parametrize("change", WRONG_TARGETS, ids=str)
def test_a_target_that_the_kind_cannot_act_on_is_refused(change: dict[str, str], documents: Any) -> None:
    document = documents["scale_workload"]
    with pytest.raises(InvalidInput):
        parse_action({**document, "target": {**document["target"], **change}})


def test_a_cluster_wide_target_has_no_namespace(documents: Any) -> None:
    document = documents["cordon_node"]
    with pytest.raises(InvalidInput, match="has no namespace"):
        parse_action({**document, "target": {**document["target"], "namespace": "shop"}})


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"null",
        b"[]",
        b'"scale_workload"',
        b'{"kind": "scale_workload", "kind": "delete_pod"}',
        b'{"kind": "scale_workload", "to_replicas": NaN}',
        b"\xff\xfe",
        b'{"kind": "cordon_node", "target": "\\ud800"}',
        b"[" * 5000,
        b'{"kind":' * 3000,
        b" " * (catalogue.LARGEST + 1),
    ],
    ids=lambda text: repr(text[:24]),
)
def test_text_that_is_no_honest_json_object_is_refused(text: bytes) -> None:
    with pytest.raises(InvalidInput):
        parse_action(text)


def test_mistakes_are_named_by_field_and_never_echo_the_input(documents: Any) -> None:
    with pytest.raises(InvalidInput) as refusal:
        parse_action({**documents["scale_workload"], "to_replicas": "s3cret-value"})
    assert "to_replicas" in str(refusal.value)
    assert "s3cret" not in str(refusal.value)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8), lambda inner: st.lists(inner, max_size=3), max_leaves=5
)


@settings(max_examples=150, deadline=None)
@given(kind=st.sampled_from(KINDS), extra=st.dictionaries(st.text(max_size=10), json_values, max_size=4), data=st.data())
def test_whatever_arrives_is_an_action_or_invalid_input(kind: str, extra: dict[str, Any], data: st.DataObject) -> None:
    fields = data.draw(st.dictionaries(st.sampled_from(sorted(CATALOGUE[kind].model_fields)), json_values, max_size=6))
    try:
        action = parse_action({**extra, **fields, "kind": kind})
    except InvalidInput:
        return
    assert action.kind == kind


def proposal(documents: Any) -> Proposal:
    now = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
    action = parse_action(documents["set_requests"])
    seen = observe("metric", Target(**documents["set_requests"]["target"]), "up", "1", now)
    effect = Effect(summary="less held")
    return Proposal(action=action, agent="finops", run="run-1", why="it uses a fifth", evidence=(seen,), effect=effect, expires_at=now)


def test_a_proposal_survives_json_with_the_class_of_its_action(documents: Any) -> None:
    made = proposal(documents)
    assert parse_proposal(made.model_dump_json()) == made
    assert parse_proposal(made.model_dump(mode="json")) == made
    assert type(parse_proposal(made.model_dump_json()).action) is CATALOGUE["set_requests"]


@pytest.mark.parametrize(
    "change", [{"action": None}, {"action": "scale"}, {"facts": {}}, {"evidence": []}, {"expires_at": "soon"}], ids=str
)
def test_a_sloppy_proposal_is_refused(change: dict[str, Any], documents: Any) -> None:
    with pytest.raises(InvalidInput):
        parse_proposal({**proposal(documents).model_dump(mode="json"), **change})


def test_an_extra_field_inside_a_proposals_action_is_refused(documents: Any) -> None:
    document = proposal(documents).model_dump(mode="json")
    document["action"]["command"] = "kubectl delete ns shop"
    with pytest.raises(InvalidInput, match="command"):
        parse_proposal(document)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_closed_schema(kind: str) -> None:
    schema = schemas.schema(kind)
    assert schema["additionalProperties"] is False
    assert json.dumps(schema)


def test_there_is_no_schema_of_an_unknown_kind() -> None:
    with pytest.raises(InvalidInput):
        schemas.schema("exec")


@pytest.mark.parametrize("kind", KINDS)
def test_the_intent_is_the_same_under_another_id_and_the_digest_is_not(kind: str, documents: Any) -> None:
    first, second = parse_action(documents[kind]), parse_action({**documents[kind], "id": "act-0002"})
    assert first.intent_key() == second.intent_key()
    assert first.digest() != second.digest()


def test_a_document_that_is_larger_than_a_mebibyte_is_refused_in_either_form(documents: Any) -> None:
    large = documents["scale_workload"] | {"why": "x" * catalogue.LARGEST}
    for source in (large, json.dumps(large)):
        with pytest.raises(InvalidInput, match="more than 1048576 bytes"):
            parse_action(source)
    fits = json.dumps(documents["scale_workload"])
    assert parse_action(fits + " " * (catalogue.LARGEST - len(fits))).kind == "scale_workload"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"kind": "delete_pod", "kind": "delete_pod"}', "a key stands twice"),
        ('{"kind": "delete_pod", "id": NaN}', "NaN is no JSON number"),
        ('{"kind": "delete_pod", "id": -Infinity}', "-Infinity is no JSON number"),
    ],
)
def test_json_that_others_read_differently_is_refused_by_name(text: str, words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        parse_action(text)


def test_a_number_that_is_none_is_refused_also_where_it_was_read_already(documents: Any) -> None:
    with pytest.raises(InvalidInput, match="this is no JSON"):
        parse_action(documents["scale_workload"] | {"to_replicas": float("nan")})


def test_a_document_as_large_as_can_be_is_read_and_one_byte_more_is_not(documents: Any) -> None:
    room = catalogue.LARGEST - len(json.dumps({**documents["scale_workload"], "why": ""}).encode())
    for more, words in ((0, "why"), (1, "more than 1048576 bytes")):
        with pytest.raises(InvalidInput, match=words):
            parse_action({**documents["scale_workload"], "why": "x" * (room + more)})
    padded = json.dumps(documents["scale_workload"])
    with pytest.raises(InvalidInput, match="more than 1048576 bytes"):
        parse_action(padded + " " * (catalogue.LARGEST - len(padded) + 1))


@pytest.mark.parametrize("count", [1, 5, 6, 8])
def test_at_most_five_mistakes_are_told_and_how_many_more_there_are(count: int, documents: Any) -> None:
    with pytest.raises(InvalidInput) as refusal:
        parse_action(documents["scale_workload"] | {f"odd{number}": 1 for number in range(count)})
    text = str(refusal.value)
    assert text.count("odd") == min(count, 5)
    assert ("; and" in text) is (count > 5)
    assert count <= 5 or f"and {count - 5} more" in text
    assert "scale_workload.odd" not in text


def test_a_proposal_of_an_unknown_kind_names_the_kinds_there_are(documents: Any) -> None:
    document = proposal(documents).model_dump(mode="json")
    document["action"]["kind"] = "drain_node"
    with pytest.raises(InvalidInput) as refusal:
        parse_proposal(document)
    assert "set_requests" in refusal.value.mend
