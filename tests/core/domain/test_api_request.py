"""What a request does to an object, told by its verb and subresource."""

from typing import Any

import pytest

from core.domain.api_request import ApiRequest


@pytest.mark.parametrize(
    ("verb", "subresource", "makes", "removes"),
    [
        ("create", "", True, False),
        ("create", "eviction", False, True),
        ("create", "binding", False, False),
        ("delete", "", False, True),
        ("patch", "", False, False),
        ("patch", "resize", False, False),
    ],
)
def test_an_eviction_removes_and_only_a_plain_create_makes(verb: Any, subresource: str, *, makes: bool, removes: bool) -> None:
    request = ApiRequest(verb=verb, version="v1", resource="pods", subresource=subresource, name="web", content_type="application/json")
    assert (request.makes, request.removes) == (makes, removes)
