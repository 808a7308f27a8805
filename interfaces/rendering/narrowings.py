"""A narrower role beside the one that is held: what stays, what goes, and the manifests."""

from typing import Any

import yaml

from core.cluster.escalation import Grant, Step
from core.cluster.narrowing import documents
from core.cluster.objects import PolicyRule
from interfaces.rendering.envelopes import Json, plain
from interfaces.rendering.screens import Screen
from runtime.services.narrowing import ENOUGH, Proposed


def document(found: Proposed) -> Json:
    seen, made = found.observed, found.narrowed
    return {
        "apiVersion": "day2.dev/v1alpha1",
        "kind": "NarrowedRole",
        "account": str(made.identity),
        "observed": {
            "requests": seen.requests,
            "forbidden": seen.forbidden,
            "from": plain(seen.first) if seen.first else "",
            "to": plain(seen.last) if seen.last else "",
            "days": round(seen.covered.total_seconds() / 86_400, 1),
        },
        "bindings": [binding._asdict() for binding in made.bindings],
        "unused": [_grant(grant) for grant in made.unused],
        "unexplained": [use._asdict() for use in made.unexplained],
        "pathToAdmin": {"before": [_step(step) for step in made.before], "after": [_step(step) for step in made.after]},
        "manifests": list(documents(made)),
    }


def _grant(grant: Grant) -> Json:
    return {"role": grant.role, "namespace": grant.namespace, "rule": _rule(grant.rule)}


def _rule(rule: PolicyRule) -> str:
    groups = ",".join(group or "core" for group in rule.api_groups)
    names = f" named {','.join(rule.resource_names)}" if rule.resource_names else ""
    return f"{','.join(rule.verbs)} {','.join(rule.resources)} ({groups}){names}"


def _step(step: Step) -> str:
    return f"{step.technique}, by {step.role}: becomes {step.to}"


def view(screen: Screen, found: Json) -> None:
    """The manifests are YAML; all else stands in comments, so that the whole can be piped into kubectl after it was read."""
    seen: Any = found["observed"]
    _comment(screen, f"{found['account']}: {seen['requests']} requests seen over {seen['days']} days, {seen['forbidden']} of them refused")
    if seen["days"] < ENOUGH.days:
        _comment(screen, f"less than {ENOUGH.days} days: what runs once a month is not among them")
    for line in found["unused"]:
        where = f" in {line['namespace']}" if line["namespace"] else ""
        _comment(screen, f"not used: {line['rule']}{where}, of {line['role']}")
    for use in found["unexplained"]:
        _comment(screen, f"seen, and allowed by no binding of today: {use['verb']} {use['resource']}")
    before, after = found["pathToAdmin"]["before"], found["pathToAdmin"]["after"]
    for step in before:
        _comment(screen, f"way to cluster-admin today: {step}")
    if before:
        _comment(screen, "afterwards: " + ("; ".join(after) if after else "none"))
    for binding in found["bindings"]:
        where = f" -n {binding['namespace']}" if binding["namespace"] else ""
        how = "remove the account from" if binding["others"] else "then delete"
        _comment(screen, f"{how} {binding['kind'].lower()}/{binding['name']}{where} ({binding['role']})")
    for item in found["manifests"]:
        screen.line("---")
        for line in yaml.safe_dump(item, sort_keys=False).splitlines():
            screen.line(line)


def _comment(screen: Screen, text: str) -> None:
    screen.line(f"# {text}")
