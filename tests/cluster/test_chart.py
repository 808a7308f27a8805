"""The chart on the real helm: what it renders, what it refuses, and that its rights and locks are those that the product generates.

No cluster is needed here; `test_chart_runs.py` installs it into one.
"""

import random
from pathlib import Path
from typing import Any

import pytest
import yaml

from core.actions.catalogue import CATALOGUE
from core.actions.roles import NAMESPACE as OURS
from core.domain.values import Json
from gate.executing import preflight
from runtime import declared
from runtime import settings as configuration
from runtime.roles import everything
from runtime.services import alert_rules, chart_values, dashboards, guarding
from tests.cluster.charted import ACT, CA, CHART, GRANT, NAMESPACE, helm, merged, named, of_kind, refused, rendered

PROPOSE = merged(ACT, {"mode": "propose"})
POSTGRES = merged(
    ACT,
    {
        "ledger": {"existingSecret": "db"},
        "persistence": {"accessModes": ["ReadWriteMany"]},
        "webhook": {"replicas": 3},
        "networkPolicy": {"sql": {"cidrs": ["10.1.0.5/32"]}},
    },
)
CERT_MANAGER = merged(ACT, {"webhook": {"caSecret": "", "caBundle": "", "certManager": {"enabled": True, "issuer": {"name": "ours"}}}})
OPEN = {
    "console": {"enabled": True, "publicUrl": "https://day2.example"},
    "config": {"oidc": {"issuer": "https://id.example", "client_id": "day2"}},
}
CONSOLE = merged(POSTGRES, merged(OPEN, {"console": {"replicas": 3, "calledFrom": "ingress"}}))
MONITORED = {"metrics": {"serviceMonitor": True, "prometheusRule": True, "dashboard": True}}
KINDS = ("ClusterRole", "ClusterRoleBinding", "RoleBinding")
ALL = {
    "readOnly": {},
    "propose": PROPOSE,
    "act": ACT,
    "postgres": POSTGRES,
    "cert-manager": CERT_MANAGER,
    "monitored": MONITORED,
    "console": CONSOLE,
}


def plain(document: Json) -> Json:
    """Without labels, which nobody compares."""
    return {**document, "metadata": {key: value for key, value in document["metadata"].items() if key not in ("labels", "annotations")}}


def by_name(documents: Any) -> dict[tuple[str, str, str], Json]:
    return {(item["kind"], item["metadata"].get("namespace", ""), item["metadata"]["name"]): plain(item) for item in documents}


# ------------------------------------------------------------------ form
@pytest.mark.parametrize("values", ALL.values(), ids=ALL)
def test_helm_finds_nothing_to_mend(values: Json) -> None:
    said = helm("lint", "--strict", str(CHART), "--namespace", NAMESPACE, values=values)
    assert said.returncode == 0, said.stdout + said.stderr
    assert "[WARNING]" not in said.stdout
    assert "[ERROR]" not in said.stdout


WRONG: dict[str, tuple[Json, str]] = {
    "no mode": ({"mode": "write"}, "/mode"),
    "a misspelt value": ({"imagee": {}}, "imagee"),
    "a misspelt value inside": ({"webhook": {"caBundel": ""}}, "caBundel"),
    "no digest": ({"image": {"digest": "sha256:12"}}, "/image/digest"),
    "no port": ({"webhook": {"port": 80}}, "/webhook/port"),
    "a text for a number": ({"webhook": {"replicas": "two"}}, "/webhook/replicas"),
    "no namespace": ({"namespaces": ["Shop_1"]}, "/namespaces/0"),
    "no document of ours": ({"documents": [{**GRANT, "kind": "Deployment"}]}, "/documents/0/kind"),
    "a document without spec": ({"documents": [{key: GRANT[key] for key in ("apiVersion", "kind", "metadata")}]}, "spec"),
    "a password where a Secret's name belongs": ({"ledger": {"existingSecret": "postgresql://u:p@h/d"}}, "/ledger/existingSecret"),
    "a setting that is none": ({"config": {"flow": {"approval_days": 1}}}, "approval_days"),
    "a setting out of bounds": ({"config": {"flow": {"approval_hours": 0}}}, "approval_hours"),
    "a setting that the chart decides": ({"config": {"store": {"data_dir": "/x"}}}, "store"),
    "a secret among the settings": ({"config": {"registry": {"url": "redis://:p@h"}}}, "url"),
    "a console reached in plain": ({"console": {"publicUrl": "http://day2.example"}}, "/console/publicUrl"),
    "a secret of logins that is no mount": ({"config": {"oidc": {"client_secret_file": "/x"}}}, "client_secret_file"),
    "no size": ({"persistence": {"size": "much"}}, "/persistence/size"),
    "no access mode": ({"persistence": {"accessModes": ["ReadOnlyMany"]}}, "/persistence/accessModes/0"),
    "no file name": ({"rules": {"../ours.yaml": ""}}, "../ours.yaml"),
}


