"""Rules as documents: are they sound, do their tests pass, and what would they say of one action. Behind `day2 policy`."""

import difflib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from core.actions.catalogue import CATALOGUE
from core.domain.errors import InvalidInput
from core.domain.facts import Facts
from core.domain.values import bounded, canonical
from core.domain.verdict import Decision, RuleResult
from core.policy import documents, engine, lint, policies, testing

LARGEST = 1024 * 1024


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
    for file in files(paths):
        text = _text(file)
        problems += lint.lint_text(text, str(file), kinds)
        count += _count(text, file)
    return Linted(count, tuple(problems))


def tested(paths: Sequence[Path]) -> testing.Report:
    """Runs the tests that the rules carry. Raises InvalidDocument with file and line."""
    return testing.run(rules(paths))


def rules(paths: Sequence[Path]) -> tuple[policies.ActionPolicy, ...]:
    found: list[policies.ActionPolicy] = []
    for file in files(paths):
        for document in documents.read(_text(file), str(file)):
            engine.check_expressions(document)
            found += [document.value] if isinstance(document.value, policies.ActionPolicy) else []
    return tuple(found)


def in_force(folder: Path | None) -> engine.Engine:
    """The built-in packs, and those of the configured folder."""
    if folder is None:
        return engine.builtin()
    return engine.Engine([rule.policy for rule in engine.builtin().rules] + list(rules([folder.expanduser()])))


def named(judge: engine.Engine, name: str) -> policies.ActionPolicy:
    """One rule in force. Raises InvalidInput with the nearest name."""
    known = {rule.policy.name: rule.policy for rule in judge.rules}
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        mend = f"did you mean {near[0]}?" if near else "day2 policy test -o json lists them"
        raise InvalidInput(f"no rule {bounded(name, 60)!r}", mend=mend)
    return known[name]


def evaluated(judge: engine.Engine, path: Path) -> Evaluated:
    """A JSON file with `action` and, where wanted, `facts`; the rest is a good action with good facts. Raises InvalidInput."""
    document = _json(path)
    given = document.get("facts") or {}
    action = testing.merged(testing.GOOD_ACTION, document["action"])
    try:
        plain = testing.merged(testing.GOOD_FACTS.model_dump(mode="json"), given)
        facts = Facts.model_validate_json(canonical(plain)).model_dump(mode="json")
    except ValueError as error:
        raise InvalidInput(f"{path}: facts: {bounded(str(error).splitlines()[0], 200)}", mend="day2 schema facts") from error
    results = judge.evaluate(action, facts)
    decision = max((result.decision for result in results), key=list(Decision).index, default=Decision.DENY)
    return Evaluated(decision, results, tuple(sorted(set(Facts.model_fields) - set(given))))


def _json(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(_text(path))
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"{path} is no JSON", mend='{"action": {"kind": "scale_workload", ...}, "facts": {...}}') from error
    if not isinstance(document, dict) or not isinstance(document.get("action"), dict) or not isinstance(document.get("facts", {}), dict):
        raise InvalidInput(
            f"{path} needs an `action` object, and may have a `facts` object",
            mend='{"action": {"kind": "scale_workload", ...}, "facts": {...}}',
        )
    return document


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > LARGEST:
            raise InvalidInput(f"{path} is larger than {LARGEST >> 20} MiB", mend="split it")
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise InvalidInput(f"cannot read {path}: {error.strerror}", mend="check the path and its permissions") from error
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{path} is not UTF-8 text", mend="save it as UTF-8") from error


def _count(text: str, file: Path) -> int:
    try:
        return len(documents.of_kind(documents.read(text, str(file)), policies.ActionPolicy))
    except InvalidInput:
        return 0
