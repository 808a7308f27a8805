"""Being somebody else: impersonation headers in every odd form, credentials of our users, previews that keep, a notifier that does more."""

from collections.abc import Iterator
from typing import Any

from core.actions.admission import BREAK_GLASS, REPORTER, STOP
from core.actions.roles import ACCOUNTS, NAMESPACE
from tests.cluster.bypass.attempts import APPLY, JSON, MERGE, SHAPE, SHAPED, STRATEGIC, Attempt, Call, calling
from tests.cluster.bypass.credentials import SUBJECTS
from tests.cluster.bypass.matrix import APPS, CORE, EVENTS, LABEL, RULES, TOKEN
from tests.cluster.bypass.victims import RBAC, event, item, pods_of
from tools.kubernetes.writer import PERMIT_HEADER

WEB = f"{APPS}/deployments/web"
SCALED = {"spec": {"replicas": 9}}
PATCH = Call("executor", "PATCH", WEB, SCALED, STRATEGIC)
"""`{permit}` is a good permit for exactly this, in the name of AGENT: with right headers it would pass."""
AGENT, PREVIEW = "day2:agent:scaling", "day2:preview:scaling"
ACCOUNT = f"system:serviceaccount:{NAMESPACE}:"
USER, GROUP, UID, EXTRA = "Impersonate-User", "Impersonate-Group", "Impersonate-Uid", "Impersonate-Extra-"
GOOD = (PERMIT_HEADER, "{permit}")
FORGED = (PERMIT_HEADER, SHAPED)

HEADERS: dict[str, tuple[tuple[str, str], ...]] = {
    "none": (),
    "permit without user": (GOOD,),
    "empty user": ((USER, ""),),
    "empty user with permit": ((USER, ""), GOOD),
    "agent without permit": ((USER, AGENT),),
    "agent with empty permit": ((USER, AGENT), (PERMIT_HEADER, "")),
    "agent with forged permit": ((USER, AGENT), FORGED),
    "forged permit by lower case": ((USER.lower(), AGENT), ("impersonate-extra-day2.dev%2fpermit", SHAPED)),
    "forged permit by upper case": ((USER.upper(), AGENT), (PERMIT_HEADER.upper(), SHAPED)),
    "permit encoded twice": ((USER, AGENT), (f"{EXTRA}day2.dev%252Fpermit", "{permit}")),
    "permit under a plain name": ((USER, AGENT), (f"{EXTRA}permit", "{permit}")),
    "permit under another domain": ((USER, AGENT), (f"{EXTRA}day3.dev%2Fpermit", "{permit}")),
    "permit under another key": ((USER, AGENT), (f"{EXTRA}day2.dev%2Fpermits", "{permit}")),
    "permit twice": ((USER, AGENT), GOOD, GOOD),
    "permit after a forged one": ((USER, AGENT), FORGED, GOOD),
    "permit before a forged one": ((USER, AGENT), GOOD, FORGED),
    "two permits in one value": ((USER, AGENT), (PERMIT_HEADER, "{permit},{permit}")),
    "permit with a tail": ((USER, AGENT), (PERMIT_HEADER, "{permit}.e30")),
    "permit with a space": ((USER, AGENT), (PERMIT_HEADER, "{permit} x")),
    "permit and another extra": ((USER, AGENT), GOOD, (f"{EXTRA}day2.dev%2Fmore", "1")),
    "permit and scopes": ((USER, AGENT), GOOD, (f"{EXTRA}scopes", "all")),
    "permit and a credential": ((USER, AGENT), GOOD, (f"{EXTRA}authentication.kubernetes.io%2Fcredential-id", "JTI=1")),
    "permit and masters": ((USER, AGENT), GOOD, (GROUP, "system:masters")),
    "permit and the group of all": ((USER, AGENT), GOOD, (GROUP, "system:authenticated")),
    "permit and our accounts' group": ((USER, AGENT), GOOD, (GROUP, f"system:serviceaccounts:{NAMESPACE}")),
    "permit and the broken glass": ((USER, AGENT), GOOD, (GROUP, BREAK_GLASS)),
    "permit and an empty group": ((USER, AGENT), GOOD, (GROUP, "")),
    "permit and a uid": ((USER, AGENT), GOOD, (UID, "1")),
    "admin": ((USER, "admin"),),
    "admin of masters": ((USER, "admin"), (GROUP, "system:masters")),
    "masters without user": ((GROUP, "system:masters"),),
    "uid without user": ((UID, "1"),),
    "admin, then the agent": ((USER, "admin"), (USER, AGENT), GOOD),
    "the agent with a forged permit, then admin": ((USER, AGENT), (USER, "admin"), FORGED),
    "keeper of the broken glass": ((USER, "keeper"), (GROUP, BREAK_GLASS)),
    "the judge": ((USER, f"{ACCOUNT}judge"),),
    "itself": ((USER, f"{ACCOUNT}executor"),),
    "a controller": ((USER, "system:serviceaccount:kube-system:deployment-controller"),),
    "the controller manager": ((USER, "system:kube-controller-manager"),),
    "a node": ((USER, "system:node:{node}"), (GROUP, "system:nodes")),
    "anonymous": ((USER, "system:anonymous"), (GROUP, "system:unauthenticated")),
    "the preview": ((USER, PREVIEW),),
    "the preview with permit": ((USER, PREVIEW), GOOD),
    "another agent with the permit": ((USER, "day2:agent:finops"), GOOD),
    "an unknown agent": ((USER, "day2:agent:nobody"), GOOD),
    "no agent's name": ((USER, "day2:agent:"), GOOD),
    "the agent in capitals": ((USER, "day2:agent:SCALING"), GOOD),
    "the agent with a tail": ((USER, f"{AGENT}:admin"), GOOD),
    "the agent by a look-alike": ((USER, "day2:agent:sc\u0430ling"), GOOD),
    "the agent without prefix": ((USER, "scaling"), GOOD),
    "a proxy's user": (("X-Remote-User", "admin"), ("X-Remote-Group", "system:masters")),
    "a proxy's agent": (("X-Remote-User", AGENT), ("X-Remote-Extra-day2.dev%2Fpermit", "{permit}")),
    "a forwarded user": (("X-Forwarded-User", "admin"), ("X-Forwarded-Groups", "system:masters")),
    "another method": (("X-HTTP-Method-Override", "GET"),),
}  # fmt: skip


