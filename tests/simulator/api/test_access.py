"""Who may do what: tokens, roles, impersonation, and the API server's words for a refusal."""

from collections.abc import Iterable
from typing import Any

import httpx
import pytest

from simulator.resources import resource
from tests.simulator.api.conftest import Box

Json = dict[str, Any]
RBAC = "rbac.authorization.k8s.io"
AGENT = {"Impersonate-User": "day2:agent:finops"}
PERMIT = {**AGENT, "Impersonate-Extra-day2.dev%2Fpermit": "a.b.c"}
DEPLOYMENT = "/apis/apps/v1/namespaces/shop/deployments/web"
IDENTITY: list[Json] = [
    {
        "apiGroups": ["authentication.k8s.io"],
        "resources": ["users"],
        "verbs": ["impersonate:user-info"],
        "resourceNames": ["day2:agent:finops"],
    },
    {"apiGroups": ["authentication.k8s.io"], "resources": ["userextras/day2.dev/permit"], "verbs": ["impersonate:user-info"]},
]
ON_PATCH: Json = {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["impersonate-on:user-info:patch"]}


def grant(box: Box, user: str, rules: Iterable[Json], namespace: str = "", kind: str = "User") -> None:
    """Bind rules to a subject, in the cluster or in one namespace."""
    name = f"{user}-{namespace or 'cluster'}".replace(":", "-")
    subject: Json = {"kind": kind, "name": user}
    if kind == "ServiceAccount":
        subject = {"kind": kind, "name": user, "namespace": "shop"}
    scope = {"namespace": namespace} if namespace else {}
    roles, bindings = ("roles", "rolebindings") if namespace else ("clusterroles", "clusterrolebindings")
    box.store.create(resource(RBAC, roles), {"metadata": {"name": name, **scope}, "rules": list(rules)})
    reference = {"kind": "Role" if namespace else "ClusterRole", "name": name, "apiGroup": RBAC}
    box.store.create(resource(RBAC, bindings), {"metadata": {"name": name, **scope}, "subjects": [subject], "roleRef": reference})


def rule(group: str, plurals: str, verbs: str, *names: str) -> Json:
    made: Json = {"apiGroups": [group], "resources": plurals.split(), "verbs": verbs.split()}
    return {**made, "resourceNames": list(names)} if names else made


async def ask(box: Box, token: str, method: str, path: str, headers: Json | None = None, body: Any = None) -> httpx.Response:
    types = {"PATCH": "application/merge-patch+json"}
    async with box.client(token) as client:
        sent = {**(headers or {}), "Content-Type": types.get(method, "application/json")}
        return await client.request(method, path, headers=sent, json=body)


@pytest.fixture
def web_stored(box: Box, web: Any) -> None:
    box.store.create(resource("apps", "deployments"), web())


async def test_no_token_and_an_unknown_token_are_unauthorized(box: Box) -> None:
    for token in ("", "guessed"):
        answer = await ask(box, token, "GET", "/api/v1/pods")
        assert (answer.status_code, answer.json()["reason"]) == (401, "Unauthorized")
    assert (await ask(box, "", "GET", "/healthz")).status_code == 200


async def test_a_refusal_speaks_as_the_api_server_does(box: Box) -> None:
    cluster = (await ask(box, "bob-token", "GET", "/api/v1/pods")).json()
    assert cluster["message"] == 'pods is forbidden: User "bob" cannot list resource "pods" in API group "" at the cluster scope'
    assert (cluster["reason"], cluster["code"], cluster["details"]) == ("Forbidden", 403, {"kind": "pods"})
    named = (await ask(box, "bob-token", "GET", f"{DEPLOYMENT}/scale")).json()
    expected = 'User "bob" cannot get resource "deployments/scale" in API group "apps" in the namespace "shop"'
    assert named["message"] == f'deployments.apps "web" is forbidden: {expected}'
    path = (await ask(box, "bob-token", "GET", "/metrics")).json()
    assert path["message"] == 'forbidden: User "bob" cannot get path "/metrics"'


async def test_a_role_holds_in_its_namespace_only(box: Box) -> None:
    grant(box, "bob", [rule("", "pods", "list watch")], "shop")
    assert (await ask(box, "bob-token", "GET", "/api/v1/namespaces/shop/pods")).status_code == 200
    assert (await ask(box, "bob-token", "GET", "/api/v1/namespaces/default/pods")).status_code == 403
    assert (await ask(box, "bob-token", "GET", "/api/v1/pods")).status_code == 403


