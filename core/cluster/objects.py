"""Slim Kubernetes objects, decoded straight from the API server's bytes by `core.cluster.decoding`.

Only the fields that a detector, planner or rule reads are declared; unknown fields are skipped without being built. Field names follow the
API (camelCase on the wire). Leaves are not tracked by the garbage collector: with 10,000 pods its pauses would cost more than the parsing.
Resource maps keep the wire's text; `core.cluster.quantities` turns it into integers.
"""

from datetime import datetime
from typing import Any

from msgspec import Struct, field

Resources = dict[str, str | int | float]


class OwnerReference(Struct, frozen=True, gc=False, rename="camel"):
    kind: str = ""
    name: str = ""
    uid: str = ""
    controller: bool = False


class ManagedField(Struct, frozen=True, gc=False, rename="camel"):
    """Who wrote, and when; the field sets themselves are not decoded."""

    manager: str = ""
    operation: str = ""
    time: datetime | None = None
    subresource: str = ""


class Meta(Struct, frozen=True, rename="camel"):
    name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    generation: int = 0
    creation_timestamp: datetime | None = None
    deletion_timestamp: datetime | None = None
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    owner_references: tuple[OwnerReference, ...] = ()
    finalizers: tuple[str, ...] = ()
    managed_fields: tuple[ManagedField, ...] = ()


class Condition(Struct, frozen=True, gc=False, rename="camel"):
    type: str = ""
    status: str = ""
    reason: str = ""
    message: str = ""
    last_transition_time: datetime | None = None


class ResourceRequirements(Struct, frozen=True):
    requests: Resources = {}
    limits: Resources = {}


class EnvSource(Struct, frozen=True, rename="camel"):
    config_map_key_ref: dict[str, Any] | None = None
    secret_key_ref: dict[str, Any] | None = None


class Env(Struct, frozen=True, rename="camel"):
    name: str = ""
    value: str = ""
    value_from: EnvSource | None = None


class EnvFrom(Struct, frozen=True, rename="camel"):
    config_map_ref: dict[str, Any] | None = None
    secret_ref: dict[str, Any] | None = None


class Capabilities(Struct, frozen=True):
    add: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()


class Profile(Struct, frozen=True, gc=False):
    """A seccomp or AppArmor profile."""

    type: str = ""


class SecurityContext(Struct, frozen=True, rename="camel"):
    """Of a pod or of a container: the fields of both."""

    privileged: bool | None = None
    allow_privilege_escalation: bool | None = None
    run_as_non_root: bool | None = None
    run_as_user: int | None = None
    capabilities: Capabilities | None = None
    seccomp_profile: Profile | None = None
    app_armor_profile: Profile | None = None
    se_linux_options: dict[str, str] | None = None
    windows_options: dict[str, Any] | None = None
    proc_mount: str = ""
    sysctls: tuple[dict[str, str], ...] = ()


class ContainerPort(Struct, frozen=True, gc=False, rename="camel"):
    name: str = ""
    container_port: int = 0
    host_port: int = 0
    protocol: str = ""


class Container(Struct, frozen=True, rename="camel"):
    name: str = ""
    image: str = ""
    resources: ResourceRequirements = ResourceRequirements()
    env: tuple[Env, ...] = ()
    env_from: tuple[EnvFrom, ...] = ()
    ports: tuple[ContainerPort, ...] = ()
    security_context: SecurityContext | None = None
    liveness_probe: dict[str, Any] | None = None
    readiness_probe: dict[str, Any] | None = None
    startup_probe: dict[str, Any] | None = None
    lifecycle: dict[str, Any] | None = None
    resize_policy: tuple[dict[str, str], ...] = ()
    restart_policy: str = ""


class Volume(Struct, frozen=True, rename="camel"):
    name: str = ""
    host_path: dict[str, Any] | None = None
    config_map: dict[str, Any] | None = None
    secret: dict[str, Any] | None = None
    persistent_volume_claim: dict[str, Any] | None = None
    empty_dir: dict[str, Any] | None = None
    projected: dict[str, Any] | None = None
    csi: dict[str, Any] | None = None
    downward_api: dict[str, Any] | None = field(default=None, name="downwardAPI")
    ephemeral: dict[str, Any] | None = None
    image: dict[str, Any] | None = None


