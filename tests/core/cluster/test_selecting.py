"""Selectors as people type them, held to what the API server makes of the same text."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.cluster.objects import LabelSelector
from core.cluster.selecting import matches, parsed
from core.domain.errors import InvalidInput
from simulator.routes import selecting as served

WEB = {"app": "web", "env": "prod", "app.kubernetes.io/part-of": "shop", "empty": ""}


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("app=web", True),
        ("app==web", True),
        ("app = web", True),
        ("app!=web", False),
        ("tier!=db", True),
        ("app=web,env=prod", True),
        ("app=web,env=dev", False),
        ("env in (prod,staging)", True),
        ("env in ( prod , staging )", True),
        ("env notin (prod,staging)", False),
        ("tier notin (db)", True),
        ("tier in (db)", False),
        ("app", True),
        ("tier", False),
        ("!tier", True),
        ("! app", False),
        ("empty=", True),
        ("app.kubernetes.io/part-of=shop,env in (prod),!canary", True),
    ],
)
def test_a_selector_selects_as_in_kubernetes(text: str, fits: bool) -> None:
    assert matches(parsed(text), WEB) is fits
    assert served.labels(text)({"metadata": {"labels": WEB}}) is fits


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "empty"),
        ("  ", "empty"),
        (",", "cannot read ''"),
        ("app=web,", "cannot read ''"),
        ("=web", "'=web'"),
        ("app=we b", "'app=we b'"),
        ("app in prod", "'app in prod'"),
        ("app in (prod", "'app in (prod'"),
        ("app in (a,(b))", "'app in (a'"),
        ("app>3", "'app>3' is no label key"),
        ("-app=web", "'-app' is no label key"),
        ("app=-web", "'-web' in 'app=-web' is no label value"),
        ("app=" + "x" * 64, "is no label value"),
        ("Bad_Domain/app=web", "is no label key"),
        ("/app=web", "'/app' is no label key"),
        ("app=\x1b[31m", "is no label value"),
    ],
)
def test_what_is_no_selector_is_named_with_examples(text: str, named: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parsed(text)
    assert named in str(caught.value)
    assert "app=web" in caught.value.mend
    assert str(caught.value).isprintable()


@given(st.text(alphabet="ab=!, ()inot", max_size=24))
def test_no_text_makes_it_crash(text: str) -> None:
    with contextlib.suppress(InvalidInput):
        assert isinstance(parsed(text), LabelSelector)
