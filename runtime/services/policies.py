"""Rules as documents: are they sound, which are in force, how do sets differ, what would they say of an action. Behind `day2 policy`."""

import difflib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, NamedTuple

from core.actions.catalogue import CATALOGUE
from core.domain.errors import InvalidDocument, InvalidInput
from core.domain.facts import Facts
from core.domain.ledger import Ledger
from core.domain.values import bounded, canonical
from core.domain.verdict import Decision, RuleResult
from core.policy import documents, engine, lint, packs, policies, testing

LARGEST = 1024 * 1024
RECENT = 2000
"""Records of the judge that are looked at, from the newest."""


class Linted(NamedTuple):
    """`files` counts documents that were read."""

    rules: int
    problems: tuple[lint.Problem, ...]

    @property
    def sound(self) -> bool:
        return not any(problem.level == "error" for problem in self.problems)


class Evaluated(NamedTuple):
    """What the rules say of an action that nobody submitted. `assumed` names facts that the good baseline filled in."""

    decision: Decision
    results: tuple[RuleResult, ...]
    assumed: tuple[str, ...]


class Difference(NamedTuple):
    """One rule that is not the same in two sets. `fields` are those that changed."""

    change: Literal["added", "removed", "changed"]
    rule: policies.ActionPolicy
    fields: tuple[str, ...] = ()


class Judging(NamedTuple):
    """What the audit chain says of the judge's rules. `refused` is why the newest change is not in force; empty where it is."""

    digest: str
    at: datetime
    refused: str


def files(paths: Sequence[Path]) -> tuple[Path, ...]:
    """The rule files of these paths; the built-in packs where none is given. Raises InvalidInput."""
    found: list[Path] = []
    for path in paths or (engine.BUILTIN,):
        if not path.exists():
            raise InvalidInput(f"there is nothing at {path}", mend="give a file or folder of ActionPolicy documents")
        found += sorted([*path.glob("*.yaml"), *path.glob("*.yml")]) if path.is_dir() else [path]
    return tuple(found)


def linted(paths: Sequence[Path]) -> Linted:
    """Every problem with file and line; a document that cannot be read is one of them."""
    kinds = lint.kind_fields(CATALOGUE)
    problems: list[lint.Problem] = []
    count = 0
    own: list[documents.Document] = []
    for file in files(paths):
        text = text_of(file)
        problems += lint.lint_text(text, str(file), kinds)
        found = _read(text, file)
        count += len(documents.of_kind(found, policies.ActionPolicy))
        own += found if file.resolve().parent != engine.BUILTIN else ()
    return Linted(count, (*problems, *_clashes(own)))


def tested(paths: Sequence[Path]) -> testing.Report:
    """Runs the tests that the rules carry. Raises InvalidDocument with file and line."""
    return testing.run(rules(paths))


def rules(paths: Sequence[Path]) -> tuple[policies.ActionPolicy, ...]:
    found: list[policies.ActionPolicy] = []
    for file in files(paths):
        for document in documents.read(text_of(file), str(file)):
            if isinstance(document.value, policies.ActionPolicy):
                packs.check_expressions(document)
                found.append(document.value)
    return tuple(found)


def in_force(folder: Path | None) -> engine.Engine:
    """The built-in packs with the configured folder's: what it adds, overrides and tries out. Raises InvalidInput."""
    if folder is None:
        return engine.builtin()
    files([folder])
    return packs.in_force(folder.expanduser())


def written(text: str) -> engine.Engine:
    """The built-in packs with rules that somebody wrote just now. Raises InvalidDocument with the line."""
    if len(text) > LARGEST:
        raise InvalidInput("these rules are too long", mend=f"at most {LARGEST} characters")
    return engine.Engine(packs.combined(documents.unique(documents.read(text, "rules")))) if text.strip() else engine.builtin()


def named(judge: engine.Engine, name: str) -> policies.ActionPolicy:
    """One rule in force. Raises InvalidInput with the nearest name."""
    known = {rule.policy.name: rule.policy for rule in judge.rules}
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        mend = f"did you mean {near[0]}?" if near else "day2 policy test -o json lists them"
        raise InvalidInput(f"no rule {bounded(name, 60)!r}", mend=mend)
    return known[name]


