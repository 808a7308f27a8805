"""One page per rule for `docs/rules/`, made from the rules themselves: `python -m core.policy.pages docs/rules`."""

import sys
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path

from core.policy import engine, lint, policies

_SAYS = {
    "deny": "denies",
    "needs_approval": "asks for approval",
    "warn": "warns",
}


def pages(rules: Iterable[policies.ActionPolicy]) -> dict[str, str]:
    """File name to text: `README.md` is the index."""
    ordered = sorted(rules, key=lambda rule: (rule.pack, rule.name))
    return {"README.md": _index(ordered), **{f"{rule.name}.md": _page(rule) for rule in ordered}}


def _index(rules: list[policies.ActionPolicy]) -> str:
    lines = [
        "# Rules of the judge",
        "",
        f"{len(rules)} rules, all of them asked about every action. A rule that cannot be evaluated denies.",
        "These pages are generated from `core/policy/rules/`.",
    ]
    for pack, members in groupby(rules, key=lambda rule: rule.pack):
        lines += ["", f"## {pack.replace('_', ' ')}", "", "| rule | says | why |", "|---|---|---|"]
        lines += [f"| [{rule.name}]({rule.name}.md) | {_decision(rule)} | {rule.why} |" for rule in members]
    return "\n".join(lines) + "\n"


def _page(rule: policies.ActionPolicy) -> str:
    read = ", ".join(f"`{name}`" for name in lint.facts_read(rule)) or "none"
    lines = [
        f"# {rule.name}",
        "",
        rule.why,
        "",
        f"- **When it holds, it {_decision(rule)}** (severity {rule.severity}).",
        f"- **Asked about** {', '.join('every action' if kind == '*' else f'`{kind}`' for kind in rule.applies_to)}.",
        f"- **Facts it reads**: {read}.",
        *(
            ["- **Locked**: no rule of an organisation stands in its place ([why](../policies.md#override-a-built-in-rule))."]
            if rule.name in engine.LOCKED
            else []
        ),
        f"- **Pack**: `core/policy/rules/{rule.pack}.yaml`.",
        "",
        "```cel",
        rule.when,
        "```",
        "",
        "| its tests | expect |",
        "|---|---|",
        *(f"| {test.name} | {test.expect} |" for test in rule.tests),
    ]
    return "\n".join(lines) + "\n"


def _decision(rule: policies.ActionPolicy) -> str:
    people = f" of {rule.approvers} people" if rule.approvers > 1 else ""
    return _SAYS[rule.decision] + people


def write(folder: Path) -> int:
    """Replace the folder's pages by the current ones; the number written."""
    folder.mkdir(parents=True, exist_ok=True)
    found = pages([rule.policy for rule in engine.builtin().rules])
    for old in folder.glob("*.md"):
        if old.name not in found:
            old.unlink()
    for name, text in found.items():
        (folder / name).write_text(text, encoding="utf-8")
    return len(found)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