def headers() -> Iterator[Attempt]:
    for name, told in HEADERS.items():
        yield calling("headers", name, PATCH._replace(headers=told), stopped_by=SHAPE)
    for who in (*ACCOUNTS, "nobody"):
        if who == "executor":
            continue
        for name, told in (
            ("agent with permit", ((USER, AGENT), GOOD)),
            ("agent with forged permit", ((USER, AGENT), FORGED)),
            ("admin of masters", ((USER, "admin"), (GROUP, "system:masters"))),
            ("the executor", ((USER, f"{ACCOUNT}executor"),)),
            ("preview that keeps", ((USER, PREVIEW),)),
        ):
            yield calling("headers", f"{name} by {who}", PATCH._replace(who=who, headers=told))


def direct() -> Iterator[Attempt]:
    """Users that should have no credentials, with some."""
    secret = Call("", "POST", f"{CORE}/secrets", item("v1", "Secret", "taken"))
    other = Call("", "POST", EVENTS, event("bypass-direct"))
    gone = Call("", "DELETE", f"{CORE}/pods/lone")
    calls = {"scale": PATCH, "secret": secret, "pod": gone, "event": other}
    for who in (*SUBJECTS, "certificate of nobody", "direct agent", "direct preview"):
        for name, call in calls.items():
            yield calling("direct", f"{name} by {who}", call._replace(who=who))
    for who in ("certificate agent", "certificate preview", "direct agent", "direct preview"):
        if who != "direct preview":  # it may look: nothing tells it from the judge's, and nothing is kept
            yield calling("direct", f"dry run by {who}", PATCH._replace(who=who, path=f"{WEB}?dryRun=All"))
        yield calling(
            "direct",
            f"permit in a header by {who}",
            PATCH._replace(who=who, headers=(GOOD, ("X-Day2-Permit", "{permit}"))),
            stopped_by=SHAPE,
        )
        yield calling("direct", f"itself with permit by {who}", PATCH._replace(who=who, headers=((USER, AGENT), GOOD)))
    for who in (
        "token unsigned", "token alg none", "token expired", "token renamed", "token of another audience", "token of a deleted account",
        "permit as token", "name as token",
    ):  # fmt: skip
        yield calling("direct", f"agent with permit by {who}", PATCH._replace(who=who, headers=((USER, AGENT), GOOD)))
    yield calling("direct", "token in the query", PATCH._replace(who="nobody", path=f"{WEB}?access_token={{permit}}"))
    yield calling("direct", "permit in the query", PATCH.impersonating(AGENT)._replace(path=f"{WEB}?permit={{permit}}"))
    yield calling("direct", "password", PATCH._replace(who="nobody", headers=(("Authorization", "Basic YWRtaW46YWRtaW4="),)))


