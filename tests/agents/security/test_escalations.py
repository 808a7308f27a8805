"""SEC-107: who can become cluster-admin is found with the path; who cannot, is not in use, or is it already, is not told of here."""

from agents.catalogue import AGENTS
from core.domain.finding import Finding
from core.domain.values import Json
from tests.agents.reliability.conditions.objects import looked_at, made, merged, pod, replica_set, workload

SECURITY = next(agent for agent in AGENTS if agent.name == "security")
ACCOUNT = made("ServiceAccount", "runner")
SUBJECTS = [{"kind": "ServiceAccount", "name": "runner", "namespace": "apps"}]


def workload_as(account: str = "runner", **spec: object) -> list[Json]:
    home = workload(spec={"template": {"spec": {"serviceAccountName": account, **spec}}})
    return [home, replica_set(home), pod(replica_set(home), spec={"serviceAccountName": account})]


def allowed(*rules: Json, name: str = "run") -> list[Json]:
    ref = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name}
    return [
        made("ClusterRole", name, rules=list(rules)),
        made("ClusterRoleBinding", name, roleRef=ref, subjects=SUBJECTS),
    ]


ESCALATES = {"verbs": ["impersonate"], "apiGroups": [""], "resources": ["users"]}
READS = {"verbs": ["get", "list"], "apiGroups": [""], "resources": ["pods"]}
EVERYTHING = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}


def found(*items: Json) -> list[Finding]:
    return [finding for finding in looked_at(items, agent=SECURITY).findings if finding.code == "SEC-107"]


def test_a_path_to_everything_is_told_with_its_steps() -> None:
    (finding,) = found(ACCOUNT, *workload_as(), *allowed(ESCALATES))
    assert finding.subject.qualified == "apps/serviceaccount/runner"
    assert "in 1 step: it may impersonate users or groups" in finding.title
    assert [item.value for item in finding.evidence if item.query.startswith("step ")] == ["becomes system:masters"]


def test_rights_that_lead_nowhere_are_no_finding() -> None:
    assert found(ACCOUNT, *workload_as(), *allowed(READS)) == []


def test_an_account_that_no_workload_mounts_is_no_finding() -> None:
    assert found(ACCOUNT, *workload_as("other"), *allowed(ESCALATES)) == []
    assert found(ACCOUNT, *workload_as(automountServiceAccountToken=False), *allowed(ESCALATES)) == []


def test_cluster_admin_itself_is_the_business_of_another_check() -> None:
    items = (ACCOUNT, *workload_as(), *allowed(EVERYTHING, name="cluster-admin"))
    assert found(*items) == []
    assert "SEC-105" in {finding.code for finding in looked_at(items, agent=SECURITY).findings}


def test_a_role_of_another_name_that_allows_everything_is_told() -> None:
    assert found(ACCOUNT, *workload_as(), *allowed(EVERYTHING, name="superuser"))


def test_an_account_in_kube_system_is_left_alone() -> None:
    moved = [merged(item, {"metadata": {"namespace": "kube-system"}}) for item in workload_as()]
    assert found(merged(ACCOUNT, {"metadata": {"namespace": "kube-system"}}), *moved, *allowed(ESCALATES)) == []