async def test_rules_name_verbs_subresources_and_objects(box: Box, web_stored: None) -> None:
    grant(box, "people", [rule("apps", "deployments", "get", "web"), rule("apps", "*/scale", "get")], kind="Group")
    assert (await ask(box, "bob-token", "GET", DEPLOYMENT)).status_code == 200
    assert (await ask(box, "bob-token", "GET", DEPLOYMENT.replace("web", "other"))).status_code == 403
    assert (await ask(box, "bob-token", "GET", f"{DEPLOYMENT}/scale")).status_code == 200
    assert (await ask(box, "bob-token", "GET", f"{DEPLOYMENT}/status")).status_code == 403
    assert (await ask(box, "bob-token", "PATCH", DEPLOYMENT, body={})).status_code == 403


async def test_a_service_account_is_bound_by_namespace_and_name(box: Box) -> None:
    grant(box, "reader", [rule("", "configmaps", "list")], kind="ServiceAccount")
    assert (await ask(box, "account-token", "GET", "/api/v1/configmaps")).status_code == 200
    me = await ask(box, "account-token", "POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", body={})
    assert me.json()["status"]["userInfo"]["groups"] == ["system:serviceaccounts", "system:serviceaccounts:shop", "system:authenticated"]


async def test_a_right_that_is_taken_away_is_gone_at_once(box: Box) -> None:
    grant(box, "bob", [rule("", "pods", "list")])
    assert (await ask(box, "bob-token", "GET", "/api/v1/pods")).status_code == 200
    box.store.delete(resource(RBAC, "clusterrolebindings"), None, "bob-cluster")
    assert (await ask(box, "bob-token", "GET", "/api/v1/pods")).status_code == 403


async def test_reviews_answer_for_oneself_and_for_others(box: Box) -> None:
    grant(box, "bob", [rule("", "pods", "get")], "shop")
    reviews = "/apis/authorization.k8s.io/v1"
    wanted = {"verb": "get", "resource": "pods", "namespace": "shop"}
    own = await ask(box, "bob-token", "POST", f"{reviews}/selfsubjectaccessreviews", body={"spec": {"resourceAttributes": wanted}})
    assert own.status_code == 201
    assert own.json()["status"]["allowed"] is True
    spec = {"user": "bob", "resourceAttributes": {**wanted, "verb": "delete"}}
    assert (await ask(box, "bob-token", "POST", f"{reviews}/subjectaccessreviews", body={"spec": spec})).status_code == 403
    about = await ask(box, "admin-token", "POST", f"{reviews}/subjectaccessreviews", body={"spec": spec})
    assert about.json()["status"] == {"allowed": False}
    local = await ask(
        box,
        "admin-token",
        "POST",
        f"{reviews}/namespaces/shop/localsubjectaccessreviews",
        body={"spec": {**spec, "resourceAttributes": wanted}},
    )
    assert local.json()["status"]["allowed"] is True
    rules = await ask(box, "bob-token", "POST", f"{reviews}/selfsubjectrulesreviews", body={"spec": {"namespace": "shop"}})
    assert {"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]} in rules.json()["status"]["resourceRules"]


async def test_an_empty_user_to_impersonate_is_ignored_as_the_api_server_ignores_it(box: Box) -> None:
    """The request runs as its caller: that is why our own client refuses to send one."""
    assert (await ask(box, "admin-token", "GET", "/api/v1/pods", {"Impersonate-User": ""})).status_code == 200
    refused = await ask(box, "executor-token", "GET", "/api/v1/pods", {"Impersonate-User": ""})
    assert refused.status_code == 403
    assert 'User "day2:executor" cannot list resource "pods"' in refused.json()["message"]


async def test_the_rest_of_an_identity_without_a_user_is_refused(box: Box) -> None:
    for headers in (
        {"Impersonate-User": "", "Impersonate-Group": "system:masters"},
        {"Impersonate-Group": "system:masters"},
        {"Impersonate-Extra-a%2Fb": "x"},
        {"Impersonate-Uid": "1"},
    ):
        assert (await ask(box, "admin-token", "GET", "/api/v1/pods", headers)).status_code == 400


async def test_constrained_impersonation_needs_the_identity_the_extra_and_the_verb(box: Box, web_stored: None) -> None:
    patch = {"metadata": {"labels": {"x": "y"}}}
    grant(box, "day2:agent:finops", [rule("apps", "deployments", "patch get")], "shop")
    refused = await ask(box, "executor-token", "PATCH", DEPLOYMENT, PERMIT, patch)
    assert refused.status_code == 403
    assert 'cannot impersonate-on:user-info:patch resource "deployments"' in refused.json()["message"]
    grant(box, "day2:executor", [ON_PATCH], "shop")
    refused = await ask(box, "executor-token", "PATCH", DEPLOYMENT, PERMIT, patch)
    assert 'cannot impersonate:user-info resource "users"' in refused.json()["message"]
    grant(box, "day2:executor", IDENTITY)
    assert (await ask(box, "executor-token", "PATCH", DEPLOYMENT, PERMIT, patch)).status_code == 200
    assert (await ask(box, "executor-token", "GET", DEPLOYMENT, PERMIT)).status_code == 403
    assert (await ask(box, "executor-token", "PATCH", f"{DEPLOYMENT}/scale", PERMIT, {"spec": {"replicas": 1}})).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Impersonate-User": "day2:agent:other"},
        {**PERMIT, "Impersonate-Group": "system:masters"},
        {**PERMIT, "Impersonate-Uid": "1"},
        {**AGENT, "Impersonate-Extra-permit": "a.b.c"},
        {**AGENT, "Impersonate-Extra-authentication.kubernetes.io%2Fcredential-id": "x"},
        {"Impersonate-User": "system:serviceaccount:shop:reader"},
        {"Impersonate-User": "system:node:n1"},
    ],
)
async def test_constrained_impersonation_goes_no_further_than_granted(box: Box, web_stored: None, headers: Json) -> None:
    grant(box, "day2:agent:finops", [rule("apps", "deployments", "patch")], "shop")
    grant(box, "day2:executor", [*IDENTITY, ON_PATCH])
    assert (await ask(box, "executor-token", "PATCH", DEPLOYMENT, headers, {"metadata": {"labels": {"x": "y"}}})).status_code == 403
    stored = box.store.get(resource("apps", "deployments"), "shop", "web")
    assert stored
    assert "x" not in stored["metadata"]["labels"]