@pytest.mark.parametrize(("values", "place"), WRONG.values(), ids=WRONG)
def test_the_schema_refuses_what_is_wrong_and_names_it(values: Json, place: str) -> None:
    said = refused(values)
    assert "values don't meet the specifications of the schema" in said
    assert place in said or place.rpartition("/")[2] in said


CONTRADICTING: dict[str, tuple[Json, str]] = {
    "no grant": (merged(ACT, {"documents": []}), "needs a Grant"),
    "no certificate": (merged(ACT, {"webhook": {"caSecret": ""}}), "webhook.caSecret, webhook.existingSecret or webhook.certManager"),
    "no CA": (merged(ACT, {"webhook": {"caBundle": ""}}), "--set-file webhook.caBundle"),
    "a key as CA": (merged(ACT, {"webhook": {"caBundle": CA + "-----BEGIN PRIVATE KEY-----"}}), "private key"),
    "no issuer": (merged(CERT_MANAGER, {"webhook": {"certManager": {"issuer": {"name": ""}}}}), "issuer.name"),
    "sqlite on many nodes": ({"persistence": {"accessModes": ["ReadWriteMany"]}}, "sqlite is for pods on one node"),
    "a database that no pod reaches": (merged(POSTGRES, {"networkPolicy": {"sql": {"cidrs": []}}}), "networkPolicy.sql.cidrs"),
    "two consoles on sqlite": (merged(ACT, merged(OPEN, {"console": {"replicas": 2}})), "several consoles need a database"),
    "a console without logins": ({"console": {"enabled": True, "publicUrl": "https://day2.example"}}, "config.oidc.issuer"),
    "logins that come back nowhere": (merged(OPEN, {"console": {"publicUrl": ""}}), "console.publicUrl"),
    "an executor that reaches anything": (merged(ACT, {"networkPolicy": {"apiServer": {"cidrs": []}}}), "apiServer.cidrs is needed"),
}


@pytest.mark.parametrize(("values", "sentence"), CONTRADICTING.values(), ids=CONTRADICTING)
def test_values_that_contradict_each_other_are_refused_with_the_one_to_set(values: Json, sentence: str) -> None:
    assert sentence in refused(values)


def test_another_namespace_is_refused() -> None:
    said = helm("template", "day2", str(CHART), "--namespace", "default")
    assert said.returncode != 0
    assert "day2-system" in said.stderr


def test_each_value_changes_what_is_installed() -> None:
    """A value that does nothing would lie about what holds."""
    base = merged(CONSOLE, {"webhook": {"url": "https://10.0.0.9:9443"}, "persistence": {"storageClass": "fast"}})
    dead = [item.path for item in chart_values.listed() if not _matters(item, base)]
    assert dead == []


