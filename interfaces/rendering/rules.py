"""Rules as documents: what lint found, how their tests went, what they say of one action."""

from core.policy import testing
from core.policy.policies import ActionPolicy
from interfaces.rendering import actions
from interfaces.rendering.envelopes import Json, envelope
from interfaces.rendering.screens import Screen
from interfaces.rendering.tables import Column
from runtime.services.policies import Evaluated, Linted

LINT_COLUMNS = (
    Column("FILE", "file"),
    Column("LINE", "line"),
    Column("LEVEL", "level"),
    Column("RULE", "rule"),
    Column("PROBLEM", "message"),
)
TEST_COLUMNS = (
    Column("RULE", "rule"),
    Column("TEST", "test"),
    Column("RESULT", lambda item: "pass" if item["ok"] else "fail"),
    Column("EXPECTED", "expected"),
    Column("GOT", "got"),
    Column("SAID", "said", wide=True),
)
EVAL_COLUMNS = (Column("RULE", "rule"), Column("RESULT", "result"), Column("DECISION", "decision"), Column("MESSAGE", "message"))


def rule_document(rule: ActionPolicy) -> Json:
    return envelope(
        "Rule",
        name=rule.name,
        pack=rule.pack,
        why=rule.why,
        applies_to=list(rule.applies_to),
        decision=rule.decision,
        approvers=rule.approvers,
        when=rule.when,
        tests=[{"name": test.name, "expect": test.expect} for test in rule.tests],
    )


def rule_view(screen: Screen, found: Json) -> None:
    screen.wrapped(f"{found['name']} ({found['pack']}): {found['why']}")
    people = f", {found['approvers']} people" if found["decision"] == "needs_approval" and found["approvers"] > 1 else ""
    screen.wrapped(f"applies to {', '.join(found['appliesTo'])}; when it speaks: {found['decision']}{people}", indent=2, hang=2)
    screen.wrapped(f"speaks when  {' '.join(found['when'].split())}", indent=2, hang=2)
    for test in found["tests"]:
        screen.wrapped(f"tested: {test['name']}: {test['expect']}", indent=2, hang=2)


def lint_document(found: Linted) -> Json:
    items = [{"file": row.file, "line": row.line, "rule": row.rule, "level": row.level, "message": row.message} for row in found.problems]
    return envelope("LintReport", items=items, metadata={"rules": found.rules, "sound": found.sound})


def lint_view(screen: Screen, found: Json) -> None:
    for row in found["items"]:
        screen.wrapped(
            f"{screen.glyph('fail' if row['level'] == 'error' else 'warn')} {row['file']}:{row['line']}: {row['rule']}: {row['message']}",
            hang=2,
        )
    problems = sum(row["level"] == "error" for row in found["items"])
    screen.line(
        f"{found['metadata']['rules']} rules, {problems} problems, {len(found['items']) - problems} notes", "ok" if not problems else "fail"
    )


def test_document(report: testing.Report) -> Json:
    items = [
        {"rule": row.rule, "test": row.test, "ok": row.ok, "expected": row.expected, "got": row.got, "said": row.said}
        for row in report.results
    ]
    return envelope("RuleTestReport", items=items, metadata={"ok": report.ok, "untested": list(report.untested)})


def test_view(screen: Screen, found: Json) -> None:
    """Only what went wrong, then the count."""
    for row in found["items"]:
        if not row["ok"]:
            screen.wrapped(
                f"{screen.glyph('fail')} {row['rule']}: {row['test']}: expected {row['expected']}, got {row['got']}: {row['said']}", hang=2
            )
    for name in found["metadata"]["untested"]:
        screen.line(f"{screen.glyph('warn')} {name} has no test")
    failed = sum(not row["ok"] for row in found["items"])
    rules = len({row["rule"] for row in found["items"]})
    screen.line(f"{len(found['items'])} tests of {rules} rules, {failed} failed", "ok" if not failed else "fail")


def evaluated_document(found: Evaluated) -> Json:
    items = [actions.rule(result) for result in found.results]
    return envelope("Evaluation", items=items, metadata={"decision": found.decision, "assumed_facts": list(found.assumed)})


def evaluated_view(screen: Screen, found: Json) -> None:
    for row in found["items"]:
        if row["result"] not in ("pass", "skip"):
            screen.wrapped(f"{screen.glyph(row['result'])} {row['result']:<5} {row['rule']}: {row['message']}", hang=8)
    passed = sum(row["result"] == "pass" for row in found["items"])
    screen.line(f"{passed} passed; {len(found['metadata']['assumedFacts'])} facts were assumed good")
    screen.line(found["metadata"]["decision"], found["metadata"]["decision"])
