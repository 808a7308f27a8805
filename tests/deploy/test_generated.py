"""What is generated of `deploy/` and its page is as the code says now; the dashboard asks only for what is shown."""

import json
import re
import sys
from pathlib import Path

import jsonschema
import pytest
import yaml

from runtime.services import chart_values, charting, dashboards
from runtime.services.measuring import METRICS

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "deploy"))

import generate  # noqa: E402  the folder above is no package

CHART = ROOT / charting.FOLDER


def test_nothing_generated_is_stale() -> None:
    stale = [str(path.relative_to(ROOT)) for path, text in generate.wanted().items() if path.read_text(encoding="utf-8") != text]
    assert stale == [], "mend: make chart"


def test_every_file_of_the_chart_that_holds_data_is_generated() -> None:
    """Templates put together; what they put together is made by code."""
    written = {path.relative_to(CHART).as_posix() for path in CHART.rglob("*") if path.is_file() and "templates" not in path.parts}
    assert written == set(charting.files("0.0.0"))


def test_chart_and_product_have_one_version() -> None:
    import tomllib

    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert (chart["version"], chart["appVersion"]) == (version, version)
    assert re.findall(r'image\.version="([^"]+)"', (ROOT / "deploy" / "Dockerfile").read_text()) == [version]


def test_the_default_values_keep_their_own_schema_and_are_what_the_form_says() -> None:
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    schema = json.loads((CHART / "values.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(values)
    assert values == chart_values.defaults()


def test_each_value_is_described() -> None:
    assert [item.path for item in chart_values.listed() if len(item.description) < 3] == []


def test_a_page_without_a_place_for_the_table_is_refused() -> None:
    with pytest.raises(ValueError, match="lacks"):
        charting.page("# Deploying\n")


def test_no_template_holds_a_rule_of_its_own() -> None:
    """Verbs and API groups of rights, expressions of locks: only in generated files."""
    for path in (CHART / "templates").glob("*.*"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"verbs:\s*\[|impersonate|failurePolicy|matchConditions", text), path.name


# ------------------------------------------------------------------ the dashboard
PANELS = [panel for panel in dashboards.document()["panels"] if panel["type"] != "row"]


def test_each_metric_that_is_shown_has_a_panel_and_each_panel_a_metric() -> None:
    assert sorted(panel["description"].partition(",")[0] for panel in PANELS) == sorted(metric.name for metric in METRICS)


def test_each_query_names_a_metric_and_labels_that_exist() -> None:
    known = {metric.name: metric for metric in METRICS}
    for panel in PANELS:
        for target in panel["targets"]:
            (name,) = re.findall(r"day2_[a-z0-9_]+", target["expr"])
            metric = known[name.removesuffix("_bucket")]
            assert name.endswith("_bucket") is (metric.type == "histogram")
            by = re.search(r"by \(([^)]*)\)", target["expr"])
            labels = set(by.group(1).split(", ")) if by else set()
            assert labels <= {*metric.labels, *(["le"] if metric.type == "histogram" else [])}
            assert set(re.findall(r"{{(\w+)}}", target["legendFormat"])) <= labels
            assert ("increase(" in target["expr"]) is (metric.type != "gauge"), "a counter's value says nothing, a gauge has no increase"


def test_panels_do_not_lie_over_each_other() -> None:
    seen: set[tuple[int, int]] = set()
    for panel in dashboards.document()["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not seen & cells, panel["title"]
        assert at["x"] + at["w"] <= 24
        seen |= cells


def test_ids_and_references_are_unique() -> None:
    ids = [panel["id"] for panel in dashboards.document()["panels"]]
    assert len(ids) == len(set(ids))
    assert all(panel["datasource"]["uid"] == "${datasource}" for panel in PANELS)