def previews() -> Iterator[Attempt]:
    """The judge's users: whatever they ask, nothing may be kept."""
    seen = Call("judge", "PATCH", WEB, SCALED, STRATEGIC).impersonating(PREVIEW)
    pod, applied = f"{CORE}/pods/lone", {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, **SCALED}
    bound = item(f"{RBAC}/v1", "RoleBinding", "x", roleRef={"apiGroup": RBAC, "kind": "ClusterRole", "name": "admin"})
    options = {"apiVersion": "v1", "kind": "DeleteOptions"}
    labels = Call("judge", "PATCH", "", LABEL, MERGE).impersonating("day2:preview:only-label-namespace")

    def posted(path: str, body: Any = None) -> Call:
        return seen._replace(method="POST", path=f"{path}dryRun=All", body=body, content_type=JSON)

    tries: dict[str, Call] = {
        "keeps a scale": seen,
        "keeps with dryRun empty": seen._replace(path=f"{WEB}?dryRun="),
        "keeps with dryRun none": seen._replace(path=f"{WEB}?dryRun=None"),
        "keeps with dryRun in lower case": seen._replace(path=f"{WEB}?dryRun=all"),
        "keeps with dryRun in capitals": seen._replace(path=f"{WEB}?DRYRUN=All"),
        "keeps with dryRun twice": seen._replace(path=f"{WEB}?dryRun=All&dryRun="),
        "keeps with a permit": seen._replace(headers=(*seen.headers, GOOD)),
        "dry-runs with a permit": seen._replace(path=f"{WEB}?dryRun=All", headers=(*seen.headers, GOOD)),
        "dry-runs with an extra": seen._replace(path=f"{WEB}?dryRun=All", headers=(*seen.headers, (f"{EXTRA}scopes", "x"))),
        "dry-runs of masters": seen._replace(path=f"{WEB}?dryRun=All", headers=(*seen.headers, (GROUP, "system:masters"))),
        "deletes with dryRun in the query beside a body": seen._replace(
            method="DELETE", path=f"{pod}?dryRun=All", body=options, content_type=JSON
        ),
        "deletes": seen._replace(method="DELETE", path=pod, body=None),
        "deletes all": seen._replace(method="DELETE", path=f"{CORE}/pods?dryRun=All", body=None),
        "applies": seen._replace(path=f"{WEB}?fieldManager=x", body=applied, content_type=APPLY),
        "scales by the subresource": seen._replace(path=f"{WEB}/scale?dryRun=All", content_type=MERGE),
        "runs a command": posted(f"{pod}/exec?command=id&stdout=true&"),
        "takes a token": posted(f"{CORE}/serviceaccounts/robot/token?", TOKEN),
        "looks into the cluster's own namespace": labels._replace(path="/api/v1/namespaces/kube-system?dryRun=All"),
        "looks into ours": labels._replace(path="/api/v1/namespaces/{system}?dryRun=All"),
        "sets a stop": labels._replace(path="/api/v1/namespaces/{ns}?dryRun=All", body={"metadata": {"annotations": {STOP: "all"}}}),
        "creates a pod": posted(f"{CORE}/pods?", item("v1", "Pod", "new", spec=pods_of("new")["spec"])),
        "binds a role": posted(f"{RULES}/namespaces/{{ns}}/rolebindings?", bound),
    }  # fmt: skip
    for name, call in tries.items():
        yield calling("preview", name, call, stopped_by=SHAPE)
    for name in ("keeps a scale", "keeps with a permit", "takes a token", "creates a pod", "binds a role"):
        yield calling("preview", f"{name}, given every right", tries[name], stopped_by=frozenset({"policy"}), misgranted=True)