class PodSpec(Struct, frozen=True, rename="camel"):
    node_name: str = ""
    containers: tuple[Container, ...] = ()
    init_containers: tuple[Container, ...] = ()
    ephemeral_containers: tuple[Container, ...] = ()
    volumes: tuple[Volume, ...] = ()
    service_account_name: str = ""
    automount_service_account_token: bool | None = None
    host_network: bool = False
    host_pid: bool = field(default=False, name="hostPID")
    host_ipc: bool = field(default=False, name="hostIPC")
    host_users: bool | None = None
    os: dict[str, str] | None = None
    priority: int = 0
    priority_class_name: str = ""
    restart_policy: str = ""
    node_selector: dict[str, str] = {}
    tolerations: tuple[dict[str, Any], ...] = ()
    affinity: dict[str, Any] | None = None
    dns_policy: str = ""
    dns_config: dict[str, Any] | None = None
    scheduling_gates: tuple[dict[str, str], ...] = ()
    termination_grace_period_seconds: int = 30
    security_context: SecurityContext | None = None


class Waiting(Struct, frozen=True, gc=False):
    reason: str = ""
    message: str = ""


class Terminated(Struct, frozen=True, gc=False, rename="camel"):
    reason: str = ""
    message: str = ""
    exit_code: int = 0
    finished_at: datetime | None = None


class Running(Struct, frozen=True, gc=False, rename="camel"):
    started_at: datetime | None = None


class ContainerState(Struct, frozen=True):
    waiting: Waiting | None = None
    running: Running | None = None
    terminated: Terminated | None = None


class ContainerStatus(Struct, frozen=True, rename="camel"):
    name: str = ""
    ready: bool = False
    restart_count: int = 0
    image: str = ""
    image_id: str = field(default="", name="imageID")
    state: ContainerState = ContainerState()
    last_state: ContainerState = ContainerState()
    resources: ResourceRequirements | None = None


class PodStatus(Struct, frozen=True, rename="camel"):
    phase: str = ""
    reason: str = ""
    message: str = ""
    conditions: tuple[Condition, ...] = ()
    container_statuses: tuple[ContainerStatus, ...] = ()
    init_container_statuses: tuple[ContainerStatus, ...] = ()
    start_time: datetime | None = None
    qos_class: str = ""
    pod_ip: str = field(default="", name="podIP")


class Pod(Struct, frozen=True):
    metadata: Meta = Meta()
    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()


class LabelSelector(Struct, frozen=True, rename="camel"):
    match_labels: dict[str, str] = {}
    match_expressions: tuple[dict[str, Any], ...] = ()


class PodTemplate(Struct, frozen=True):
    metadata: Meta = Meta()
    spec: PodSpec = PodSpec()


class WorkloadSpec(Struct, frozen=True, rename="camel"):
    """Of Deployment, ReplicaSet, StatefulSet and DaemonSet."""

    replicas: int | None = None
    selector: LabelSelector | None = None
    template: PodTemplate = PodTemplate()
    paused: bool = False
    progress_deadline_seconds: int | None = None
    strategy: dict[str, Any] = {}
    service_name: str = ""


class WorkloadStatus(Struct, frozen=True, rename="camel"):
    observed_generation: int = 0
    replicas: int = 0
    updated_replicas: int = 0
    ready_replicas: int = 0
    available_replicas: int = 0
    unavailable_replicas: int = 0
    desired_number_scheduled: int = 0
    number_ready: int = 0
    number_misscheduled: int = 0
    conditions: tuple[Condition, ...] = ()


class Workload(Struct, frozen=True):
    """A Deployment, ReplicaSet, StatefulSet or DaemonSet; which one, the snapshot's key says."""

    metadata: Meta = Meta()
    spec: WorkloadSpec = WorkloadSpec()
    status: WorkloadStatus = WorkloadStatus()


