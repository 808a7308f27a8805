"""What is said as a fragment of HTML for the console, by a template that escapes everything. No style and no script stands in it."""

from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jinja2
from markupsafe import Markup

from interfaces.chat import parts
from interfaces.chat.values import Card, Dialog, Said
from interfaces.rendering import letters

TEMPLATES = Path(__file__).parent / "templates"


@cache
def environment() -> jinja2.Environment:
    """A name that a template does not get is an error, never an empty place."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=letters.shown,
    )


def fragment(said: Said, *, csrf: str = "", line: int = 0) -> Markup:
    """One message. Buttons are forms: they work without a script; `csrf` is the token of the console's session."""
    shown = parts.shape(said)
    over = said.over if isinstance(said, Card) else False
    known = {"labels": parts.LABELS, "link": local(shown.link), "over": over, "csrf": csrf, "line": line}
    return Markup(environment().get_template("said.html").render(shown=shown, **known))  # noqa: S704  the template escapes


def asked(dialog: Dialog, *, csrf: str = "") -> Markup:
    return Markup(environment().get_template("dialog.html").render(dialog=dialog, csrf=csrf))  # noqa: S704


def page(name: str, **values: Any) -> str:
    return environment().get_template(name).render(**values)


def local(url: str) -> str:
    """The path of our own page: a link of ours never leads elsewhere."""
    return urlsplit(url).path if url else ""
