"""`-o`: which form a document is printed in. Standard output gets the data and nothing else.

Forms that few people ask for are imported when somebody does.
"""

import difflib
import json
from collections.abc import Callable, Sequence

from core.domain.errors import InvalidInput
from interfaces.rendering import custom_columns, envelopes, jsonpaths, tables
from interfaces.rendering.envelopes import Json
from interfaces.rendering.screens import Screen

OF_LISTS = ("csv", "md", "html")
OF_FINDINGS = ("junit", "sarif", "openreports")
FORMATS = ("table", "wide", "name", "json", "yaml", "jsonl", *OF_LISTS, *OF_FINDINGS)
JSONPATH, CUSTOM, TEMPLATE = "jsonpath=", "custom-columns=", "template="
ALL = f"{', '.join(FORMATS)}, jsonpath=TEMPLATE, custom-columns=NAME:PATH,..., template=JINJA"

View = Callable[[Screen, Json], None]


def checked(output: str) -> str:
    """The same word. Raises InvalidInput for one that is no format, or whose template cannot be read, before any work is done."""
    if output.startswith(JSONPATH) and len(output) > len(JSONPATH):
        jsonpaths.rendered(output.removeprefix(JSONPATH), {})
    elif output.startswith(CUSTOM):
        custom_columns.parsed(output.removeprefix(CUSTOM))
    elif output.startswith(TEMPLATE) and len(output) > len(TEMPLATE):
        from interfaces.rendering import templates

        templates.checked(output.removeprefix(TEMPLATE))
    elif output.startswith("go-template"):
        raise InvalidInput("-o go-template is not read", mend="-o template= takes Jinja, -o jsonpath= kubectl's JSONPath")
    elif output not in FORMATS:
        near = difflib.get_close_matches(output, FORMATS, n=1)
        raise InvalidInput(f"-o {output[:40]!r} is no format{f'. Did you mean `-o {near[0]}`?' if near else ''}", mend=f"one of: {ALL}")
    return output


def show(
    screen: Screen, output: str, document: Json, *, columns: Sequence[tables.Column] = (), view: View | None = None, name: str = "id"
) -> None:
    """Print one document. `view` is the form for people where it is more than a table; `name` the field that `-o name` prints."""
    items: list[Json] | None = document.get("items")
    if output in ("table", "wide"):
        _for_people(screen, document, items, columns, view, wide=output == "wide")
    elif output == "json":
        screen.stream.write(envelopes.text(document, ascii_only=screen.ascii_only) + "\n")
    elif output == "yaml":
        screen.stream.write(yaml_text(document, ascii_only=screen.ascii_only))
    elif output == "jsonl":
        screen.stream.write("".join(json.dumps(row, ensure_ascii=screen.ascii_only) + "\n" for row in _stream(document, items)))
    elif output == "name":
        rows = [document] if items is None else items
        _write(screen, "".join(f"{row.get(name, document['kind'])}\n" for row in rows))
    elif output.startswith(JSONPATH):
        _write(screen, jsonpaths.rendered(output.removeprefix(JSONPATH), document) + "\n")
    elif output.startswith(CUSTOM):
        custom_columns.show(screen, output.removeprefix(CUSTOM), [document] if items is None else items)
    elif output.startswith(TEMPLATE):
        from interfaces.rendering import templates

        _write(screen, templates.rendered(output.removeprefix(TEMPLATE), document))
    elif output in OF_FINDINGS:
        _reported(screen, output, document)
    else:
        _listed(screen, output, document, columns)


def _listed(screen: Screen, output: str, document: Json, columns: Sequence[tables.Column]) -> None:
    if "items" not in document or not columns:
        raise InvalidInput(f"-o {output} is for lists, and {document['kind']} is one document", mend="use -o json or -o yaml")
    if output == "html":
        from interfaces.rendering import pages

        screen.stream.write(pages.text(document, columns, ascii_only=screen.ascii_only))
    else:
        make = tables.csv_text if output == "csv" else tables.markdown_text
        _write(screen, make(columns, document["items"]))


def _reported(screen: Screen, output: str, document: Json) -> None:
    from interfaces.rendering import reports

    if document["kind"] != "FindingList":
        raise InvalidInput(f"-o {output} is for findings, and this is a {document['kind']}", mend=f"day2 scan -o {output}")
    make = {"junit": reports.junit, "sarif": reports.sarif, "openreports": reports.openreports}[output]
    screen.stream.write(make(document, ascii_only=screen.ascii_only))


def yaml_text(document: Json, *, ascii_only: bool = False) -> str:
    import yaml

    return str(yaml.safe_dump(document, sort_keys=False, allow_unicode=not ascii_only, width=120))


def _for_people(
    screen: Screen, document: Json, items: list[Json] | None, columns: Sequence[tables.Column], view: View | None, *, wide: bool
) -> None:
    if view is not None and not (wide and columns and items is not None):
        view(screen, document)
    elif items is not None and columns:
        tables.print_table(screen, tables.chosen(columns, wide=wide), items)
    else:
        screen.stream.write(
            screen.fitting(yaml_text({key: value for key, value in document.items() if key not in ("apiVersion", "metadata")}))
        )


def _stream(document: Json, items: list[Json] | None) -> list[Json]:
    header: Json = {"kind": "StreamHeader", "apiVersion": document["apiVersion"], "of": document["kind"], "metadata": document["metadata"]}
    if "coverage" in document:
        header["coverage"] = document["coverage"]
    rest = [document] if items is None else items
    return [header, *rest]


def _write(screen: Screen, text: str) -> None:
    screen.stream.write(screen.fitting(text))
