import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.errors import InvalidDocument
from core.policy.marked import MAX_BYTES, MAX_DEPTH, MAX_DOCUMENTS, parse


def test_every_value_keeps_its_line() -> None:
    marked = parse("a: 1\nb:\n  - x\n  - c: deep\n", "f.yaml")[0]
    assert marked.data == {"a": 1, "b": ["x", {"c": "deep"}]}
    assert [marked.line(place) for place in [("a",), ("b",), ("b", 1), ("b", 1, "c")]] == [1, 2, 4, 4]


def test_a_place_that_does_not_exist_has_the_line_of_what_is_above_it() -> None:
    marked = parse("a: 1\nb:\n  c: 2\n", "f.yaml")[0]
    assert marked.line(("b", "nothing", 3)) == 2


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", "yes"),
        ("NO", "NO"),
        ("on", "on"),
        ("1:30", "1:30"),
        ("2026-01-05", "2026-01-05"),
        ("0755", "0755"),
        ("0x10", "0x10"),
        ("1_000", "1_000"),
        (".inf", ".inf"),
        ("'5'", "5"),
        ('"true"', "true"),
        ("true", True),
        ("null", None),
        ("~", None),
        ("-7", -7),
        ("0.25", 0.25),
        ("500m", "500m"),
    ],
)
def test_scalars_mean_what_they_look_like(text: str, value: object) -> None:
    found = parse(f"a: {text}", "f.yaml")[0].data["a"]
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a: 1\na: 2\n", 2, "twice"),
        ("a: &x 1\nb: *x\n", 1, "anchors"),
        ("a: 1\nb: *x\n", 2, "aliases"),
        ("a: !!python/object:os.system 1\n", 1, "tag"),
        ("a: 1\n<<: {b: 2}\n", 2, "plain text"),
        ("? [a, b]\n: 1\n", 1, "plain text"),
        ("a: [1, 2\nb: 3\n", 2, "not YAML"),
        ("a: 'open\n", 2, "not YAML"),
        ("a:\n\t- b\n", 2, "not YAML"),
        ("[" * 65 + "]" * 65, 1, "deeper"),
    ],
)
def test_mistakes_name_their_line(text: str, line: int, words: str) -> None:
    with pytest.raises(InvalidDocument, match=words) as caught:
        parse(text, "f.yaml")
    assert (caught.value.file, caught.value.line) == ("f.yaml", line)


def test_a_very_deep_document_is_refused_and_not_a_crash() -> None:
    with pytest.raises(InvalidDocument, match="deeper"):
        parse("[" * 100_000, "f.yaml")


def test_a_file_over_a_mebibyte_is_refused() -> None:
    with pytest.raises(InvalidDocument, match="1 MiB"):
        parse("#" * (MAX_BYTES + 1), "f.yaml")


def test_the_limits_themselves_are_allowed() -> None:
    assert parse("#" * MAX_BYTES, "f.yaml") == ()
    assert parse("é" * (MAX_BYTES // 2), "f.yaml")
    with pytest.raises(InvalidDocument, match="1 MiB"):
        parse("é" * (MAX_BYTES // 2 + 1), "f.yaml")
    assert parse("[" * MAX_DEPTH + "]" * MAX_DEPTH, "f.yaml")
    assert len(parse("--- 1\n" * MAX_DOCUMENTS, "f.yaml")) == MAX_DOCUMENTS
    with pytest.raises(InvalidDocument, match="more than 1000 documents") as caught:
        parse("--- 1\n" * (MAX_DOCUMENTS + 1), "f.yaml")
    assert caught.value.line == MAX_DOCUMENTS + 1


def test_lists_beside_each_other_are_no_deeper_than_one_of_them() -> None:
    assert parse("\n".join("- [1]" for _ in range(MAX_DEPTH + 2)), "f.yaml")


def test_a_document_has_its_own_lines_and_the_first_where_nothing_is_known() -> None:
    first, second = parse("a: 1\n---\nb:\n- c\n", "f.yaml")
    assert (first.line(()), second.line(()), second.line(("b",)), second.line(("b", 0))) == (1, 3, 3, 4)
    assert second.line(("nothing",)) == 3
    assert first._replace(lines={}).line(("a",)) == 1


def test_a_mistake_in_a_document_says_where_and_what_mends_it() -> None:
    error = parse("a: 1\nb: 2\n", "f.yaml")[0].wrong("too small", ("b",), mend="take 3")
    assert (error.file, error.line, error.mend) == ("f.yaml", 2, "take 3")


def test_an_anchor_alone_is_refused_as_an_alias_is() -> None:
    for text in ("a: &x 1\n", "&x {a: 1}\n", "- &x [1]\n"):
        with pytest.raises(InvalidDocument, match="anchors"):
            parse(text, "f.yaml")


def test_characters_that_yaml_forbids_are_refused() -> None:
    with pytest.raises(InvalidDocument):
        parse("a: \x00\n", "f.yaml")


def test_empty_documents_are_left_out() -> None:
    assert parse("", "f.yaml") == ()
    assert [marked.data for marked in parse("---\n---\na: 1\n---\n# nothing\n", "f.yaml")] == [{"a": 1}]


@settings(max_examples=300, deadline=None)
@given(text=st.text(alphabet=st.sampled_from(list("ab:-[]{}!&*'\"\n #|>?,%@`0\t\x00é")), max_size=60))
def test_any_text_is_read_or_refused_with_a_place(text: str) -> None:
    try:
        parse(text, "f.yaml")
    except InvalidDocument as error:
        place = str(error).split(":")[0]
        if place != "f.yaml":
            pytest.fail(f"{error} names no place")