def notifier() -> Iterator[Attempt]:
    """`notifier` may create events under its own name; it tries the rest."""
    own = {"reportingController": REPORTER}
    made = Call("notifier", "POST", EVENTS, event("bypass-told", **own))
    core = {
        **item("v1", "Event", "bypass-old", reason="x", reportingComponent=REPORTER),
        "involvedObject": {"namespace": "{ns}", "name": "web"},
    }
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "web", "uid": "00000000-0000-0000-0000-000000000000"}
    seen, held = f"{EVENTS}/bypass-seen", {**event("bypass-seen"), "metadata": {"name": "bypass-seen", "labels": {"x": "1"}}}
    tries: dict[str, Call] = {
        "as another reporter": made._replace(body=event("bypass-told")),
        "under a name like its own": made._replace(body=event("bypass-told", reportingController=f"{REPORTER}s")),
        "with a finalizer": made._replace(body={**made.body, "metadata": {"name": "bypass-told", "finalizers": ["a.dev/b"]}}),
        "with an owner": made._replace(body={**made.body, "metadata": {"name": "bypass-told", "ownerReferences": [owner]}}),
        "in kube-system": made._replace(path=EVENTS.replace("{ns}", "kube-system")),
        "in our own namespace": made._replace(path=EVENTS.replace("{ns}", "{system}")),
        "of the old form": made._replace(path=f"{CORE}/events", body=core),
        "changes one": made._replace(method="PATCH", path=seen, body={"metadata": {"labels": {"x": "1"}}}, content_type=MERGE),
        "applies one": made._replace(method="PATCH", path=f"{EVENTS}/bypass-told?fieldManager=x", content_type=APPLY),
        "replaces one": made._replace(method="PUT", path=seen, body=held),
        "deletes one": made._replace(method="DELETE", path=seen, body=None),
        "deletes all": made._replace(method="DELETE", path=EVENTS, body=None),
        "reads one": made._replace(method="GET", path=seen, body=None),
        "scales": PATCH._replace(who="notifier"),
        "dry-runs a scale": PATCH._replace(who="notifier", path=f"{WEB}?dryRun=All"),
        "is an agent": PATCH._replace(who="notifier", headers=((USER, AGENT), GOOD)),
        "takes its own token": Call("notifier", "POST", "/api/v1/namespaces/{system}/serviceaccounts/notifier/token", TOKEN),
    }  # fmt: skip
    for name, call in tries.items():
        yield calling("notifier", name, call)
    for name in (
        "as another reporter",
        "with a finalizer",
        "with an owner",
        "of the old form",
        "changes one",
        "replaces one",
        "deletes one",
        "in kube-system",
        "scales",
    ):
        yield calling("notifier", f"{name}, given every right", tries[name], stopped_by=frozenset({"policy"}), misgranted=True)


def bindings() -> Iterator[Attempt]:
    """What an administrator is talked into: our principals bound to more than our roles."""
    api = {"apiGroup": RBAC}
    subjects = {
        "an agent": {"kind": "User", "name": AGENT, **api},
        "a preview": {"kind": "User", "name": PREVIEW, **api},
        "the executor": {"kind": "ServiceAccount", "name": "executor", "namespace": NAMESPACE},
        "the executor as a user": {"kind": "User", "name": f"{ACCOUNT}executor", **api},
        "our accounts": {"kind": "Group", "name": f"system:serviceaccounts:{NAMESPACE}", **api},
        "a group of ours": {"kind": "Group", "name": "day2:agents", **api},
    }
    master = {**api, "kind": "ClusterRole", "name": "cluster-admin"}
    for name, subject in subjects.items():
        wide = item(f"{RBAC}/v1", "ClusterRoleBinding", "bypass-new", roleRef=master, subjects=[subject])
        inside = item(f"{RBAC}/v1", "RoleBinding", "new", roleRef={**master, "name": "edit"}, subjects=[subject])
        only = frozenset({"policy"})
        yield calling("bindings", f"{name} to everything", Call("admin", "POST", f"{RULES}/clusterrolebindings", wide), stopped_by=only)
        yield calling(
            "bindings", f"{name} to a namespace", Call("admin", "POST", f"{RULES}/namespaces/{{ns}}/rolebindings", inside), stopped_by=only
        )
        added = Call("admin", "PATCH", f"{RULES}/clusterrolebindings/bypass-binding", {"subjects": [subject]}, MERGE)
        yield calling("bindings", f"{name} added to a binding", added, stopped_by=only)
    for kind, name in (
        ("clusterroles", "day2-reader"),
        ("clusterroles", "day2-agent-scaling"),
        ("clusterrolebindings", "day2-reader"),
        ("clusterrolebindings", "day2-executor-identity"),
    ):
        path = f"{RULES}/{kind}/{name}"
        changed: Any = {"rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]} if kind == "clusterroles" else {"subjects": []}
        for verb, call in (("edits", Call("admin", "PATCH", path, changed, MERGE)), ("deletes", Call("admin", "DELETE", path))):
            yield calling("bindings", f"an admin {verb} {kind} {name}", call, stopped_by=frozenset({"policy"}), modes=("static",))