INSTEAD: dict[str, tuple[Any, Json]] = {
    "mode": ("propose", {}),
    "image.digest": (f"sha256:{'a' * 64}", {}),
    "image.pullPolicy": ("Always", {}),
    "cluster.server": ("https://10.0.0.2:6443", {}),
    "documents": ([{**GRANT, "spec": {"agent": "scaling", "capabilities": ["*"]}}], {}),
    "rules": ({"ours.yaml": "x"}, {}),
    "config": ({"flow": {"approval_hours": 2}}, {}),
    "persistence.size": ("9Gi", {}),
    "persistence.accessModes": (["ReadWriteOnce"], {}),
    "rbac.form": ("legacy", {}),
    "guard.form": ("static", {}),
    "webhook.caBundle": (CA + CA, {}),
    "webhook.url": ("", {}),
    "webhook.certManager.enabled": (True, {"webhook": {"certManager": {"issuer": {"name": "ours"}}}}),
    "webhook.certManager.issuer.name": ("other", CERT_MANAGER),
    "webhook.certManager.issuer.kind": ("ClusterIssuer", CERT_MANAGER),
    "networkPolicy.apiServer.cidrs": (["10.9.9.9/32"], {}),
    "networkPolicy.apiServer.ports": ([8443], {}),
    "networkPolicy.sql.cidrs": (["10.9.9.9/32"], {}),
    "networkPolicy.prometheus.cidrs": (["10.9.9.9/32"], {}),
    "networkPolicy.prometheus.port": (9, {"networkPolicy": {"prometheus": {"cidrs": ["10.9.9.9/32"]}}}),
    "networkPolicy.egressCidrs": (["10.9.9.9/32"], {}),
    "console.enabled": (False, {"console": {"publicUrl": ""}, "config": {"oidc": {"issuer": ""}}}),
    "console.publicUrl": ("https://other.example", {}),
    "pods.tolerations": ([{"key": "a", "operator": "Exists"}], {}),
}
"""What to set a value to, where its type does not say, and what else must be so."""


def _matters(item: chart_values.Value, base: Json) -> bool:
    value, beside = INSTEAD.get(item.path, (_another(item.default), {}))
    before = merged(base, beside)
    change: Any = value
    for part in reversed(item.path.split(".")):
        change = {part: change}
    return rendered(before) != rendered(merged(before, change))


def _another(default: Any) -> Any:
    if isinstance(default, bool):
        return not default
    if isinstance(default, int):
        return default + 1
    if isinstance(default, dict):
        return {"a": "b"}
    if isinstance(default, list):
        return ["shop"]
    return "200Mi" if default.endswith("Mi") else "100m" if default.endswith("m") or not default else "other"


# ------------------------------------------------------------------ rights and locks
def test_by_default_one_pod_looks_and_nobody_may_write() -> None:
    found = rendered()
    (deployment,) = of_kind(found, "Deployment")
    assert deployment["spec"]["replicas"] == 1
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert container["command"] == ["day2", "serve", "--role", "controller", "--role", "notifier"]
    assert [account["metadata"]["name"] for account in of_kind(found, "ServiceAccount")] == ["reader"]
    verbs = {verb for role in of_kind(found, "ClusterRole", "Role") for rule in role["rules"] for verb in rule["verbs"]}
    assert verbs == {"get", "list", "watch"}
    for binding in of_kind(found, "ClusterRoleBinding", "RoleBinding"):
        assert [subject["name"] for subject in binding["subjects"]] == ["reader"]
    resources = {resource for role in of_kind(found, "ClusterRole") for rule in role["rules"] for resource in rule["resources"]}
    assert not {"secrets", "*"} & resources


def wanted_rights(documents: list[Json], namespaces: list[str], *, legacy: bool, folder: Path) -> dict[tuple[str, str, str], Json]:
    file = folder / "documents.yaml"
    file.write_text(yaml.safe_dump_all(documents))
    grants = guarding.granted(declared.read(file).grants)
    return by_name(item for item in guarding.rights(grants, namespaces=namespaces, legacy=legacy) if item["kind"] in KINDS)