class JobSpec(Struct, frozen=True, rename="camel"):
    parallelism: int = 1
    completions: int | None = None
    suspend: bool = False
    backoff_limit: int = 6
    template: PodTemplate = PodTemplate()


class JobStatus(Struct, frozen=True, rename="camel"):
    active: int = 0
    ready: int = 0
    succeeded: int = 0
    failed: int = 0
    start_time: datetime | None = None
    completion_time: datetime | None = None
    conditions: tuple[Condition, ...] = ()


class Job(Struct, frozen=True):
    metadata: Meta = Meta()
    spec: JobSpec = JobSpec()
    status: JobStatus = JobStatus()


class CronJobSpec(Struct, frozen=True, rename="camel"):
    schedule: str = ""
    suspend: bool = False
    time_zone: str | None = None
    concurrency_policy: str = ""


class CronJobStatus(Struct, frozen=True, rename="camel"):
    active: tuple[dict[str, Any], ...] = ()
    last_schedule_time: datetime | None = None
    last_successful_time: datetime | None = None


class CronJob(Struct, frozen=True):
    metadata: Meta = Meta()
    spec: CronJobSpec = CronJobSpec()
    status: CronJobStatus = CronJobStatus()


class ScaleTarget(Struct, frozen=True, gc=False, rename="camel"):
    kind: str = ""
    name: str = ""


class AutoscalerSpec(Struct, frozen=True, rename="camel"):
    scale_target_ref: ScaleTarget = ScaleTarget()
    min_replicas: int = 1
    max_replicas: int = 1
    metrics: tuple[dict[str, Any], ...] = ()


class AutoscalerStatus(Struct, frozen=True, rename="camel"):
    current_replicas: int = 0
    desired_replicas: int = 0
    current_metrics: tuple[dict[str, Any], ...] | None = ()
    conditions: tuple[Condition, ...] = ()


class Autoscaler(Struct, frozen=True):
    metadata: Meta = Meta()
    spec: AutoscalerSpec = AutoscalerSpec()
    status: AutoscalerStatus = AutoscalerStatus()


class BudgetSpec(Struct, frozen=True, rename="camel"):
    selector: LabelSelector | None = None
    min_available: int | str | None = None
    max_unavailable: int | str | None = None


class BudgetStatus(Struct, frozen=True, gc=False, rename="camel"):
    disruptions_allowed: int = 0
    current_healthy: int = 0
    desired_healthy: int = 0
    expected_pods: int = 0


class DisruptionBudget(Struct, frozen=True):
    metadata: Meta = Meta()
    spec: BudgetSpec = BudgetSpec()
    status: BudgetStatus = BudgetStatus()


class ServiceSpec(Struct, frozen=True, rename="camel"):
    type: str = ""
    selector: dict[str, str] = {}
    ports: tuple[dict[str, Any], ...] = ()
    external_name: str = ""
    external_ips: tuple[str, ...] = field(default=(), name="externalIPs")
    load_balancer_source_ranges: tuple[str, ...] = ()
    cluster_ip: str = field(default="", name="clusterIP")


class ServiceStatus(Struct, frozen=True, rename="camel"):
    load_balancer: dict[str, Any] = {}


class Service(Struct, frozen=True):
    metadata: Meta = Meta()
    spec: ServiceSpec = ServiceSpec()
    status: ServiceStatus = ServiceStatus()


class Taint(Struct, frozen=True, gc=False, rename="camel"):
    key: str = ""
    effect: str = ""
    value: str = ""
    time_added: datetime | None = None


class NodeSpec(Struct, frozen=True):
    unschedulable: bool = False
    taints: tuple[Taint, ...] = ()
    provider_id: str = field(default="", name="providerID")


class NodeInfo(Struct, frozen=True, gc=False, rename="camel"):
    kubelet_version: str = ""
    architecture: str = ""


class NodeStatus(Struct, frozen=True, rename="camel"):
    capacity: Resources = {}
    allocatable: Resources = {}
    node_info: NodeInfo = NodeInfo()
    conditions: tuple[Condition, ...] = ()


