import json
import re
from pathlib import Path

from tests.controlplane import stages

DOCUMENTS = stages.documents(Path("/logs"))


def test_every_annotation_that_is_read_is_told() -> None:
    read = set(re.findall(re.escape(stages.PREFIX) + r"([a-z-]+)", json.dumps(DOCUMENTS)))
    assert stages.__doc__ is not None
    assert {name for name in read if f"`{name}" not in stages.__doc__ and f"/{name}" not in stages.__doc__} == set()


def test_every_stage_has_a_name_of_its_own() -> None:
    names = [document["metadata"]["name"] for document in DOCUMENTS if document["kind"] == "Stage"]
    assert len(names) == len(set(names))


def test_every_state_that_a_spec_can_ask_for_has_its_stage() -> None:
    keys = [document["spec"]["selector"]["matchExpressions"][0]["key"] for document in DOCUMENTS if document["kind"] == "Stage"]
    for state in ("ready", "not-ready", "image-pull-backoff", "crashloop", "oom", "failed"):
        assert stages.becomes(state) in keys


def test_templates_end_every_block_that_they_open() -> None:
    for document in DOCUMENTS:
        then = document.get("spec", {}).get("next", {})
        for template in [then.get("statusTemplate", ""), *(patch["template"] for patch in then.get("patches", []))]:
            assert len(re.findall(r"{{ *(?:range|if|with)\b", template)) == len(re.findall(r"{{ *end *}}", template))


def test_what_is_written_is_one_json_document_after_another(tmp_path: Path) -> None:
    stages.write(tmp_path / "kwok.yaml", tmp_path)
    parts = (tmp_path / "kwok.yaml").read_text().split("\n---\n")
    assert [json.loads(part) for part in parts] == stages.documents(tmp_path)