@pytest.mark.parametrize("seed", range(12))
def test_rights_are_those_that_day2_rbac_generate_prints(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    documents = []
    for number, agent in enumerate(chance.sample(["scaling", "finops", "only-x", "a"], chance.randint(1, 4))):
        kinds = ["*"] if chance.random() < 0.2 else chance.sample(list(CATALOGUE), chance.randint(1, len(CATALOGUE)))
        spec = {"agent": agent, "capabilities": kinds}
        documents.append({**GRANT, "metadata": {"name": f"g{number}"}, "spec": spec})
        if chance.random() < 0.3:
            documents.append({**GRANT, "metadata": {"name": f"h{number}"}, "spec": {"agent": agent, "capabilities": ["cordon_node"]}})
    namespaces = chance.sample(["web", "shop", "default", "b"], chance.randint(0, 3))
    legacy = bool(seed % 2)
    version = "1.35.2" if legacy else "1.37.0"
    values = merged(ACT, {"documents": documents, "namespaces": namespaces})
    found = by_name(of_kind(rendered(values, "--kube-version", version), *KINDS))
    assert found == wanted_rights(documents, namespaces, legacy=legacy, folder=tmp_path)


def test_to_propose_nobody_may_be_an_agent() -> None:
    found = rendered(PROPOSE)
    rules = [rule for role in of_kind(found, "ClusterRole") for rule in role["rules"]]
    users = {name for rule in rules for name in rule.get("resourceNames", ()) if name.startswith("day2:")}
    assert users == {"day2:preview:scaling"}
    assert "day2-executor" not in {item["metadata"]["name"] for item in of_kind(found, "Deployment")}


def test_with_static_files_the_chart_installs_no_lock() -> None:
    assert (
        of_kind(rendered(merged(ACT, {"guard": {"form": "static"}})), "ValidatingAdmissionPolicy", "ValidatingWebhookConfiguration") == []
    )


PLACES = {
    "service": {},
    "address": {"webhook": {"url": "https://10.0.0.9:9443"}},
    "some namespaces": {"namespaces": ["shop", "web"]},
    "own certificate": {"webhook": {"caSecret": "", "existingSecret": "tls"}},
    "legacy": {"rbac": {"form": "legacy"}},
    "postgres": POSTGRES,
}


@pytest.mark.parametrize("change", PLACES.values(), ids=PLACES)
def test_the_executor_finds_its_guard_unaltered(change: Json, tmp_path: Path) -> None:
    """What it will compare, by the settings that its pod gets, with what the chart installs."""
    values = merged(ACT, change)
    found = rendered(values)
    expected = everything.expected(settings_of(found, tmp_path))
    assert expected is not None
    live = by_name(found)
    legacy = values.get("rbac", {}).get("form") == "legacy"
    compared = [
        item for item in (expected.legacy if legacy else expected.constrained) if item["kind"] not in ("Namespace", "ServiceAccount")
    ]
    assert len(compared) > 12
    for item in compared:
        key = (item["kind"], item["metadata"].get("namespace", ""), item["metadata"]["name"])
        assert preflight.differs(item, live.get(key)) == "", key


def settings_of(found: list[Json], folder: Path) -> configuration.Settings:
    """As the process reads them, with its files in a folder of the test."""
    for name, text in named(found, "ConfigMap", "day2")["data"].items():
        (folder / name).write_text(text.replace("/etc/day2/", f"{folder}/"))
    return configuration.load(environment={}, files=(folder / "day2.yaml",)).settings


@pytest.mark.parametrize("values", ALL.values(), ids=ALL)
def test_the_settings_that_pods_get_are_taken_by_the_product(values: Json, tmp_path: Path) -> None:
    settings = settings_of(rendered(values), tmp_path)
    assert str(settings.data_dir) == "/var/lib/day2/data"
    assert settings.telemetry.notifier_listen == "0.0.0.0:9465"


def test_own_settings_reach_the_pods_beside_those_of_the_chart(tmp_path: Path) -> None:
    config = {"flow": {"approval_hours": 2}, "alerts": {"labels": ["team=a"]}, "prometheus": {"url": "http://p:9090"}}
    settings = settings_of(rendered(merged(ACT, {"config": config, "credentials": {"pages": "pages"}})), tmp_path)
    assert (settings.flow.approval_hours, settings.alerts.labels, settings.prometheus.url) == (2, ("team=a",), "http://p:9090")
    assert str(settings.alerts.pages_file) == "/etc/day2-secrets/pages/pages"


# ------------------------------------------------------------------ pods
def pods(found: list[Json]) -> dict[str, Json]:
    return {item["metadata"]["name"].removeprefix("day2-"): item["spec"]["template"]["spec"] for item in of_kind(found, "Deployment")}


def test_each_role_is_a_pod_with_an_account_of_its_own() -> None:
    found = pods(rendered(ACT))
    accounts = {role: spec["serviceAccountName"] for role, spec in found.items()}
    assert accounts == {"controller": "reader", "judge": "judge", "executor": "executor", "webhook": "webhook", "notifier": "notifier"}
    for role, spec in found.items():
        assert spec["automountServiceAccountToken"] is False
        assert any("projected" in volume for volume in spec["volumes"]) is (role != "webhook"), "the webhook needs no token, and has none"


def test_no_process_but_the_controller_is_started_by_another() -> None:
    """The executor's process loads its own few packages; what prepares its settings has ended before, and never had its token."""
    spec = pods(rendered(ACT))["executor"]
    assert spec["containers"][0]["command"][0] == "/opt/day2/.venv-executor/bin/python"
    assert "identity" not in {mount["name"] for mount in spec["initContainers"][0]["volumeMounts"]}
    assert pods(rendered(POSTGRES))["executor"]["containers"][0]["command"][0] == "/opt/day2/.venv-run/bin/python"


def test_each_pod_sees_its_own_private_keys_and_may_change_no_public_one() -> None:
    """Whoever read the judge's key, or put another in the place of its public half, could open the gate."""
    for role, spec in pods(rendered(ACT)).items():
        (main,) = spec["containers"]
        claimed = {mount["subPath"]: mount for mount in main["volumeMounts"] if mount["name"] == "data"}
        assert set(claimed) == {"shared", "shared/data/keys", f"private/{role}"}
        assert claimed["shared/data/keys"]["readOnly"] is True
        assert claimed["shared/data/keys"]["mountPath"] == "/var/lib/day2/data/keys"
        assert claimed[f"private/{role}"]["readOnly"] is (role != "webhook"), "it issues its own certificates"
        (prepare,) = spec["initContainers"]
        assert "identity" not in {mount["name"] for mount in prepare["volumeMounts"]}
        assert {mount["subPath"] for mount in prepare["volumeMounts"] if mount["name"] == "data"} == {"shared", f"private/{role}"}


def test_with_sqlite_all_pods_are_on_the_controllers_node_and_with_a_database_anywhere() -> None:
    for role, spec in pods(rendered(ACT)).items():
        assert ("affinity" in spec) is (role != "controller")
    found = rendered(POSTGRES)
    assert [role for role, spec in pods(found).items() if "affinity" in spec] == []
    assert named(found, "Deployment", "day2-webhook")["spec"]["replicas"] == 3
    assert pods(found)["webhook"]["topologySpreadConstraints"]
    assert len(of_kind(found, "PodDisruptionBudget")) == 1
    assert of_kind(rendered(ACT), "PodDisruptionBudget") == [], "one pod with a budget could never be moved"


def test_no_credential_is_a_value_and_each_is_mounted_only_where_it_is_used() -> None:
    given = {name: f"{name}-secret" for name in ("registry", "model", "review", "prometheus", "alertmanager", "pages", "oidc")}
    found = rendered(merged(CONSOLE, {"credentials": given, "networkPolicy": {"prometheus": {"cidrs": ["10.2.0.1/32"]}}}))
    assert of_kind(found, "Secret") == []
    used = {role: {str(item) for item in secrets_of(spec)} for role, spec in pods(found).items()}
    assert used == {
        "controller": {"db", "registry-secret", "model-secret", "prometheus-secret"},
        "judge": {"db", "review-secret", "prometheus-secret"},
        "webhook": {"db", "day2-webhook-ca"},
        "notifier": {"db", "alertmanager-secret", "pages-secret"},
        "console": {"db", "registry-secret", "model-secret", "prometheus-secret", "oidc-secret"},
        "executor": {"db", "prometheus-secret"},
    }


def secrets_of(spec: Json) -> list[str]:
    mounted = [volume["secret"]["secretName"] for volume in spec["volumes"] if "secret" in volume]
    containers = (*spec.get("initContainers", ()), *spec["containers"])
    named_in = [item["valueFrom"]["secretKeyRef"]["name"] for one in containers for item in one.get("env", ()) if "valueFrom" in item]
    return [*mounted, *named_in]


def test_the_console_is_a_pod_of_its_own_that_reads_and_is_called_from_the_gateway_alone() -> None:
    found = rendered(CONSOLE)
    deployment = named(found, "Deployment", "day2-console")["spec"]
    assert (deployment["replicas"], "strategy" in deployment) == (3, False)
    spec = deployment["template"]["spec"]
    (main,) = spec["containers"]
    assert main["command"] == ["/opt/day2/.venv-run/bin/python", "-m", "interfaces.web", "--settings", SETTINGS]
    assert main["readinessProbe"]["httpGet"] == {"path": "/healthz", "port": "console"}
    assert (spec["serviceAccountName"], spec["securityContext"]["runAsNonRoot"]) == ("console", True)
    assert main["securityContext"] == {
        "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "runAsNonRoot": True, "capabilities": {"drop": ["ALL"]},
    }  # fmt: skip
    mounts = {mount["subPath"]: mount for mount in main["volumeMounts"] if mount["name"] == "data"}
    assert set(mounts) == {"shared", "shared/data/keys", "private/console"}
    assert mounts["shared/data/keys"]["readOnly"] is True
    assert own_settings(found)["web"] == {"listen": "0.0.0.0:8080", "public_url": "https://day2.example"}
    service = named(found, "Service", "day2-console")
    assert service["spec"]["ports"] == [{"name": "http", "port": 80, "targetPort": "console"}]
    assert "day2.dev/metrics" not in service["metadata"]["labels"]
    gateway = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "ingress"}}}
    assert named(found, "NetworkPolicy", "day2-console")["spec"]["ingress"] == [{"ports": [{"port": 8080}], "from": [gateway]}]
    assert [rule[1] for rule in egress(found, "console")] == [(443, 6443), (5432,), (53, 53), ()]


