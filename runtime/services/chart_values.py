"""What can be set on the Helm chart: one typed form. The chart's `values.yaml`, its schema and the table in docs/deploying.md are its text.

Names are Helm's (camelCase). Credentials are only ever names of Secrets that people made. `config` takes the product's own settings, but
for those that the chart itself decides.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from core.domain.values import Json
from core.policy.forms import KINDS
from runtime.settings import Settings

OBJECT = r"^([a-z0-9]([-a-z0-9.]{0,250}[a-z0-9])?)?$"
NAMESPACE = r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$"
CIDR = r"^[0-9a-fA-F.:]+/[0-9]{1,3}$"
QUANTITY = r"^[0-9]+(\.[0-9]+)?(m|[kMGTPE]i?)?$"
DECIDED = (
    "kubernetes.",
    "store.",
    "registry.url",
    "gate.",
    "policy.",
    "telemetry.",
    "model.api_key_file",
    "review.api_key_file",
    "alerts.pages_file",
    "alerts.alertmanager_token_file",
    "prometheus.token_file",
    "clock",
    "profile",
    "web.listen",
    "web.public_url",
    "oidc.client_secret_file",
)
"""Settings that the chart sets, by what it mounts and where it runs; a value of one's own would contradict a volume or a port."""


class Part(BaseModel):
    """Closed: a misspelt value is refused by `helm install`, not ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)


class Image(Part):
    """Where the image lies. None is published: docs/deploying.md builds it."""

    repository: str = Field(default="day2ops", min_length=1, description="name of the image, with its registry")
    digest: str = Field(default="", pattern=r"^(sha256:[0-9a-f]{64})?$", description="sha256 of the image; wins over the tag, and is best")
    tag: str = Field(default="", pattern=r"^[\w.-]{0,128}$", description="tag where there is no digest; empty: the chart's appVersion")
    pull_policy: Literal["IfNotPresent", "Always", "Never"] = Field(default="IfNotPresent", description="when nodes pull it")
    pull_secrets: tuple[str, ...] = Field(default=(), description="names of Secrets for the registry")


class Cluster(Part):
    """How pods find the API server."""

    server: str = Field(
        default="",
        pattern=r"^(https://\S+)?$",
        description="address of the API server; empty: the one that Kubernetes tells each pod, without asking DNS",
    )


class Persistence(Part):
    """Ledger, keys, checkpoints, audit."""

    size: str = Field(default="5Gi", pattern=QUANTITY, description="size of the claim")
    storage_class: str = Field(default="", description="its class; empty: the cluster's default. Block storage, never NFS, for sqlite")
    access_modes: tuple[Literal["ReadWriteOnce", "ReadWriteMany"], ...] = Field(
        default=("ReadWriteOnce",), min_length=1, description="ReadWriteMany lets pods run on different nodes, with a database only"
    )
    existing_claim: str = Field(default="", pattern=OBJECT, description="a claim of your own instead")
    keep: bool = Field(default=True, description="leave the claim, and with it the audit chains, when the release is uninstalled")


class Ledger(Part):
    """Where actions, verdicts and audit chains are."""

    existing_secret: str = Field(
        default="", pattern=OBJECT, description="Secret whose key `url` is postgresql+psycopg://...; empty: sqlite on the claim"
    )


class Credentials(Part):
    """Each is the name of a Secret in day2-system; empty: none."""

    registry: str = Field(default="", pattern=OBJECT, description="key `url`: redis:// or rediss://; empty: a Valkey in the controller")
    model: str = Field(default="", pattern=OBJECT, description="key `api-key`: for config.model")
    review: str = Field(default="", pattern=OBJECT, description="key `api-key`: for config.review")
    prometheus: str = Field(default="", pattern=OBJECT, description="key `token`: for config.prometheus.url")
    alertmanager: str = Field(default="", pattern=OBJECT, description="key `token`: for config.alerts.alertmanager")
    pages: str = Field(default="", pattern=OBJECT, description="key `pages`: one apprise address a line")
    oidc: str = Field(default="", pattern=OBJECT, description="key `client-secret`: for config.oidc")


class Rbac(Part):
    """The generated rights."""

    create: bool = Field(default=True, description="install them; false where somebody else does, by `day2 rbac generate`")
    form: Literal["auto", "constrained", "legacy"] = Field(
        default="auto",
        description="impersonation limited to requests, from Kubernetes 1.36 on, or the older form; auto: by the server's version",
    )


class Guard(Part):
    """The lock in the API server: docs/gate.md."""

    form: Literal["required", "static"] = Field(
        default="required", description="required: the chart installs it; static: it is in the API servers' own files (`day2 gate static`)"
    )


class Issuer(Part):
    """cert-manager's."""

    name: str = Field(default="", description="name of the issuer; it signs with a CA, and its Secret has ca.crt")
    kind: Literal["Issuer", "ClusterIssuer"] = Field(default="Issuer", description="its kind")


