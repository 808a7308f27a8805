"""docs/api.md has every route as it is, and its example checks what is really sent."""

import hmac
import re
from pathlib import Path

from interfaces.api import pages
from runtime.services.delivering import signature

PAGE = Path(__file__).parents[3] / pages.PAGE


def test_the_page_has_every_route_as_it_is() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert pages.written(page) == page, "mend: python -m interfaces.api.pages"


def test_the_pages_check_of_a_signature_tells_genuine_from_forged_and_old() -> None:
    found = re.search(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    known: dict[str, object] = {"hmac": hmac}
    exec(found[1], known)
    genuine = known["genuine"]
    assert callable(genuine)
    header = signature(b"secret", 1_000, b"{}")
    assert genuine(b"secret", header, b"{}", 1_100.0)
    assert not genuine(b"secret", header, b"{ }", 1_100.0)
    assert not genuine(b"other", header, b"{}", 1_100.0)
    assert not genuine(b"secret", header, b"{}", 1_400.0)