def differences(before: engine.Engine, after: engine.Engine) -> tuple[Difference, ...]:
    """By name. A rule's own tests and the file that it stands in make no difference."""
    old, new = ({rule.policy.name: rule.policy for rule in one.rules} for one in (before, after))
    found = [Difference("removed", old[name]) for name in old.keys() - new.keys()]
    found += [Difference("added", new[name]) for name in new.keys() - old.keys()]
    found += [Difference("changed", new[name], fields) for name in old.keys() & new.keys() if (fields := _changed(old[name], new[name]))]
    return tuple(sorted(found, key=lambda item: item.rule.name))


def _changed(old: policies.ActionPolicy, new: policies.ActionPolicy) -> tuple[str, ...]:
    return tuple(name for name in policies.Spec.model_fields if name != "tests" and getattr(old, name) != getattr(new, name))


def judging(ledger: Ledger) -> Judging | None:
    """The rules of the judge's newest record; None where no judge ever spoke here."""
    head = ledger.head().get("judge")
    spoke = ledger.chain(max(1, head.seq - RECENT + 1), RECENT, role="judge") if head else []
    said = [(row, json.loads(row.body)) for row in spoke]
    with_rules = [(row, body) for row, body in said if body.get("policy")]
    if not with_rules:
        return None
    newest = with_rules[-1]
    changes = [(row, body) for row, body in with_rules if row.event in ("policy.loaded", "policy.refused")]
    refused = str(changes[-1][1].get("reason", "")) if changes and changes[-1][0].event == "policy.refused" else ""
    return Judging(str(newest[1]["policy"]), newest[0].at, refused)


def evaluated(judge: engine.Engine, path: Path) -> Evaluated:
    """A JSON file with `action` and, where wanted, `facts`. Raises InvalidInput."""
    return tried(judge, _json(path), str(path))


def tried(judge: engine.Engine, document: Mapping[str, Any], source: str) -> Evaluated:
    """`action`, and `facts` where they matter; the rest is a good action with good facts. Raises InvalidInput that names `source`."""
    given = document.get("facts") or {}
    action = testing.merged(testing.GOOD_ACTION, document["action"])
    try:
        plain = testing.merged(testing.GOOD_FACTS.model_dump(mode="json"), given)
        facts = Facts.model_validate_json(canonical(plain)).model_dump(mode="json")
    except ValueError as error:
        raise InvalidInput(f"{source}: facts: {bounded(str(error).splitlines()[0], 200)}", mend="day2 schema facts") from error
    results = judge.evaluate(action, facts)
    deciding = [result.decision for result in results if not result.dry]
    decision = max(deciding, key=list(Decision).index, default=Decision.DENY)
    return Evaluated(decision, results, tuple(sorted(set(Facts.model_fields) - set(given))))


def _json(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(text_of(path))
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"{path} is no JSON", mend='{"action": {"kind": "scale_workload", ...}, "facts": {...}}') from error
    if not isinstance(document, dict) or not isinstance(document.get("action"), dict) or not isinstance(document.get("facts", {}), dict):
        raise InvalidInput(
            f"{path} needs an `action` object, and may have a `facts` object",
            mend='{"action": {"kind": "scale_workload", ...}, "facts": {...}}',
        )
    return document


def text_of(path: Path) -> str:
    try:
        if path.stat().st_size > LARGEST:
            raise InvalidInput(f"{path} is larger than {LARGEST >> 20} MiB", mend="split it")
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise InvalidInput(f"cannot read {path}: {error.strerror}", mend="check the path and its permissions") from error
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{path} is not UTF-8 text", mend="save it as UTF-8") from error


def _read(text: str, file: Path) -> tuple[documents.Document, ...]:
    """Nothing of a file that lint has a problem with as a whole."""
    try:
        return documents.read(text, str(file))
    except InvalidInput:
        return ()


def _clashes(own: Sequence[documents.Document]) -> tuple[lint.Problem, ...]:
    """The first name that is taken, or override that cannot be: what no file shows by itself."""
    try:
        packs.combined(documents.unique(own))
    except InvalidDocument as error:
        return (lint.Problem(error.file, error.line, "", str(error).partition(": ")[2]),)
    return ()
