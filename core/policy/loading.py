"""The rules that a judge may run with: the platform's own and an organisation's, free of lint's errors and with every embedded test passed.

`python -m core.policy.loading FOLDER` is how the judge asks, at its start and whenever the folder changed: one line of JSON, with the
whole set that passed, or with what is wrong and where. An expression has no deadline, so it is asked of a process of its own.
"""

import json
import sys
from pathlib import Path

from core.actions.catalogue import CATALOGUE
from core.domain.errors import InvalidDocument, InvalidInput
from core.domain.values import Json
from core.policy import documents, engine, lint, packs, policies


def load(folder: Path | None = None) -> engine.Engine:
    """Raises InvalidDocument with file and line for the first thing that is wrong."""
    found = documents.read_path(engine.BUILTIN)
    own = documents.read_path(folder) if folder else ()
    rules = packs.combined(own)
    for document in (*found, *own):
        if isinstance(document.value, policies.ActionPolicy):
            _sound(document)
    return engine.Engine(rules)


def _sound(document: documents.Document) -> None:
    problems = lint.lint([document], lint.kind_fields(CATALOGUE))
    mistake = next((problem for problem in problems if problem.level == "error"), None)
    if mistake:
        raise InvalidDocument(
            f"rule {mistake.rule}: {mistake.message}", file=mistake.file, line=mistake.line, mend="`day2 policy lint` shows every problem"
        )


def answer(folder: Path) -> Json:
    """`policies`: the whole set that passed; or `refused`: what is wrong, with file and line."""
    try:
        return {"policies": [rule.policy.model_dump(mode="json") for rule in load(folder).rules]}
    except InvalidInput as error:
        return {"refused": str(error)}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(answer(Path(sys.argv[1]))) + "\n")
