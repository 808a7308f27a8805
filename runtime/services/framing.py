"""The frame of a page that can be mailed: it holds all that it shows, inline style and SVG, no script, nothing that is loaded, and its own
policy forbids both. For the pages of `-o html` and for the weekly digest.

Every text goes through `Markup.format`, which escapes it.
"""

from markupsafe import Markup

_FRAME = Markup("""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title><style>{style}</style></head><body>
<header><h1>{title}</h1><p class="dim">{about}</p></header><main>
{body}
</main></body></html>
""")


def page(title: str, about: str, style: Markup, body: Markup) -> str:
    """`about` is the line under the title."""
    return str(_FRAME.format(title=title, about=about, style=style, body=body))
