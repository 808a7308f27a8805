"""A proposal for an object that a repository owns, written as the change to make there: what is patched in the cluster is reverted at the
next sync. Behind `day2 plan`, which shows it where the judge refuses the patch for that reason.
"""

import re
from typing import Any, NamedTuple

import yaml

from core.cluster.kinds import KINDS
from core.domain.action import Change
from core.domain.proposal import Proposal
from core.domain.verdict import Verdict

Plain = dict[str, Any]
_STEP = re.compile(r"\[([^\]]*)\]|([^.\[\]]+)")
_NAMED = frozenset(("containers", "initContainers", "ephemeralContainers", "volumes", "ports", "env"))
"""Lists whose items Kubernetes merges by name; brackets behind any other field are a key with dots."""


class Written(NamedTuple):
    """`owner` is the application that writes the object. `patch` is a strategic merge patch of its manifest; empty where `advice` says it
    in words, because what goes back there is a commit."""

    owner: str
    patch: Plain
    advice: str

    @property
    def text(self) -> str:
        """The patch in YAML, to merge into the manifest; empty where there is none."""
        return str(yaml.safe_dump(self.patch, sort_keys=False)) if self.patch else ""


def written(proposal: Proposal, verdict: Verdict | None) -> Written | None:
    """None where no repository owns the object, or nobody has looked."""
    owner = verdict.facts.gitops_owner if verdict is not None else ""
    if not owner:
        return None
    action, target = proposal.action, proposal.action.target
    if any(change.path == "spec.template" for change in proposal.changes) or not proposal.changes:
        return Written(owner, {}, f"revert the commit that brought it, in the source of {owner}: {action.sentence()}")
    metadata = {"name": target.name} | ({"namespace": target.namespace} if target.namespace else {})
    document: Plain = {"apiVersion": KINDS[target.kind].api_version, "kind": target.kind, "metadata": metadata}
    for change in proposal.changes:
        _put(document, change)
    return Written(owner, document, "")


def _put(document: Plain, change: Change) -> None:
    *steps, last = (bracketed or plain for bracketed, plain in _STEP.findall(change.path))
    place: Any = document
    for step in steps:
        place = _under(place, step)
    if isinstance(place, list):
        place.append(change.new)
    else:
        place[last] = change.new


def _under(place: Any, step: str) -> Any:
    """A field of a map, or the item of this name in a list; made where it is not there yet."""
    if isinstance(place, dict):
        return place.setdefault(step, [] if step in _NAMED else {})
    known = next((item for item in place if item["name"] == step), None)
    if known is None:
        place.append(known := {"name": step})
    return known
