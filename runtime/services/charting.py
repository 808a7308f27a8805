"""The generated files of the Helm chart in `deploy/chart/`: values, their schema, rights, admission documents, rules, dashboard.

`make chart` writes them, and a test holds them to this module. Templates only put together what stands here: rights by kind of action are
joined for the grants in the values as `core.actions.roles` joins them, and a test compares the two on the real helm.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import yaml
from pydantic import BaseModel

from core.actions import admission, roles
from core.actions.catalogue import CATALOGUE
from core.domain.values import Json
from runtime.services import alert_rules, chart_values, dashboards
from runtime.services.chart_values import Part, Values

FOLDER = "deploy/chart"
PAGE = "docs/deploying.md"
BEGIN, END = "<!-- values: made by `make chart` -->", "<!-- end of values -->"
NOBODY = "nobody"
"""An agent whose documents are taken apart; its name is in none of the parts that are kept."""
OLDEST = "1.30.0-0"
WIDTH = 118


def files(version: str) -> dict[str, str]:
    """Path within the chart to text."""
    return {
        "Chart.yaml": _yaml(chart(version)),
        "values.yaml": values_text(),
        "values.schema.json": _json(chart_values.schema()),
        "files/rights.json": _json(rights()),
        "files/admission.json": _json({"documents": admission_documents(), **where()}),
        "files/rules.json": _json(alert_rules.group()),
        "files/dashboard.json": _json(dashboards.document()),
    }


def chart(version: str) -> Json:
    """Chart and product have one version: the chart's rights and locks are compared with those that the product generates."""
    return {
        "apiVersion": "v2",
        "name": "day2ops",
        "description": "Kubernetes Day-2 operations by agents whose every action is judged, permitted, verified and undone when it misses",
        "type": "application",
        "version": version,
        "appVersion": version,
        "kubeVersion": f">= {OLDEST}",
        "annotations": {
            "artifacthub.io/category": "monitoring-logging",
            "artifacthub.io/license": "Apache-2.0",
            "artifacthub.io/operator": "false",
            "artifacthub.io/prerelease": "true",
            "artifacthub.io/changes": _yaml([{"kind": "added", "description": "The chart: read-only by default."}]),
        },
    }


# ------------------------------------------------------------------ rights and locks
def rights() -> Json:
    """The parts of RBAC: what each kind of action needs, and what each of our accounts holds, in both forms of impersonation."""
    forms = {"constrained": False, "legacy": True}
    return {
        "accounts": list(roles.ACCOUNTS),
        "reader": _rules(roles.reader_role())["day2-reader"],
        "observer": _rules(roles.observer_role())["day2-observer"],
        "notifier": _rules(roles.notifier_role())["day2-notifier"],
        "kinds": {kind: _split(roles.agent_roles({NOBODY: (kind,)}), f"day2-agent-{NOBODY}") for kind in CATALOGUE},
        "executor": {name: _identity(roles.executor_role((NOBODY,), legacy=old), "day2-executor-identity") for name, old in forms.items()},
        "judge": {name: _identity(roles.judge_role((NOBODY,), legacy=old), "day2-judge-identity") for name, old in forms.items()},
        "on": {
            "executor": _split(roles.executor_role((NOBODY,)), "day2-executor-on"),
            "judge": _split(roles.judge_role((NOBODY,)), "day2-judge-on"),
        },
    }


def _rules(documents: tuple[Json, ...]) -> dict[str, list[Json]]:
    return {item["metadata"]["name"]: item["rules"] for item in documents if item["kind"] == "ClusterRole"}


def _split(documents: tuple[Json, ...], name: str) -> Json:
    """Rules that hold inside the managed namespaces, and those that are cluster-wide."""
    found = _rules(documents)
    return {"inside": found.get(name, []), "wide": found.get(f"{name}-cluster", [])}


def _identity(documents: tuple[Json, ...], name: str) -> Json:
    """Whom it may be (the first rule, without the names, which the values give), and what it may beside."""
    first, *others = _rules(documents)[name]
    return {"users": {key: value for key, value in first.items() if key != "resourceNames"}, "others": others}


def admission_documents() -> list[Json]:
    """Without the webhook's `clientConfig`, which the values give."""
    return [json.loads(json.dumps(item)) for item in admission.manifests({})]


def where() -> Json:
    """How the API server finds the webhook: the Service, and the path behind an address of one's own."""
    return {"service": admission.SERVICE["service"], "path": admission.API_PATH}


# ------------------------------------------------------------------ values
def values_text() -> str:
    """`values.yaml`: each value with what it does, in the order of the form."""
    lines = ["# Made by `make chart` from runtime/services/chart_values.py. docs/deploying.md has the same as a table."]
    return "\n".join([*lines, *_lines(Values(), 0)]) + "\n"


def _lines(form: BaseModel, depth: int) -> Iterator[str]:
    pad = "  " * depth
    for name, field in type(form).model_fields.items():
        value = getattr(form, name)
        if isinstance(value, Part):
            if depth == 0:
                yield ""
                yield from _comment((type(value).__doc__ or "").strip(), pad)
            yield f"{pad}{field.alias}:"
            yield from _lines(value, depth + 1)
            continue
        if depth == 0:
            yield ""
        yield from _comment(field.description or "", pad)
        yield f"{pad}{field.alias}: {json.dumps(form.model_dump(mode='json')[name])}"


def _comment(text: str, pad: str) -> Iterator[str]:
    line = ""
    for word in text.split():
        if line and len(pad) + len(line) + len(word) + 3 > WIDTH:
            yield f"{pad}# {line}"
            line = ""
        line = f"{line} {word}".strip()
    yield f"{pad}# {line}"


def table() -> str:
    """The values as they stand in docs/deploying.md."""
    rows = ["| value | default | what it does |", "|---|---|---|"]
    rows += [
        f"| `{item.path}` | {_shown(item.default)} | {item.description.replace('|', chr(92) + '|')} |" for item in chart_values.listed()
    ]
    return "\n".join(rows)


def _shown(value: Any) -> str:
    return f"`{json.dumps(value)}`" if value not in ("", [], {}) else "–"


def page(text: str) -> str:
    """The page with its table as it is now. Raises ValueError where the page has no place for it."""
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    if not tail:
        raise ValueError(f"{PAGE} lacks {BEGIN} or {END}")
    return f"{head}{BEGIN}\n{table()}\n{END}{tail}"


def _json(document: Mapping[str, Any]) -> str:
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _yaml(document: Any) -> str:
    return str(yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=WIDTH))