class CertManager(Part):
    """A certificate from cert-manager."""

    enabled: bool = Field(default=False, description="make a Certificate, and have the CA put into the registration; needs its CRDs")
    issuer: Issuer = Issuer()


class Webhook(Part):
    """Asked by the API server before each write of an agent."""

    replicas: int = Field(default=1, ge=1, le=9, description="pods; more than one on several nodes needs a database and ReadWriteMany")
    port: int = Field(default=9443, ge=1024, le=65535, description="where it listens in its pod")
    url: str = Field(
        default="", pattern=r"^(https://[^/\s]+)?$", description="https://HOST:PORT for the API server; empty: the Service day2-webhook"
    )
    ca_bundle: str = Field(default="", description="PEM of the CA behind its certificate: --set-file webhook.caBundle=webhook-ca.crt")
    ca_secret: str = Field(
        default="",
        pattern=OBJECT,
        description="kubernetes.io/tls Secret with that CA and its key: the webhook then issues its own leaves",
    )
    existing_secret: str = Field(default="", pattern=OBJECT, description="kubernetes.io/tls Secret with a certificate that others renew")
    cert_manager: CertManager = CertManager()


class Notifier(Part):
    """Tells people, writes Events, shows metrics."""

    enabled: bool = Field(default=True, description="run it; nobody waits for it, but without it nobody is told either")


class Console(Part):
    """Pages, API and MCP, for people and machines, in a pod of their own. It signs what people decide, and writes no cluster."""

    enabled: bool = Field(
        default=False, description="run it. Without config.oidc.issuer it listens on its pod's loopback alone: kubectl port-forward"
    )
    replicas: int = Field(default=1, ge=1, le=9, description="pods; more than one needs a database")
    port: int = Field(default=8080, ge=1024, le=65535, description="where it listens in its pod")
    public_url: str = Field(
        default="",
        pattern=r"^(https://[^\s/@?#]+(/[^\s@?#]*)?)?$",
        description="address under which people reach it, at a gateway that ends TLS; for links and logins",
    )
    called_from: str = Field(default="", pattern=OBJECT, description="namespace of that gateway; empty: every pod may call it")


class ApiServerPeers(Part):
    """Where the API server is, for NetworkPolicies."""

    cidrs: tuple[str, ...] = Field(
        default=(),
        description="its addresses, such as 10.0.0.2/32; empty: asked of the cluster at installation, which a mere render cannot",
    )
    ports: tuple[int, ...] = Field(default=(443, 6443), min_length=1, description="its ports")


class SqlPeers(Part):
    """Where the database is, for NetworkPolicies."""

    cidrs: tuple[str, ...] = Field(default=(), description="its addresses; needed with ledger.existingSecret")
    port: int = Field(default=5432, ge=1, le=65535, description="its port")


class PrometheusPeers(Part):
    """Where Prometheus is, for the executor alone; the others reach it among `egressCidrs`."""

    cidrs: tuple[str, ...] = Field(
        default=(), description="its addresses; empty: the executor reaches the API server and SQL only, and verifies without metrics"
    )
    port: int = Field(default=9090, ge=1, le=65535, description="its port")


class NetworkPolicy(Part):
    """Who reaches whom."""

    enabled: bool = Field(default=True, description="install them; they hold only where the cluster's network enforces them")
    api_server: ApiServerPeers = ApiServerPeers()
    sql: SqlPeers = SqlPeers()
    prometheus: PrometheusPeers = PrometheusPeers()
    executor_dns: bool = Field(default=False, description="let the executor ask DNS; only for what is known to it by a name")
    egress_cidrs: tuple[str, ...] = Field(
        default=("0.0.0.0/0", "::/0"),
        description="what controller, judge, notifier and console may reach beside: Prometheus, model, pages, who logs people in",
    )
    metrics_from: str = Field(default="monitoring", description="namespace that may scrape metrics; empty: every one")


class Metrics(Part):
    """What Prometheus and Grafana get."""

    service_monitor: bool = Field(default=False, description="a ServiceMonitor; needs the Prometheus operator's CRDs")
    prometheus_rule: bool = Field(default=False, description="the rules of `day2 alerts rules`; needs the same CRDs")
    dashboard: bool = Field(default=False, description="a ConfigMap with the label grafana_dashboard=1 for Grafana's sidecar")


