"""Rules as documents: what lint found, how their tests went, what they say of one action."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from core.policy import engine, testing
from core.policy.policies import ActionPolicy
from interfaces.rendering import actions
from interfaces.rendering.envelopes import Json, envelope, plain
from interfaces.rendering.screens import Screen
from interfaces.rendering.tables import Column
from runtime.services.agreeing import Agreement
from runtime.services.policies import Difference, Evaluated, Judging, Linted
from runtime.services.simulating import MOST, Simulation

AGREEMENT_COLUMNS = (
    Column("WITH", "with"),
    Column("BOTH", "both"),
    Column("MODEL ONLY", "modelOnly"),
    Column("OTHER ONLY", "otherOnly"),
    Column("NEITHER", "neither"),
    Column("KAPPA", "kappa"),
)
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
LIST_COLUMNS = (
    Column("RULE", "rule"),
    Column("DECISION", "decision"),
    Column("MODE", "mode"),
    Column("PACK", "pack"),
    Column("OVERRIDES", "overrides"),
    Column("LOCKED", lambda item: "yes" if item["locked"] else ""),
    Column("SEVERITY", "severity", wide=True),
)
DIFF_COLUMNS = (
    Column("CHANGE", "change"),
    Column("RULE", "rule"),
    Column("DECISION", "decision"),
    Column("MODE", "mode"),
    Column("FIELDS", "fields"),
    Column("OVERRIDES", "overrides"),
    Column("REASON", "reason", wide=True),
)
SIMULATION_COLUMNS = (
    Column("ACTION", "action"),
    Column("WAS", "was"),
    Column("BECOMES", "becomes"),
    Column("RULES", lambda item: ", ".join(row["rule"] for row in item["rules"])),
    Column("WHAT", "sentence"),
    Column("JUDGED", "at", wide=True),
    Column("NAMESPACE", "namespace", wide=True),
)
EVAL_COLUMNS = (Column("RULE", "rule"), Column("RESULT", "result"), Column("DECISION", "decision"), Column("MESSAGE", "message"))


def rule_document(rule: ActionPolicy) -> Json:
    return envelope(
        "Rule",
        name=rule.name,
        pack=rule.pack,
        why=rule.why,
        mode=rule.mode,
        overrides=rule.overrides,
        reason=rule.reason,
        locked=rule.name in engine.LOCKED,
        applies_to=list(rule.applies_to),
        decision=rule.decision,
        approvers=rule.approvers,
        when=rule.when,
        tests=[{"name": test.name, "expect": test.expect} for test in rule.tests],
    )


def rule_view(screen: Screen, found: Json) -> None:
    screen.wrapped(f"{found['name']} ({found['pack']}): {found['why']}")
    if found["overrides"]:
        stands = "stands in the place of" if found["mode"] == "enforce" else "is on trial beside"
        screen.wrapped(f"{stands} {found['overrides']}: {found['reason']}", indent=2, hang=2)
    if found["mode"] == "dry" or found["locked"]:
        screen.wrapped("dry: it reports and decides nothing" if found["mode"] == "dry" else "locked: nothing stands in its place", indent=2)
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
            screen.wrapped(actions.spoken(screen, row), hang=8)
    passed = sum(row["result"] == "pass" for row in found["items"])
    screen.line(f"{passed} passed; {len(found['metadata']['assumedFacts'])} facts were assumed good")
    screen.line(found["metadata"]["decision"], found["metadata"]["decision"])


def listed(judge: engine.Engine, folder: str, running: Judging | None) -> Json:
    """The set that the folder on disk makes, and beside it what the judge said last."""
    known = [rule.policy for rule in engine.builtin().rules]
    items = [
        {
            "rule": rule.policy.name,
            "pack": rule.policy.pack,
            "mode": rule.policy.mode,
            "decision": rule.policy.decision,
            "severity": rule.policy.severity,
            "overrides": rule.policy.overrides,
            "locked": rule.policy.name in engine.LOCKED,
            "built_in": rule.policy in known,
        }
        for rule in judge.rules
    ]
    said = {"same": running.digest == judge.digest, **plain(running._asdict())} if running else None
    return envelope("RuleList", items=items, metadata={"folder": folder, "digest": judge.digest, "judge": said})


def list_view(screen: Screen, found: Json) -> None:
    """What is not as built in, then the two digests."""
    for row in found["items"]:
        if not row["builtIn"]:
            beside = f" for {row['overrides']}" if row["overrides"] else ""
            screen.wrapped(f"{row['rule']} ({row['pack']}): {row['mode']}, {row['decision']}{beside}", indent=2, hang=2)
    metadata = found["metadata"]
    dry, source = sum(row["mode"] == "dry" for row in found["items"]), metadata["folder"] or "the built-in packs"
    screen.line(f"{len(found['items'])} rules, {dry} of them dry; digest {metadata['digest'][:12]}, from {source}")
    judge = metadata["judge"]
    if judge is None:
        screen.line("no judge has spoken here yet")
        return
    word = "the same" if judge["same"] else "OTHER rules"
    screen.line(f"the judge runs {word}: digest {judge['digest'][:12]}, as of {judge['at']}", "ok" if judge["same"] else "warn")
    if judge["refused"]:
        screen.wrapped(f"it refused the newest change: {judge['refused']}", indent=2, hang=2)


def diff_document(before: engine.Engine, after: engine.Engine, found: Sequence[Difference]) -> Json:
    items = [
        {
            "change": item.change,
            "rule": item.rule.name,
            "mode": item.rule.mode,
            "decision": item.rule.decision,
            "fields": list(item.fields),
            "overrides": item.rule.overrides,
            "reason": item.rule.reason,
        }
        for item in found
    ]
    return envelope("RuleDiff", items=items, metadata={"before": before.digest, "after": after.digest})


def diff_view(screen: Screen, found: Json) -> None:
    signs = {"added": "+", "removed": "-", "changed": "~"}
    for row in found["items"]:
        fields = f": {', '.join(row['fields'])}" if row["fields"] else ""
        place = f", for {row['overrides']} ({row['reason']})" if row["overrides"] else ""
        dry = "dry, " if row["mode"] == "dry" else ""
        screen.wrapped(f"{signs[row['change']]} {row['rule']}{fields} ({dry}{row['decision']}{place})", hang=2)
    counts = Counter(row["change"] for row in found["items"])
    screen.line(", ".join(f"{counts[word]} {word}" for word in signs) if counts else "the same rules")


def simulation_document(found: Simulation, since: datetime) -> Json:
    items = [
        {
            "action": shift.action_id,
            "sentence": shift.sentence,
            "namespace": shift.namespace,
            "at": plain(shift.at),
            "was": shift.was.value,
            "becomes": shift.becomes.value,
            "rules": [actions.rule(result) for result in shift.rules],
        }
        for shift in found.shifts
    ]
    counts = Counter((item["was"], item["becomes"]) for item in items)
    return envelope(
        "Simulation",
        items=items,
        metadata={"digest": found.digest, "since": plain(since), "replayed": found.replayed, "cut": found.cut},
        counts=[{"was": was, "becomes": becomes, "verdicts": number} for (was, becomes), number in sorted(counts.items())],
        dry=[trial._asdict() for trial in found.trials],
        not_replayed=[{"reason": reason, "verdicts": number} for reason, number in sorted(found.left_out.items())],
    )


def simulation_view(screen: Screen, found: Json) -> None:
    for row in found["items"]:
        screen.wrapped(f"{screen.glyph(row['becomes'])} {row['action']} {row['was']} -> {row['becomes']}: {row['sentence']}", hang=2)
        for rule in row["rules"]:
            screen.wrapped(f"{rule['rule']}: {rule['message']}", indent=4, hang=2)
    for row in found["dry"]:
        screen.wrapped(f"dry {row['rule']}: would have denied {row['denied']} more and asked about {row['asked']} more", hang=2)
    for row in found["notReplayed"]:
        screen.wrapped(f"{screen.glyph('skip')} {row['verdicts']} not replayed: {row['reason']}", hang=2)
    if found["metadata"]["cut"]:
        screen.line(f"only the newest {MOST:,} actions were looked at")
    for row in found["counts"]:
        screen.line(f"{row['verdicts']} {row['was']} -> {row['becomes']}")
    screen.line(
        f"{found['metadata']['replayed']} verdicts replayed, {len(found['items'])} would be others", "warn" if found["items"] else "ok"
    )


def agreement_document(found: Sequence[Agreement]) -> Json:
    """`kappa` has two decimals, and is empty where chance explains all or nothing was compared."""
    items = [
        {
            "with": row.with_whom,
            "both": row.both,
            "model_only": row.model_only,
            "other_only": row.other_only,
            "neither": row.neither,
            "kappa": "" if row.kappa is None else f"{row.kappa:.2f}",
        }
        for row in found
    ]
    return envelope("AgreementList", items=items)