SETTINGS = "/var/lib/day2-private/console.settings.json"


def test_the_consoles_account_may_read_what_the_controllers_may_and_nothing_else() -> None:
    found = rendered(CONSOLE)
    rules = {role["metadata"]["name"]: role["rules"] for role in of_kind(found, "ClusterRole")}
    assert rules["day2-console"] == [*rules["day2-reader"], *rules["day2-observer"]]
    assert {verb for rule in rules["day2-console"] for verb in rule["verbs"]} == {"get", "list", "watch"}
    bound = [
        binding["roleRef"]["name"]
        for binding in of_kind(found, "ClusterRoleBinding", "RoleBinding")
        if "console" in {subject["name"] for subject in binding["subjects"]}
    ]
    assert bound == ["day2-console"]
    others = [document for document in rendered(POSTGRES) if document["kind"] in KINDS]
    assert [document for document in found if document["kind"] in KINDS and document["metadata"]["name"] != "day2-console"] == others


def test_a_console_where_nobody_logs_in_is_reached_by_port_forward_alone() -> None:
    found = rendered(merged(ACT, {"console": {"enabled": True}}))
    assert own_settings(found)["web"]["listen"] == "127.0.0.1:8080"
    assert "day2-console" not in {service["metadata"]["name"] for service in of_kind(found, "Service")}
    assert named(found, "NetworkPolicy", "day2-console")["spec"]["ingress"] == []
    (main,) = pods(found)["console"]["containers"]
    assert "readinessProbe" not in main
    assert "affinity" in pods(found)["console"]