class Amount(Part):
    """CPU and memory."""

    cpu: str = Field(default="", pattern=rf"{QUANTITY}|^$", description="CPU")
    memory: str = Field(default="", pattern=rf"{QUANTITY}|^$", description="memory")


class Resources(Part):
    """Of each pod of ours."""

    requests: Amount = Amount(cpu="50m", memory="160Mi")
    limits: Amount = Amount(memory="512Mi")


class Pods(Part):
    """Where pods run, and what is written on them."""

    resources: Resources = Resources()
    node_selector: dict[str, str] = Field(default={}, description="labels of nodes")
    tolerations: tuple[dict[str, Any], ...] = Field(default=(), description="tolerations")
    priority_class: str = Field(default="", description="name of a PriorityClass")
    annotations: dict[str, str] = Field(default={}, description="annotations of pods")
    labels: dict[str, str] = Field(default={}, description="labels of pods")
    disruption_budget: bool = Field(default=True, description="a PodDisruptionBudget for the webhook where it has replicas")


class Document(Part):
    """An Objective, Grant, PriceList or the like, as in a file of `policy.objectives`."""

    api_version: Literal["day2.dev/v1alpha1"]
    kind: str = Field(json_schema_extra={"enum": [*sorted(KINDS)]})
    metadata: dict[str, Any]
    spec: dict[str, Any]


class Values(Part):
    """The whole."""

    mode: Literal["readOnly", "propose", "act"] = Field(
        default="readOnly",
        description="readOnly: look and report; nobody holds a right to write. propose: the judge judges and previews too, nothing is "
        "applied. act: the executor applies what was permitted",
    )
    image: Image = Image()
    cluster: Cluster = Cluster()
    namespaces: tuple[str, ...] = Field(
        default=(),
        description="namespaces in which agents may write; empty: everywhere but the protected",
        json_schema_extra={"items": {"pattern": NAMESPACE, "type": "string"}},
    )
    documents: tuple[Document, ...] = Field(default=(), description="objectives, grants and prices; rights are made from the grants")
    rules: dict[str, str] = Field(
        default={},
        description="rules of your own by file name, such as ours.yaml",
        json_schema_extra={"propertyNames": {"pattern": r"^[a-z0-9-]+\.yaml$"}},
    )
    config: dict[str, Any] = Field(default={}, description="further settings as in day2.yaml, such as flow.approval_hours")
    ledger: Ledger = Ledger()
    persistence: Persistence = Persistence()
    credentials: Credentials = Credentials()
    rbac: Rbac = Rbac()
    guard: Guard = Guard()
    webhook: Webhook = Webhook()
    notifier: Notifier = Notifier()
    console: Console = Console()
    network_policy: NetworkPolicy = NetworkPolicy()
    metrics: Metrics = Metrics()
    pods: Pods = Pods()


class Value(NamedTuple):
    """One value that can be set. `default` is plain."""

    path: str
    default: Any
    description: str


def listed(form: BaseModel | None = None, prefix: str = "") -> Iterator[Value]:
    """Every value, in the order of the form."""
    form = form or Values()
    for name, field in type(form).model_fields.items():
        value, path = getattr(form, name), f"{prefix}{field.alias}"
        if isinstance(value, Part):
            yield from listed(value, f"{path}.")
        else:
            yield Value(path, form.model_dump(mode="json")[name], field.description or "")


def schema() -> Json:
    """JSON Schema of the whole, for Helm."""
    found = Values.model_json_schema(by_alias=True)
    own = config_schema()
    found["$defs"] |= own.pop("$defs", {})
    found["properties"]["config"] = own | {"description": found["properties"]["config"]["description"], "default": {}}
    found["properties"]["global"] = {"description": "Helm's own, for charts that hold this one", "type": "object"}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **found, "title": "day2ops"}


def config_schema() -> Json:
    """The product's settings without those that the chart decides; what is in a file is never required."""
    found = Settings.model_json_schema()
    groups = found.pop("$defs")
    kept: Json = {}
    for name, place in found["properties"].items():
        reference = str(place.get("$ref", ""))
        if not reference:
            if name not in DECIDED:
                kept[name] = place
            continue
        group = dict(groups[reference.rpartition("/")[2]])
        group["properties"] = {key: value for key, value in group["properties"].items() if not _decided(f"{name}.{key}")}
        if group["properties"]:
            kept[name] = group
    return {"type": "object", "additionalProperties": False, "properties": kept}


def _decided(key: str) -> bool:
    return any(key == name or (name.endswith(".") and key.startswith(name)) for name in DECIDED)


def defaults() -> Mapping[str, Any]:
    """All values as they are when nobody sets any."""
    return Values().model_dump(mode="json", by_alias=True)