async def test_the_impersonated_user_needs_rights_of_its_own(box: Box, web_stored: None) -> None:
    grant(box, "day2:executor", [*IDENTITY, ON_PATCH])
    refused = await ask(box, "executor-token", "PATCH", DEPLOYMENT, PERMIT, {})
    assert 'User "day2:agent:finops" cannot patch resource "deployments"' in refused.json()["message"]


async def test_an_impersonated_user_is_known_by_name_and_extra_only(box: Box) -> None:
    on = {"apiGroups": ["authentication.k8s.io"], "resources": ["selfsubjectreviews"], "verbs": ["impersonate-on:user-info:create"]}
    grant(box, "day2:executor", [*IDENTITY, on])
    me = await ask(box, "executor-token", "POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", PERMIT, {})
    expected = {"username": "day2:agent:finops", "groups": ["system:authenticated"], "extra": {"day2.dev/permit": ["a.b.c"]}}
    assert me.json()["status"]["userInfo"] == expected


async def test_unconstrained_impersonation_is_tried_last(box: Box) -> None:
    grant(box, "bob", [rule("", "users groups", "impersonate")])
    grant(box, "alice", [rule("", "pods", "list")])
    assert (await ask(box, "bob-token", "GET", "/api/v1/pods", {"Impersonate-User": "alice"})).status_code == 200
    masters = {"Impersonate-User": "alice", "Impersonate-Group": "system:masters"}
    assert (await ask(box, "bob-token", "GET", "/api/v1/nodes", masters)).status_code == 200


async def test_the_audit_list_names_both_users_and_the_permit(box: Box, api: httpx.AsyncClient, web_stored: None) -> None:
    grant(box, "day2:agent:finops", [rule("apps", "deployments", "patch")], "shop")
    grant(box, "day2:executor", [*IDENTITY, ON_PATCH])
    await ask(box, "executor-token", "PATCH", f"{DEPLOYMENT}?dryRun=All", PERMIT, {"metadata": {"labels": {"x": "y"}}})
    entry = (await api.get("/simulator/audit")).json()["items"][-1]
    expected = {
        "user": "day2:executor",
        "verb": "patch",
        "group": "apps",
        "resource": "deployments",
        "name": "web",
        "code": 200,
        "dryRun": True,
    }
    assert expected.items() <= entry.items()
    assert entry["impersonatedUser"]["extra"] == {"day2.dev/permit": ["a.b.c"]}
    assert entry["impersonationConstraint"] == "impersonate:user-info"