def own_settings(found: list[Json]) -> Json:
    told: Json = yaml.safe_load(named(found, "ConfigMap", "day2")["data"]["day2.yaml"])
    return told


def test_the_executor_reaches_the_api_server_and_sql_and_nothing_else() -> None:
    assert egress(rendered(ACT), "executor") == [(("10.0.0.2/32",), (443, 6443))]
    assert egress(rendered(POSTGRES), "executor") == [(("10.0.0.2/32",), (443, 6443)), (("10.1.0.5/32",), (5432,))]
    executor = named(rendered(ACT), "NetworkPolicy", "day2-executor")["spec"]
    assert executor["ingress"] == []
    assert executor["policyTypes"] == ["Ingress", "Egress"]
    asked = merged(ACT, {"networkPolicy": {"prometheus": {"cidrs": ["10.2.0.1/32"]}}})
    assert egress(rendered(asked), "executor")[-1] == (("10.2.0.1/32",), (9090,))


def test_the_webhook_calls_nobody_but_the_database() -> None:
    assert egress(rendered(ACT), "webhook") == []
    assert egress(rendered(POSTGRES), "webhook")[0] == (("10.1.0.5/32",), (5432,))


def test_every_pod_is_under_a_policy() -> None:
    found = rendered(POSTGRES)
    held = [item["spec"]["podSelector"]["matchLabels"] for item in of_kind(found, "NetworkPolicy")]
    for deployment in of_kind(found, "Deployment"):
        labels = deployment["spec"]["template"]["metadata"]["labels"].items()
        assert [item for item in held if item.items() <= labels], deployment["metadata"]["name"]