class Node(Struct, frozen=True):
    metadata: Meta = Meta()
    spec: NodeSpec = NodeSpec()
    status: NodeStatus = NodeStatus()


class DevicePool(Struct, frozen=True, gc=False, rename="camel"):
    name: str = ""
    generation: int = 0
    resource_slice_count: int = 0


class Device(Struct, frozen=True):
    name: str = ""
    taints: tuple[Taint, ...] = ()


class ResourceSliceSpec(Struct, frozen=True, rename="camel"):
    driver: str = ""
    node_name: str = ""
    pool: DevicePool = DevicePool()
    devices: tuple[Device, ...] = ()


class ResourceSlice(Struct, frozen=True):
    """What a DRA driver offers on a node, or for several."""

    metadata: Meta = Meta()
    spec: ResourceSliceSpec = ResourceSliceSpec()


class NamespaceStatus(Struct, frozen=True):
    phase: str = ""
    conditions: tuple[Condition, ...] = ()


class Namespace(Struct, frozen=True):
    metadata: Meta = Meta()
    status: NamespaceStatus = NamespaceStatus()


class ServiceAccount(Struct, frozen=True, rename="camel"):
    metadata: Meta = Meta()
    automount_service_account_token: bool | None = None


class ConfigMap(Struct, frozen=True):
    """The keys only: values are not decoded, detectors do not read them."""

    metadata: Meta = Meta()


class QuotaSpec(Struct, frozen=True, rename="camel"):
    hard: Resources = {}
    scopes: tuple[str, ...] = ()
    scope_selector: dict[str, Any] | None = None


class Quota(Struct, frozen=True):
    metadata: Meta = Meta()
    spec: QuotaSpec = QuotaSpec()
    status: dict[str, dict[str, str | int | float]] = {}


class InvolvedObject(Struct, frozen=True, gc=False, rename="camel"):
    kind: str = ""
    namespace: str = ""
    name: str = ""
    uid: str = ""


class Event(Struct, frozen=True, rename="camel"):
    metadata: Meta = Meta()
    involved_object: InvolvedObject = InvolvedObject()
    reason: str = ""
    message: str = ""
    type: str = ""
    count: int = 1
    first_timestamp: datetime | None = None
    last_timestamp: datetime | None = None
    event_time: datetime | None = None
    reporting_component: str = ""


class Subject(Struct, frozen=True, gc=False):
    kind: str = ""
    name: str = ""
    namespace: str = ""


class RoleRef(Struct, frozen=True, gc=False):
    kind: str = ""
    name: str = ""


class Binding(Struct, frozen=True, rename="camel"):
    """A ClusterRoleBinding or RoleBinding."""

    metadata: Meta = Meta()
    role_ref: RoleRef = RoleRef()
    subjects: tuple[Subject, ...] = ()


class PolicyRule(Struct, frozen=True, rename="camel"):
    verbs: tuple[str, ...] = ()
    api_groups: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    resource_names: tuple[str, ...] = ()


class Role(Struct, frozen=True):
    """A Role or ClusterRole; of an aggregated one, the rules as the controller put them together."""

    metadata: Meta = Meta()
    rules: tuple[PolicyRule, ...] = ()


class NetworkPolicySpec(Struct, frozen=True, rename="camel"):
    """An absent `ingress` and an empty one say the same: nothing comes in, where Ingress is among the policy's types."""

    pod_selector: LabelSelector = LabelSelector()
    policy_types: tuple[str, ...] = ()
    ingress: tuple[dict[str, Any], ...] = ()
    egress: tuple[dict[str, Any], ...] = ()


class NetworkPolicy(Struct, frozen=True):
    metadata: Meta = Meta()
    spec: NetworkPolicySpec = NetworkPolicySpec()


class ClaimSpec(Struct, frozen=True, rename="camel"):
    """`storage_class_name` is None where the default class is meant, and empty where none is."""

    storage_class_name: str | None = None
    volume_name: str = ""


class PhaseStatus(Struct, frozen=True):
    phase: str = ""
    reason: str = ""
    message: str = ""
    conditions: tuple[Condition, ...] = ()


