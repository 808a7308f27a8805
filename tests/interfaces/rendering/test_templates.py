"""Templates see the document's fields and nothing of the program."""

import pytest

from core.domain.errors import InvalidInput
from interfaces.rendering import templates
from tests.interfaces.rendering import documents

DOCUMENT = documents.findings(documents.finding(1, "high"), documents.finding(2, "low"))


def test_fields_of_the_document_are_its_variables() -> None:
    text = "{{ kind }}: {% for f in items %}{{ f.id }} {{ f['subject'].name }}{{ '\\n' }}{% endfor %}{{ items | length }}"
    assert templates.rendered(text, DOCUMENT) == "FindingList: fnd-1 web-1\nfnd-2 web-2\n2"


def test_a_field_named_like_a_method_is_the_field() -> None:
    assert templates.rendered("{{ a.items }} {{ a.keys }}", {"a": {"items": 1, "keys": 2}}) == "1 2"


@pytest.mark.parametrize(
    "text",
    [
        "{{ ''.__class__ }}",
        "{{ items.__class__ }}",
        "{{ items[0].__init__ }}",
        "{{ document.__class__.__mro__ }}",
        "{{ kind['__class__'] }}",
        "{{ kind | attr('__class__') }}",
        "{{ kind.format }}",
        "{{ '{0.__class__}'.format(kind) }}",
        "{{ items.append(1) }}",
        "{{ self }}{{ self.__init__ }}",
        "{{ cycler.__init__.__globals__ }}",
        "{{ lipsum.__globals__ }}",
        "{{ range(10) }}",
        "{{ joiner() }}",
        "{% for f in items %}{{ loop.__class__ }}{% endfor %}",
        "{% macro m() %}{% endmacro %}{{ m.__globals__ }}",
        "{{ undefined_name.__class__ }}",
        "{% include '/etc/passwd' %}",
        "{% import 'os' as os %}",
        "{% extends 'x' %}",
        "{{ items | groupby('__class__') }}",
    ],
)
def test_nothing_leads_from_a_value_to_the_interpreter(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        templates.rendered(text, DOCUMENT)
    assert caught.value.mend


def test_filters_find_no_attributes_either() -> None:
    assert templates.rendered("{{ items | map(attribute='__class__') | map('default', 'none') | join }}", DOCUMENT) == "nonenone"
    assert templates.rendered("{{ items | map(attribute='id') | join(',') }}", DOCUMENT) == "fnd-1,fnd-2"


def test_a_loop_knows_its_place() -> None:
    assert templates.rendered("{% for f in items %}{{ f.id }}{{ '' if loop.last else ', ' }}{% endfor %}", DOCUMENT) == "fnd-1, fnd-2"


def test_what_the_cluster_says_is_no_template_and_moves_no_cursor() -> None:
    shown = templates.rendered("{{ items[0].title }}|{{ items[0].title ~ '\\t' }}", DOCUMENT)
    assert "{{7*7}}" in shown
    assert "49" not in shown
    assert "\x1b" not in shown
    assert shown.endswith("\t")


def test_a_field_that_is_not_there_is_an_error_unless_a_default_is_given() -> None:
    with pytest.raises(InvalidInput, match="colour"):
        templates.rendered("{{ colour }}", DOCUMENT)
    assert templates.rendered("{{ colour | default('none') }}", DOCUMENT) == "none"


@pytest.mark.parametrize("text", ["{{range .items}}{{.id}}{{end}}", "{{ .kind }}", "{{ range .items }}"])
def test_go_templates_are_refused_by_name(text: str) -> None:
    with pytest.raises(InvalidInput, match="Go template"):
        templates.checked(text)


@pytest.mark.parametrize("text", ["{% for f in items %}", "{{", "{% nothing %}", "{{ a | nofilter }}"])
def test_what_is_no_template_is_refused_before_any_work(text: str) -> None:
    with pytest.raises(InvalidInput):
        templates.checked(text)