def egress(found: list[Json], role: str) -> list[tuple[tuple[str, ...], tuple[int, ...]]]:
    rules = named(found, "NetworkPolicy", f"day2-{role}")["spec"]["egress"]
    return [
        (
            tuple(peer.get("ipBlock", {}).get("cidr", "names") for peer in rule.get("to", ())),
            tuple(port["port"] for port in rule.get("ports", ())),
        )
        for rule in rules
    ]


def test_without_metrics_within_reach_the_executor_is_told_of_none() -> None:
    asked = merged(ACT, {"config": {"prometheus": {"url": "http://p:9090"}}})
    told = {item["name"]: item.get("value") for item in pods(rendered(asked))["executor"]["initContainers"][0]["env"]}
    assert told["DAY2_PROMETHEUS__URL"] == ""
    reached = merged(asked, {"networkPolicy": {"prometheus": {"cidrs": ["10.2.0.1/32"]}}})
    assert "DAY2_PROMETHEUS__URL" not in {item["name"] for item in pods(rendered(reached))["executor"]["initContainers"][0]["env"]}


# ------------------------------------------------------------------ what needs definitions that not every cluster has
FOREIGN = ("ServiceMonitor", "PrometheusRule", "Certificate")


def test_what_needs_foreign_definitions_is_installed_only_when_it_is_asked_for() -> None:
    for values in ({}, PROPOSE, ACT, POSTGRES):
        assert of_kind(rendered(values), *FOREIGN) == []
    found = rendered(merged(CERT_MANAGER, MONITORED))
    assert sorted(item["kind"] for item in of_kind(found, *FOREIGN)) == sorted(FOREIGN)


def test_rules_and_dashboard_are_those_of_the_code() -> None:
    found = rendered(MONITORED)
    assert named(found, "PrometheusRule", "day2")["spec"] == alert_rules.document()["spec"]
    dashboard = named(found, "ConfigMap", "day2-dashboard")
    assert dashboard["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert yaml.safe_load(dashboard["data"]["day2ops.json"]) == dashboards.document()


def test_a_service_monitor_finds_each_port_that_shows_metrics() -> None:
    for values, roles in (({}, ["controller", "controller"]), (ACT, ["controller", "notifier"])):
        found = rendered(merged(values, MONITORED))
        wanted = named(found, "ServiceMonitor", "day2")["spec"]["selector"]["matchLabels"].items()
        services = [item for item in of_kind(found, "Service") if wanted <= item["metadata"]["labels"].items()]
        assert [item["spec"]["selector"]["app.kubernetes.io/component"] for item in services] == roles


def test_cert_manager_gives_certificate_and_ca(tmp_path: Path) -> None:
    found = rendered(CERT_MANAGER)
    certificate = named(found, "Certificate", "day2-webhook")["spec"]
    assert (certificate["dnsNames"], certificate["issuerRef"]["name"]) == ([f"day2-webhook.{OURS}.svc"], "ours")
    hook = named(found, "ValidatingWebhookConfiguration", "day2-permit")
    assert hook["metadata"]["annotations"]["cert-manager.io/inject-ca-from"] == f"{OURS}/{certificate['secretName']}"
    assert "caBundle" not in hook["webhooks"][0]["clientConfig"]
    settings = settings_of(found, tmp_path)
    assert str(settings.gate.webhook_ca_file) == "/etc/day2-secrets/webhook-ca/ca.crt"
    mounted = {volume["name"]: volume["secret"] for volume in pods(found)["executor"]["volumes"] if "secret" in volume}
    assert mounted["secret-webhook-ca"]["items"] == [{"key": "ca.crt", "path": "ca.crt"}], "the executor sees no key"


def test_the_notes_are_the_next_commands() -> None:
    said = helm("install", "day2", str(CHART), "--namespace", NAMESPACE, "--dry-run=client", values={})
    assert said.returncode == 0, said.stderr
    notes = said.stdout.partition("NOTES:")[2]
    assert len([line for line in notes.splitlines() if line.startswith("  ")]) == 3
