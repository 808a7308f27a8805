"""The rules that a judge runs with: the platform's own and what people added, lint-free and with every embedded test passed.

Called at start and at each reload; a set that is refused leaves the last good one in force, because nothing was replaced yet.
"""

from pathlib import Path

from core.domain.errors import InvalidDocument
from core.policy import documents, engine, lint, policies


def load(folder: Path | None = None, kinds: lint.KindFields | None = None) -> engine.Engine:
    """Built-in rules plus those of a folder. Raises InvalidDocument with file and line: added rules tighten, and replace none.

    `kinds` are the arguments of the catalogue's kinds (`lint.kind_fields`), for rules that read them.
    """
    found = documents.read_path(engine.BUILTIN)
    if folder is not None:
        found = documents.unique([*found, *documents.read_path(folder)])
    rules = [document for document in found if isinstance(document.value, policies.ActionPolicy)]
    for document in rules:
        mistake = next((problem for problem in lint.lint([document], kinds) if problem.level == "error"), None)
        if mistake:
            raise InvalidDocument(
                f"rule {mistake.rule}: {mistake.message}",
                file=mistake.file,
                line=mistake.line,
                mend="`day2 policy lint` shows every problem",
            )
    return engine.load(documents.of_kind(rules, policies.ActionPolicy))
