"""The table of routes on docs/api.md, made of `routes.py`: `python -m interfaces.api.pages` writes it, a test holds the page to it."""

import sys
from pathlib import Path

from interfaces.api.routes import BASE, ROUTES, STREAM
from runtime.services.offers.table import OFFERS

BEGIN, END = "<!-- routes: python -m interfaces.api.pages -->", "<!-- end of routes -->"
PAGE = Path("docs/api.md")


def table() -> str:
    offers = {offer.name: offer for offer in OFFERS}
    rows = ["| call | right | does | answers |", "|---|---|---|---|"]
    for route in sorted(ROUTES, key=lambda route: (route.tag, route.path, route.method)):
        offer = offers[route.offer]
        pages = ", in pages" if route.place is not None else ""
        call = f"{route.method} {BASE}{route.path.replace(':path', '')}"
        rows.append(f"| `{call}` | {offer.right.value} | {offer.says} | {route.status} {route.kind}{pages} |")
    rows.append(f"| `GET {BASE}{STREAM}` | read | The same events as they happen. | 200 text/event-stream |")
    return "\n".join(rows)


def written(page: str) -> str:
    """The page with the table as it is now."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    sys.exit(0)
