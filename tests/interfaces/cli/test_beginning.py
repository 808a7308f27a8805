"""`day2 init`: what it writes is in force at once, what is there is left as it is, and bad answers write nothing."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

Day2 = Callable[..., Any]


def test_what_it_writes_is_in_force_and_holds_no_right_to_write(day2: Day2, tmp_path: Path) -> None:
    done = day2("init", "--no-input", "--prometheus", "http://127.0.0.1:9090", "-o", "json")
    assert (done.code, done.json["kept"]) == (0, [])
    found = {item["key"]: item for item in day2("config", "view", "-o", "json").json["items"]}
    assert found["prometheus.url"]["value"] == "http://127.0.0.1:9090"
    assert found["policy.objectives"]["source"].endswith("day2.yaml")
    manifest = list(yaml.safe_load_all((tmp_path / "day2-reader.yaml").read_text(encoding="utf-8")))
    assert [item["kind"] for item in manifest[:2]] == ["Namespace", "ServiceAccount"]
    rules = [rule for item in manifest for rule in item.get("rules", ())]
    assert rules
    assert {verb for rule in rules for verb in rule["verbs"]} <= {"get", "list", "watch"}
    assert not any("secrets" in rule["resources"] for rule in rules)
    subjects = {subject["name"] for item in manifest for subject in item.get("subjects", ())}
    assert subjects == {manifest[1]["metadata"]["name"]}


def test_a_file_that_is_there_is_not_touched_unless_one_says_so(day2: Day2, tmp_path: Path) -> None:
    assert day2("init", "--no-input").code == 0
    (tmp_path / "day2-documents" / "objectives.yaml").write_text("# mine\n", encoding="utf-8")
    before = (tmp_path / "day2.yaml").read_text(encoding="utf-8")
    again = day2("init", "--no-input", "--listen", "127.0.0.1:9999")
    assert (again.code, "was not touched" in again.err, "--force" in again.err) == (1, True, True)
    assert (tmp_path / "day2.yaml").read_text(encoding="utf-8") == before
    forced = day2("init", "--no-input", "--listen", "127.0.0.1:9999", "--force", "-o", "json")
    assert (forced.code, len(forced.json["kept"])) == (0, 2)
    assert "9999" in (tmp_path / "day2.yaml").read_text(encoding="utf-8")
    assert (tmp_path / "day2-documents" / "objectives.yaml").read_text(encoding="utf-8") == "# mine\n"


def test_an_answer_that_cannot_be_writes_nothing(day2: Day2, tmp_path: Path) -> None:
    done = day2("init", "--no-input", "--listen", "nowhere")
    assert done.code == 1
    assert "web.listen" in done.err
    assert not (tmp_path / "day2.yaml").exists()
