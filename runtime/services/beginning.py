"""The first settings file, and the one manifest with the rights that reading needs. Behind `day2 init`; nothing is contacted."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from core.actions.roles import NAMESPACE, READER, labelled, observer_role, reader_role
from core.domain.errors import Conflict, InvalidInput
from core.domain.values import Json, bounded
from core.policy.documents import API_VERSION
from runtime import settings
from runtime.replacing import replace

MANIFEST = "day2-reader.yaml"
DOCUMENTS = "day2-documents"
SAMPLE = f"""\
# What people want of a scope. Without a Grant agents look and propose, and nothing is carried out: docs/approvals.md, docs/autonomy.md.
apiVersion: {API_VERSION}
kind: Objective
metadata: {{name: everything-reliable}}
spec:
  scope: {{}}
  serves: reliability
  priority: 50
"""


class Begun(NamedTuple):
    """Files as they were written; `kept` were there before and are as they were."""

    settings: Path
    manifest: Path
    documents: Path
    kept: tuple[Path, ...]


class Choices(NamedTuple):
    """Answers to what `day2 init` asks. Empty means: the default, which is then not written."""

    context: str = ""
    prometheus: str = ""
    data_dir: str = ""
    listen: str = ""


def begin(file: Path, choices: Choices, *, force: bool) -> Begun:
    """Write what is not there yet. Raises Conflict where a settings file stands, InvalidInput for an answer that cannot be."""
    if file.exists() and not force:
        raise Conflict(
            f"{file} is there already, and was not touched", mend=f"look at it: day2 config view; or day2 init --force --file {file}"
        )
    documents = file.parent / DOCUMENTS
    text = written(choices, documents)
    _tried(text)
    file.parent.mkdir(parents=True, exist_ok=True)
    replace(file, text.encode())
    kept = tuple(path for path in (file.parent / MANIFEST, documents) if path.exists())
    if file.parent / MANIFEST not in kept:
        (file.parent / MANIFEST).write_text(yaml.safe_dump_all(reading_rights(), sort_keys=False), encoding="utf-8")
    if documents not in kept:
        documents.mkdir()
        (documents / "objectives.yaml").write_text(SAMPLE, encoding="utf-8")
    return Begun(file, file.parent / MANIFEST, documents, kept)


def written(choices: Choices, documents: Path) -> str:
    """The settings file: what was chosen, with a word on each."""
    tree: dict[str, Any] = {"policy": {"objectives": str(documents)}}
    for key, value in (
        ("kubernetes.context", choices.context),
        ("prometheus.url", choices.prometheus),
        ("store.data_dir", choices.data_dir),
        ("web.listen", choices.listen),
    ):
        group, _, name = key.partition(".")
        if value:
            tree.setdefault(group, {})[name] = value
    lines = ["# Settings of day2. Every key: day2 config view; what one is for: day2 config explain KEY."]
    for group, values in tree.items():
        lines.append(f"{group}:")
        for name, value in values.items():
            lines.append(f"  # {settings.described(f'{group}.{name}')}")
            lines.append(f"  {yaml.safe_dump({name: value}, allow_unicode=True).strip()}")
    return "\n".join(lines) + "\n"


def _tried(text: str) -> None:
    """As if it were in force. Raises InvalidInput that names the field."""
    try:
        found = yaml.safe_load(text)
        settings.Settings.model_validate(found)
    except ValueError as error:
        raise InvalidInput(bounded(f"the answers do not make settings: {error}", 300), mend="day2 config explain KEY") from error


def reading_rights() -> tuple[Json, ...]:
    """For kubectl: a namespace, one account, and what it may read. No secrets, no write, nothing of the platform's other roles."""
    account: Mapping[str, Any] = {**labelled("v1", "ServiceAccount", READER)}
    account = {**account, "metadata": {**account["metadata"], "namespace": NAMESPACE}}
    return (labelled("v1", "Namespace", NAMESPACE), dict(account), *reader_role((READER,)), *observer_role())
