"""docs/policies.md goes through a roll-out of rules; here its commands run, on a ledger as the page describes it."""

import re
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from core.domain.outcome import ActionState
from core.domain.values import canonical
from core.domain.verdict import Verdict
from core.policy import engine, testing

PAGE = (Path(__file__).parents[3] / "docs" / "policies.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(yaml|console)\n(.*?)^```", re.MULTILINE | re.DOTALL)


class Step(NamedTuple):
    """A file to write, or a command with what it prints."""

    command: str
    lines: list[str]
    file: str = ""


def steps() -> list[Step]:
    found: list[Step] = []
    for kind, text in BLOCK.findall(PAGE):
        lines = text.splitlines()
        if kind == "yaml":
            found.append(Step("", lines, lines[0].removeprefix("# ")))
        for line in lines if kind == "console" else ():
            if line.startswith("$ "):
                found.append(Step(line[2:], []))
            else:
                found[-1].lines.append(line)
    return found


@pytest.fixture
def folder(past: Any, tmp_path: Path) -> Path:
    """Two actions that were allowed in payments, and one elsewhere."""
    for action_id, namespace in (("act-pay01", "payments"), ("act-pay02", "payments"), ("act-cart1", "shop")):
        target = {**testing.GOOD_ACTION["target"], "namespace": namespace, "name": action_id, "uid": f"u-{action_id}"}
        made = past.proposal(action_id, target=target, from_replicas=4, to_replicas=3)
        facts = testing.GOOD_FACTS.model_copy(update={"namespace": namespace, "uid": f"u-{action_id}"})
        verdict = Verdict(
            action_id=action_id,
            action_digest=made.action.digest(),
            policy_digest=engine.builtin().digest,
            facts=facts,
            results=engine.builtin().judge(made.action, facts),
            at=datetime.now(UTC),
        )
        past.submit(made)
        past.move(action_id, ActionState.PERMITTED, verdict=canonical(verdict).decode())
    return tmp_path


def test_the_page_is_what_the_commands_do(day2: Callable[..., Any], folder: Path, past: Any) -> None:
    (folder / "rules").mkdir()
    for step in steps():
        if step.file:
            (folder / step.file).write_text("\n".join(step.lines) + "\n", encoding="utf-8")
        elif step.command.startswith("day2 "):
            said = day2(*step.command.split()[1:], "--data-dir", str(past.folder)).out.splitlines()
            cut = step.lines.index("...") if "..." in step.lines else len(said)
            assert said[:cut] == [line for line in step.lines if line != "..."], step.command
        else:
            subprocess.run(step.command, shell=True, cwd=folder, check=True)


def test_simulate_and_diff_exit_2_when_something_would_be_different(day2: Callable[..., Any], folder: Path, past: Any) -> None:
    (folder / "rules").mkdir()
    rule = next(step for step in steps() if step.file)
    text = "\n".join(rule.lines) + "\n"
    place = ("--data-dir", str(past.folder), "--detailed-exitcode")
    (folder / rule.file).write_text(text.replace("mode: dry", "mode: enforce"), encoding="utf-8")
    assert day2("policy", "simulate", "--rules", "rules", *place).code == 2
    assert day2("policy", "diff", "rules", *place).code == 2
    (folder / rule.file).write_text(text, encoding="utf-8")
    assert day2("policy", "simulate", "--rules", "rules", *place).code == 0, "a dry rule changes no verdict"
    (folder / rule.file).unlink()
    assert day2("policy", "diff", "rules", *place).code == 0
    assert day2("policy", "simulate", "--rules", "nowhere", *place).code == 1


def test_the_page_names_what_is_locked_and_how_many_rules_there_are() -> None:
    sentence = re.search(r"They are (`autonomy-guarded`.*?)\.\n", PAGE, re.DOTALL)
    assert sentence
    assert set(re.findall(r"`([a-z-]+)`", sentence[1])) == engine.LOCKED
    assert f"[{len(engine.builtin().rules)} rules]" in PAGE
