"""The closed table of metric queries. Called by planners (through the desk), the judge's facts and the verifier.

`tools` sends them, the simulator answers them.

Every number this product shows comes from one of these shapes, so that "how was this computed" always has an answer. A query is
data (`Query`), rendered to PromQL by `Query.promql()`. Aggregation stays outside the subquery: inside it costs three times as much.
Label conventions: `http_*` series carry `namespace` and `service`; GPU series are DCGM's; container series are
cAdvisor's; `kube_*` series are those of kube-state-metrics; `node_*` series are the node exporter's.
"""

import re
from enum import StrEnum
from typing import NamedTuple


class Shape(StrEnum):
    """What is asked. Each has one PromQL template in `TEMPLATES`."""

    CPU_QUANTILE = "cpu_quantile"  # cores, per pod and container: a quantile of 5-minute rates over the window
    CPU_MAX = "cpu_max"  # cores, per pod and container: the highest rate in the window
    MEMORY_MAX = "memory_max"  # bytes, per pod and container: the highest working set in the window
    SAMPLES = "samples"  # count of CPU samples per pod and container in the window: the coverage of the two above
    CPU_RATE = "cpu_rate"  # cores now, per pod
    MEMORY_NOW = "memory_now"  # bytes now, per pod and container
    THROTTLED_RATIO = "throttled_ratio"  # 0..1 per pod and container: CFS periods in which the container was held back
    REQUEST_RATE = "request_rate"  # requests per second, per service
    ERROR_RATIO = "error_ratio"  # 0..1 per service: 5xx over all
    LATENCY_P99 = "latency_p99"  # seconds, per service
    GPU_UTILISATION = "gpu_utilisation"  # percent 0..100 per pod: mean over the window
    REVISION_COMPLETE = "revision_complete"  # steps of the window at which a ReplicaSet had every pod it asked for
    GPU_XID = "gpu_xid"  # per node and GPU: the highest XID code that was reported in the window, 0 without one
    GPU_ECC = "gpu_ecc"  # per node and GPU: double bit ECC errors in the window
    NIC_ERRORS = "nic_errors"  # 0..1 per node: received frames that were broken
    FABRIC_DOWNS = "fabric_downs"  # per node: times in the window that an InfiniBand link went down
    NODE_LATENCY = "node_latency"  # seconds per pair of nodes: mean time of a ping between their Goldpinger pods
    TARGETS_UP = "targets_up"  # scrape targets that answer


TEMPLATES: dict[Shape, str] = {
    Shape.CPU_QUANTILE: "max by (namespace, pod, container) (quantile_over_time({quantile}, "
    'rate(container_cpu_usage_seconds_total{{namespace="{namespace}",container!=""}}[{rate}])[{window}:{step}]))',
    Shape.CPU_MAX: "max by (namespace, pod, container) (max_over_time("
    'rate(container_cpu_usage_seconds_total{{namespace="{namespace}",container!=""}}[{rate}])[{window}:{step}]))',
    Shape.MEMORY_MAX: "max by (namespace, pod, container) (max_over_time("
    'container_memory_working_set_bytes{{namespace="{namespace}",container!=""}}[{window}]))',
    Shape.SAMPLES: "sum by (namespace, pod, container) (count_over_time("
    'container_cpu_usage_seconds_total{{namespace="{namespace}",container!=""}}[{window}]))',
    Shape.CPU_RATE: 'sum by (namespace, pod) (rate(container_cpu_usage_seconds_total{{namespace="{namespace}",container!=""}}[{rate}]))',
    Shape.MEMORY_NOW: 'max by (namespace, pod, container) (container_memory_working_set_bytes{{namespace="{namespace}",container!=""}})',
    Shape.THROTTLED_RATIO: "max by (namespace, pod, container) ("
    'rate(container_cpu_cfs_throttled_periods_total{{namespace="{namespace}",container!=""}}[{rate}])'
    ' / rate(container_cpu_cfs_periods_total{{namespace="{namespace}",container!=""}}[{rate}]))',
    Shape.REQUEST_RATE: 'sum by (namespace, service) (rate(http_requests_total{{namespace="{namespace}"}}[{rate}]))',
    Shape.ERROR_RATIO: 'sum by (namespace, service) (rate(http_requests_total{{namespace="{namespace}",code=~"5.."}}[{rate}]))'
    ' / sum by (namespace, service) (rate(http_requests_total{{namespace="{namespace}"}}[{rate}]))',
    Shape.LATENCY_P99: "histogram_quantile(0.99, sum by (namespace, service, le) ("
    'rate(http_request_duration_seconds_bucket{{namespace="{namespace}"}}[{rate}])))',
    Shape.GPU_UTILISATION: 'avg by (namespace, pod) (avg_over_time(DCGM_FI_DEV_GPU_UTIL{{namespace="{namespace}"}}[{window}]))',
    Shape.REVISION_COMPLETE: "max by (namespace, replicaset) (sum_over_time("
    '(kube_replicaset_status_ready_replicas{{namespace="{namespace}"}} >= bool '
    '(kube_replicaset_spec_replicas{{namespace="{namespace}"}} > 0))[{window}:{step}]))',
    Shape.GPU_XID: "max by (Hostname, gpu) (max_over_time(DCGM_FI_DEV_XID_ERRORS[{window}]))",
    Shape.GPU_ECC: "sum by (Hostname, gpu) (increase(DCGM_FI_DEV_ECC_DBE_VOL_TOTAL[{window}]))",
    Shape.NIC_ERRORS: "sum by (instance) (rate(node_network_receive_errs_total[{rate}]))"
    " / sum by (instance) (rate(node_network_receive_packets_total[{rate}]))",
    Shape.FABRIC_DOWNS: "sum by (instance) (increase(node_infiniband_link_downed_total[{window}]))",
    Shape.NODE_LATENCY: 'sum by (goldpinger_instance, host_ip) (rate(goldpinger_peers_response_time_s_sum{{call_type="ping"}}[{rate}]))'
    ' / sum by (goldpinger_instance, host_ip) (rate(goldpinger_peers_response_time_s_count{{call_type="ping"}}[{rate}]))',
    Shape.TARGETS_UP: "count(up == 1)",
}

_NAMESPACE = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


class Query(NamedTuple):
    """One question to the metrics source. Windows are whole seconds."""

    shape: Shape
    namespace: str = ""
    quantile: float = 0.95
    window_seconds: int = 7 * 86_400
    step_seconds: int = 300
    rate_seconds: int = 300

    def promql(self) -> str:
        """The PromQL text. Raises ValueError for a namespace that is no DNS label, because it is put between quotes."""
        if "{namespace}" in TEMPLATES[self.shape] and not _NAMESPACE.fullmatch(self.namespace):
            raise ValueError(f"{self.namespace!r} is no Kubernetes namespace name")
        return TEMPLATES[self.shape].format(
            namespace=self.namespace,
            quantile=f"{self.quantile:g}",
            window=f"{self.window_seconds}s",
            step=f"{self.step_seconds}s",
            rate=f"{self.rate_seconds}s",
        )


class Sample(NamedTuple):
    """One value of an instant answer. `labels` are sorted pairs; `at` is Unix seconds."""

    labels: tuple[tuple[str, str], ...]
    at: float
    value: float

    def label(self, name: str) -> str:
        return dict(self.labels).get(name, "")


class Series(NamedTuple):
    """One series of a range answer: parallel tuples of Unix seconds and values."""

    labels: tuple[tuple[str, str], ...]
    times: tuple[float, ...]
    values: tuple[float, ...]

    def label(self, name: str) -> str:
        return dict(self.labels).get(name, "")