class Claim(Struct, frozen=True):
    """A PersistentVolumeClaim."""

    metadata: Meta = Meta()
    spec: ClaimSpec = ClaimSpec()
    status: PhaseStatus = PhaseStatus()


class VolumeSpec(Struct, frozen=True, rename="camel"):
    storage_class_name: str = ""
    claim_ref: InvolvedObject | None = None


class PersistentVolume(Struct, frozen=True):
    metadata: Meta = Meta()
    spec: VolumeSpec = VolumeSpec()
    status: PhaseStatus = PhaseStatus()


class StorageClass(Struct, frozen=True, rename="camel"):
    metadata: Meta = Meta()
    provisioner: str = ""
    volume_binding_mode: str = ""


class IngressSpec(Struct, frozen=True, rename="camel"):
    ingress_class_name: str | None = None
    default_backend: dict[str, Any] | None = None
    rules: tuple[dict[str, Any], ...] = ()


class Ingress(Struct, frozen=True):
    metadata: Meta = Meta()
    spec: IngressSpec = IngressSpec()


class Named(Struct, frozen=True):
    """An object of which only its being there matters: IngressClass, PriorityClass."""

    metadata: Meta = Meta()


class WebhookClient(Struct, frozen=True, rename="camel"):
    service: dict[str, Any] | None = None
    url: str | None = None
    ca_bundle: str = ""


class Webhook(Struct, frozen=True, rename="camel"):
    """The API server fills in the defaults: Fail, and selectors that match everything."""

    name: str = ""
    client_config: WebhookClient = WebhookClient()
    failure_policy: str = "Fail"
    namespace_selector: LabelSelector = LabelSelector()
    object_selector: LabelSelector = LabelSelector()
    rules: tuple[dict[str, Any], ...] = ()


class WebhookConfiguration(Struct, frozen=True):
    """Validating or mutating; which one, the snapshot's key says."""

    metadata: Meta = Meta()
    webhooks: tuple[Webhook, ...] = ()


class ApiServiceSpec(Struct, frozen=True):
    service: dict[str, Any] | None = None
    group: str = ""
    version: str = ""


class ApiService(Struct, frozen=True):
    metadata: Meta = Meta()
    spec: ApiServiceSpec = ApiServiceSpec()
    status: PhaseStatus = PhaseStatus()


AnyObject = (
    Pod
    | Workload
    | Job
    | CronJob
    | Autoscaler
    | DisruptionBudget
    | Service
    | Node
    | Namespace
    | ServiceAccount
    | ConfigMap
    | Quota
    | Event
    | Binding
    | NetworkPolicy
    | Claim
    | PersistentVolume
    | StorageClass
    | Ingress
    | Named
    | WebhookConfiguration
    | ApiService
    | Role
)

STRUCTS: dict[str, type[Struct]] = {
    "Pod": Pod,
    "Deployment": Workload,
    "ReplicaSet": Workload,
    "StatefulSet": Workload,
    "DaemonSet": Workload,
    "Job": Job,
    "CronJob": CronJob,
    "HorizontalPodAutoscaler": Autoscaler,
    "PodDisruptionBudget": DisruptionBudget,
    "Service": Service,
    "Node": Node,
    "Namespace": Namespace,
    "ServiceAccount": ServiceAccount,
    "ConfigMap": ConfigMap,
    "ResourceQuota": Quota,
    "Event": Event,
    "ClusterRoleBinding": Binding,
    "RoleBinding": Binding,
    "NetworkPolicy": NetworkPolicy,
    "PersistentVolumeClaim": Claim,
    "PersistentVolume": PersistentVolume,
    "StorageClass": StorageClass,
    "Ingress": Ingress,
    "IngressClass": Named,
    "PriorityClass": Named,
    "ValidatingWebhookConfiguration": WebhookConfiguration,
    "MutatingWebhookConfiguration": WebhookConfiguration,
    "APIService": ApiService,
    "Role": Role,
    "ClusterRole": Role,
    "ResourceSlice": ResourceSlice,
}
"""Which struct decodes which kind of `core.cluster.observed`."""
