"""What people install once: rights and admission documents, generated from the catalogue and the grants in force."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import yaml

from core.actions import admission, catalogue, roles
from core.actions.catalogue import CATALOGUE
from core.domain.api_request import Right
from core.domain.errors import InvalidInput
from core.domain.values import Json
from core.policy.declarations import Grant
from runtime import declared
from runtime.settings import Settings

STATIC_FOLDER = "/etc/kubernetes/day2"


class Held(NamedTuple):
    """One right of the catalogue: for which kinds, by whom, and under which name admission knows it."""

    right: Right
    kinds: tuple[str, ...]
    agents: tuple[str, ...]
    operation: str


def in_force(settings: Settings) -> dict[str, tuple[str, ...]]:
    """The configured grants."""
    return granted(declared.read(settings.policy.objectives).grants)


def expected(settings: Settings) -> tuple[tuple[Json, ...], tuple[Json, ...]]:
    """All that must stand in the cluster, for servers that limit impersonation and for older ones. Raises InvalidInput without the CA."""
    wanted = settings.gate
    installed = guard(wanted.webhook_url, wanted.webhook_ca_file) if wanted.guard == "required" else ()
    grants = in_force(settings)
    constrained, legacy = ((*installed, *roles.manifests(grants, namespaces=wanted.managed, legacy=older)) for older in (False, True))
    return constrained, legacy


def writes() -> tuple[Right, ...]:
    """Every write right of the catalogue."""
    return tuple(right for right in catalogue.rights() if admission.operation(right))


def granted(grants: Sequence[Grant]) -> dict[str, tuple[str, ...]]:
    """Action kinds by agent; `*` is the whole catalogue."""
    found: dict[str, set[str]] = {}
    for grant in grants:
        found.setdefault(grant.agent, set()).update(CATALOGUE if "*" in grant.capabilities else set(grant.capabilities) & set(CATALOGUE))
    return {agent: tuple(sorted(kinds)) for agent, kinds in sorted(found.items())}


def rights(grants: Mapping[str, Sequence[str]], *, namespaces: Sequence[str], legacy: bool) -> tuple[Json, ...]:
    """The RBAC documents. Raises InvalidInput without a grant: nobody would hold anything."""
    if not grants:
        raise InvalidInput("no agent is granted anything", mend="add a Grant document: day2 config explain policy.objectives")
    return roles.manifests(grants, namespaces=namespaces, legacy=legacy)


def explained(what: str, grants: Mapping[str, Sequence[str]]) -> tuple[Held, ...]:
    """The write rights of a kind, or of an agent by its grants. Raises InvalidInput for what is neither."""
    if what not in CATALOGUE and what not in grants:
        raise InvalidInput(f"{what[:60]!r} is no action kind and no agent with a grant", mend=f"one of: {', '.join([*grants, *CATALOGUE])}")
    kinds = (what,) if what in CATALOGUE else tuple(grants[what])
    needed = {right: [kind for kind in kinds if right in CATALOGUE[kind].rights] for kind in kinds for right in CATALOGUE[kind].rights}
    return tuple(
        Held(right, tuple(using), tuple(agent for agent, held in grants.items() if set(using) & set(held)), operation)
        for right, using in sorted(needed.items(), key=lambda pair: str(pair[0]))
        if (operation := admission.operation(right))
    )


def guard(url: str, ca_file: Path | None) -> tuple[Json, ...]:
    """The admission documents for the API. Raises InvalidInput without the CA."""
    return admission.manifests(admission.client(_https(url), _ca(ca_file)))


def static(url: str, ca_file: Path | None, folder: Path, *, host_folder: str = STATIC_FOLDER) -> list[Path]:
    """Write the files for each API server's host; the paths written. Raises InvalidInput for what files cannot hold."""
    if not url:
        raise InvalidInput(
            "files of the API server know no Services", mend="give --url https://HOST:PORT under which each API server reaches it"
        )
    files: dict[str, Sequence[Json]] = dict(admission.static(admission.client(_https(url), _ca(ca_file))))
    files["admission.yaml"] = (admission.static_configuration(host_folder),)
    written = []
    for name, documents in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text(documents), encoding="utf-8")
        written.append(path)
    return written


def text(documents: Sequence[Json]) -> str:
    """YAML, one document after the other, for kubectl apply -f."""
    return str(yaml.dump_all(documents, Dumper=_Plain, sort_keys=False, explicit_start=True, width=1000))


class _Plain(yaml.SafeDumper):
    """Without anchors: shared parts are written out."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002  the signature is PyYAML's
        return True


def _ca(path: Path | None) -> bytes:
    if path is None:
        raise InvalidInput(
            "the webhook's CA is not known",
            mend="give --ca-file FILE or set gate.webhook_ca_file; or set gate.guard to off where nothing is installed: docs/gate.md",
        )
    try:
        found = path.expanduser().read_bytes()
    except OSError as error:
        raise InvalidInput(f"cannot read {path}: {error.strerror}", mend="docs/gate.md makes a CA") from error
    if b"BEGIN CERTIFICATE" not in found or b"PRIVATE KEY" in found:
        raise InvalidInput(f"{path} is no PEM certificate alone", mend="give the CA's certificate, never its key")
    return found


def _https(url: str) -> str:
    if url and not url.startswith("https://"):
        raise InvalidInput(f"the API server asks webhooks over https only, not {url[:80]!r}", mend="https://HOST:PORT")
    if url.removeprefix("https://").rstrip("/").count("/"):
        raise InvalidInput(f"{url[:80]!r} has a path; the paths are ours", mend="https://HOST:PORT")
    return url
