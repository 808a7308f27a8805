"""Everything that can be configured: one typed object, read once per process, with the source of each value.

Precedence: flag > `DAY2_*` environment > the chosen profile > `./day2.yaml` > `$XDG_CONFIG_HOME/day2/config.yaml` >
`/etc/day2/config.yaml` > default. A profile is a named group of settings in any of the files, such as
`profiles: {prod: {kubernetes: {context: prod}}}`; `--profile`, `DAY2_PROFILE` or `profile:` chooses it. The only module that reads the
environment. An unknown key or profile is an error that names the nearest one.
"""

import difflib
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError, model_validator

from core.domain.errors import InvalidDocument, InvalidInput
from core.domain.values import bounded

PREFIX = "DAY2_"
NO_PROFILE, DEMO = "default", "demo"
"""Reserved names of profiles: none at all, and the demo's own settings, which come from no file."""


def _split(value: Any) -> Any:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


Words = Annotated[tuple[str, ...], BeforeValidator(_split)]
"""In a file a list, in the environment parted by commas."""


class Group(BaseModel):
    """Settings are frozen and closed."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


class KubernetesSettings(Group):
    """Which cluster."""

    kubeconfig: Path | None = Field(
        default=None, description="kubeconfig file; default: $KUBECONFIG, then ~/.kube/config, then the pod's service account"
    )
    context: str = Field(default="", description="context of the kubeconfig; default: its current context")
    server: str = Field(
        default="", pattern=r"^(https?://\S+)?$", description="address of the API server; default: the kubeconfig's. For every identity"
    )
    as_user: str | None = Field(
        default=None,
        min_length=1,
        description="read as this user (impersonation) by the kubeconfig's own identity; never judge or executor",
    )
    as_groups: Words = Field(default=(), description="groups to read as, beside as_user")
    request_seconds: float = Field(default=30.0, ge=0, le=3600, description="deadline of one request that reads the cluster; 0: none")
    read_kubeconfig: Path | None = Field(default=None, description="kubeconfig of the read-only identity of agents; default: the same file")
    judge_kubeconfig: Path | None = Field(default=None, description="kubeconfig of the judge; default: the same file")
    executor_kubeconfig: Path | None = Field(default=None, description="kubeconfig of the executor; default: the same file")
    notifier_kubeconfig: Path | None = Field(
        default=None, description="kubeconfig of the notifier, which may create Events and nothing else; empty: no Events are written"
    )

    @model_validator(mode="after")
    def _groups_need_a_user(self) -> "KubernetesSettings":
        """As in kubectl. An empty identity would let the request run as ourselves (CVE-2026-23990)."""
        if self.as_groups and self.as_user is None:
            raise ValueError("groups are read as only beside a user: give as_user too")
        if not all(self.as_groups):
            raise ValueError("a group has a name")
        return self


class PrometheusSettings(Group):
    """Where usage comes from."""

    url: str = Field(
        default="", description="base address of the Prometheus HTTP API; empty: checks that need metrics are reported as not run"
    )
    ca_file: Path | None = Field(default=None, description="PEM file of the CA behind an https address; empty: the system's")
    token_file: Path | None = Field(default=None, description="file with a bearer token for the address; empty: none is sent")


class StoreSettings(Group):
    """Where state lives."""

    data_dir: Path = Field(default=Path("~/.local/share/day2"), description="ledger, checkpoints, keys and audit; created with mode 0700")
    private_dir: Path | None = Field(
        default=None,
        description="private keys and settings of the roles that run here, where other roles need not see them; empty: data_dir",
    )
    ledger_url: str = Field(default="", description="SQLAlchemy address of the ledger; empty: sqlite in data_dir")
    audit_sink: Path | None = Field(
        default=None, description="file of the audit chains' second sink, best on another disk; empty: audit.jsonl in data_dir"
    )


class RegistrySettings(Group):
    """Where agents register."""

    url: SecretStr = Field(default=SecretStr(""), description="redis:// or rediss:// address; empty: an embedded Valkey in data_dir")
    lease_seconds: int = Field(default=15, ge=2, le=300, description="an agent that does not renew for so long is gone")
    renew_seconds: int = Field(default=5, ge=1, le=100, description="how often a lease is renewed")
    key_file: Path | None = Field(
        default=None, description="key that seals what controller and agents ask and answer; on other machines a copy; empty: in data_dir"
    )


class ModelSettings(Group):
    """The language model. A key alone is not consent: `enabled` must be set."""

    enabled: bool = Field(default=False, description="use a model for routing of free text, ranking and explanation")
    base_url: str = Field(default="", description="OpenAI-compatible endpoint; empty: the provider's default")
    name: str = Field(default="", description="model name at that endpoint")
    api_key_file: Path | None = Field(default=None, description="file that holds the key; keys are never read from flags")
    tokens_per_run: int = Field(default=20_000, ge=0, description="input plus output tokens that one run may use")
    calls_per_run: int = Field(default=8, ge=0, description="calls that one run may make")
    seconds_per_call: int = Field(default=30, ge=1, le=300, description="deadline of one call")
    seconds_per_run: int = Field(default=300, ge=1, le=3600, description="time that one run may wait for the model, over all its calls")
    micro_usd_per_run: int = Field(default=200_000, ge=0, description="money that one run may spend, in millionths of a dollar")
    micro_usd_per_1k_tokens: int = Field(default=2_000, ge=0, description="price used to count money")


class ReviewSettings(Group):
    """The model judge: a second opinion on what the rules let pass. It can hold an action for a person, and can open nothing."""

    enabled: bool = Field(default=False, description="ask a model before a permit; from medium risk on its silence leaves it to a person")
    base_url: str = Field(default="", description="OpenAI-compatible endpoint; empty: the provider's default")
    name: str = Field(default="", description="model name at that endpoint, best another than model.name: a model agrees with itself")
    api_key_file: Path | None = Field(default=None, description="file that holds the key; the judge itself never reads it")
    seconds_per_call: int = Field(default=20, ge=1, le=50, description="deadline of one opinion")
    calls_per_hour: int = Field(default=60, ge=0, description="opinions within an hour")
    tokens_per_hour: int = Field(default=100_000, ge=0, description="input plus output tokens within an hour")
    micro_usd_per_hour: int = Field(default=1_000_000, ge=0, description="money within an hour, in millionths of a dollar")
    micro_usd_per_1k_tokens: int = Field(default=2_000, ge=0, description="price used to count money")


class FlowSettings(Group):
    """How runs behave."""

    consult_seconds: int = Field(default=60, ge=1, le=600, description="an agent that has not answered by then is reported as late")
    approval_hours: int = Field(default=24, ge=1, le=720, description="an approval that nobody gives expires; it is never waived")
    execution_minutes: int = Field(default=60, ge=1, le=1440, description="what was approved and is not carried out by then expires")
    denial_hours: int = Field(
        default=1, ge=1, le=168, description="a denial, or silence until an approval expired, holds so long for the same wish"
    )
    cards_per_hour: int = Field(default=20, ge=1, le=1000, description="decisions that are asked of one person within an hour; more wait")
    canary_every: int = Field(
        default=0,
        ge=0,
        le=10_000,
        description="one of so many cards is followed by one that nobody should approve; who does is asked no more. 0: none; 50 is usual",
    )
    writes_per_run: int = Field(default=20, ge=0, le=1000, description="actions that one run may submit")
    poll_seconds: float = Field(default=0.1, gt=0, le=10, description="how often processes look into the ledger")


class PolicySettings(Group):
    """What people want and forbid."""

    objectives: Path | None = Field(default=None, description="file or folder of Objective, Grant and PriceList documents")
    rules: Path | None = Field(default=None, description="folder of further ActionPolicy documents; the built-in packs always apply")


class GateSettings(Group):
    """What holds the gate inside the API server: docs/gate.md."""

    guard: Literal["required", "static", "off"] = Field(
        default="required",
        description="required: the executor writes only under the unaltered guard; static: the guard is in the API server's own files; "
        "off: only our processes and RBAC hold",
    )
    namespaces: str = Field(
        default="", description="namespaces in which agents may write, with commas; empty: everywhere but the protected"
    )
    webhook_listen: str = Field(default="127.0.0.1:9443", description="HOST:PORT on which the webhook answers the API server")
    webhook_url: str = Field(default="", description="https address under which the API server asks it; empty: the Service day2-webhook")
    webhook_ca_file: Path | None = Field(default=None, description="PEM file of the CA that people installed for the webhook")
    webhook_ca_key_file: Path | None = Field(default=None, description="EC key of that CA: the webhook then issues its own certificates")
    webhook_certificate_file: Path | None = Field(default=None, description="the webhook's certificate, where others issue it")
    webhook_key_file: Path | None = Field(default=None, description="key of that certificate")

    @property
    def managed(self) -> tuple[str, ...]:
        return tuple(sorted(filter(None, (name.strip() for name in self.namespaces.split(",")))))

    @property
    def serves(self) -> bool:
        """Whether a webhook can run here: it has a certificate, or the means to make one."""
        return bool(self.webhook_certificate_file or self.webhook_ca_key_file)


class AlertSettings(Group):
    """Who is told of what must not wait: docs/alerts.md. Nothing is sent anywhere unless it is set here."""

    alertmanager: Words = Field(default=(), description="base addresses of Alertmanagers, each of which gets every alert; empty: none")
    alertmanager_ca_file: Path | None = Field(default=None, description="PEM file of the CA behind an https address; empty: the system's")
    alertmanager_token_file: Path | None = Field(default=None, description="file with a bearer token for them; empty: none is sent")
    pages_file: Path | None = Field(
        default=None, description="file of apprise addresses, one a line, for what is grave; such addresses are secrets, so never a flag"
    )
    labels: Words = Field(default=("team=platform",), description="NAME=VALUE labels on every alert, for Alertmanager's routes")
    again_seconds: int = Field(default=60, ge=5, le=3600, description="how often an alert that stands is sent again to Alertmanager")
    hold_minutes: int = Field(
        default=60, ge=1, le=10_080, description="how long what has happened, and does not end by itself, stands as an alert"
    )
    approval_minutes: int = Field(default=60, ge=1, le=10_080, description="an approval that waits longer is an alert")
    audit_minutes: int = Field(default=15, ge=1, le=1440, description="how often the notifier verifies the audit chains")

    @model_validator(mode="after")
    def _usable(self) -> "AlertSettings":
        for label in self.labels:
            if not _LABEL.fullmatch(label):
                raise ValueError(f"{bounded(label, 60)!r} is no NAME=VALUE label")
        for address in self.alertmanager:
            if not _BASE_ADDRESS.fullmatch(address):
                raise ValueError("an Alertmanager's address is http(s)://HOST[:PORT][/PATH], without user and password")
        return self


_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]{0,60}=[^\s=][^=]{0,100}")
_BASE_ADDRESS = re.compile(r"https?://[^\s/@?#]+(/[^\s@?#]*)?")


class TelemetrySettings(Group):
    """Metrics for a Prometheus to scrape, from `day2 serve`: docs/alerts.md. A port that is taken is said in the log and stops nothing."""

    notifier_listen: str = Field(
        default="127.0.0.1:9465",
        pattern=r"^(\S*:[0-9]+)?$",
        description="HOST:PORT of the notifier's metrics, from the ledger; empty: none",
    )
    controller_listen: str = Field(
        default="127.0.0.1:9464",
        pattern=r"^(\S*:[0-9]+)?$",
        description="HOST:PORT of the controller's metrics, agents' leases; empty: none",
    )


class HealingSettings(Group):
    """How sick nodes are healed: docs/nodes.md. Nothing is healed unless somebody asks, or `enabled` says so."""

    enabled: bool = Field(
        default=False, description="begin the healing of a node that is ill without being asked; each action is judged as ever"
    )
    machines: Literal["none", "cluster-api", "webhook"] = Field(
        default="none", description="who tells whether a machine is off, and makes another: nobody, the Cluster API, or an own webhook"
    )
    webhook_url: str = Field(
        default="",
        pattern=r"^(https?://[^\s/@?#]+(/[^\s@?#]*)?)?$",
        description="base address of that webhook, which takes /power and /replace",
    )
    webhook_secret_file: Path | None = Field(default=None, description="file with the secret that signs what the webhook is asked")
    pool_label: str = Field(default="", description="label by which nodes belong to one pool; empty: those of the known providers")
    poll_seconds: float = Field(default=5.0, gt=0, le=60, description="how often a healing looks")
    calm_minutes: int = Field(default=10, ge=1, le=120, description="how long all must stay well before a healing is over")

    @model_validator(mode="after")
    def _signs(self) -> "HealingSettings":
        if self.machines == "webhook" and not (self.webhook_url and self.webhook_secret_file):
            raise ValueError("a webhook of machines needs webhook_url and webhook_secret_file")
        return self


class AssessSettings(Group):
    """Finished runs are assessed: docs/assessing.md. What is found can lower autonomy, and never raise it."""

    enabled: bool = Field(default=True, description="assess each finished run, requirement by requirement, when its actions have ended")
    lowers: bool = Field(default=True, description="an action in which a requirement is violated counts as a miss for autonomy")
    sample_percent: int = Field(default=10, ge=0, le=100, description="so many of a hundred runs are also shown to the model of model.*")
    wait_minutes: int = Field(
        default=60, ge=1, le=10_080, description="a run after which no other one looked is assessed so long after its last action ended"
    )


class OutsideSettings(Group):
    """Tools of others, reached by MCP: docs/mcp.md."""

    file: Path | None = Field(default=None, description="file of MCP servers, and which of their tools which agent may use; empty: none")


class WebSettings(Group):
    """Console and API, in one process of `day2 serve`."""

    listen: str = Field(
        default="127.0.0.1:8080",
        pattern=r"^(\S*:[0-9]+)?$",
        description="HOST:PORT of console and API; empty: neither runs; port 0: a free one",
    )
    public_url: str = Field(
        default="",
        pattern=r"^(https?://[^\s/@?#]+(/[^\s@?#]*)?)?$",
        description="address under which people reach it, for links; empty: that of listen",
    )
    idle_minutes: int = Field(default=60, ge=1, le=1440, description="a session of the console that is not used for so long is over")
    session_hours: int = Field(default=12, ge=1, le=168, description="a session of the console is over after so long, used or not")
    requests_per_minute: int = Field(
        default=600,
        ge=0,
        description="of each caller of the API, the rest is answered with 429; 0: no limit; alerts that come in never count",
    )


class IntakeSettings(Group):
    """Alerts that an Alertmanager hands in: docs/incidents.md."""

    alerts_act: bool = Field(default=False, description="whether proposals of a run that an alert began go before the judge")
    runs_per_hour: int = Field(
        default=12, ge=0, le=1000, description="runs that alerts may begin within an hour, the worst incidents first"
    )
    reopen_minutes: int = Field(default=30, ge=0, le=1440, description="what fires again so soon at a place reopens its incident")
    silence_hours: int = Field(
        default=12,
        ge=1,
        le=8760,
        description="an alert that was not told again for so long is over, and its incident lapsed: more than the sender's repeat_interval",
    )
    keep_days: int = Field(default=30, ge=1, le=3650, description="how long an incident that is over is kept")


class OidcSettings(Group):
    """Who logs people in at the console. Without an issuer, whoever has the token of this machine is its account."""

    issuer: str = Field(default="", pattern=r"^(https?://[^\s@?#]+)?$", description="address of the OpenID provider; empty: none")
    client_id: str = Field(default="", description="our name at the provider")
    client_secret_file: Path | None = Field(default=None, description="file with the client's secret; empty: a public client")
    groups_claim: str = Field(default="groups", description="claim of the ID token that names a person's groups")


class AccessSettings(Group):
    """Who may do what through console, API, chat, MCP and the command line: names, `group:NAME`, or `*` for everybody who is authenticated.

    Without any of them the account that runs day2 has the role `local`, and nobody else is let in.
    """

    viewer: Words = Field(default=(), description="who may look and ask")
    operator: Words = Field(default=(), description="who may also start runs, mute and stop")
    approver: Words = Field(default=(), description="who may also approve, deny and stop; not start runs")
    admin: Words = Field(default=(), description="who may do everything, also resume")
    sender: Words = Field(default=(), description="machines that may hand in alerts, and see nothing")
    local: Literal["viewer", "operator", "approver", "admin", "none"] = Field(
        default="admin", description="role of the account that types day2 here where no list names it: it owns the data folder"
    )


class SchedulesSettings(Group):
    """Autonomous runs and what they report: docs/schedules.md. The schedules themselves are documents of policy.objectives."""

    channels_file: Path | None = Field(
        default=None, description="file of channels for reports, a name and an apprise address on each line; such addresses are secrets"
    )
    digest_to: Words = Field(default=(), description="channels that get the weekly digest; empty: none is sent")
    digest_cron: str = Field(default="0 8 * * 1", max_length=100, description="when the digest of the last seven days is sent")
    digest_zone: str = Field(default="UTC", max_length=60, description="IANA time zone of digest_cron")
    look_seconds: float = Field(default=5.0, ge=0.1, le=60, description="how often is looked for what is due, and for what has ended")


class ChatSettings(Group):
    """What all chats share: docs/chat.md."""

    people: Words = Field(default=(), description="who is who: PRODUCT:USER=PERSON, such as slack:U024BE7LH=oidc:ana; nobody else is known")
    digest_hour: int = Field(default=9, ge=-1, le=23, description="hour at which a day is summed up where something changed; -1: never")
    zone: str = Field(default="UTC", description="time zone of that hour, such as Europe/Berlin")


class SlackSettings(Group):
    """Slack, over HTTP where there is a signing secret, over Socket Mode where there is an app token: docs/chat.md."""

    token_file: Path | None = Field(default=None, description="file with the bot token (xoxb-...); none: no Slack")
    signing_secret_file: Path | None = Field(default=None, description="file with the signing secret, for POST /slack/events")
    app_token_file: Path | None = Field(default=None, description="file with the app token (xapp-...), for Socket Mode")
    channel: str = Field(
        default="", pattern=r"^([CG][A-Z0-9]{2,20})?$", description="id of the channel that cards are posted to by themselves"
    )
    api_url: str = Field(
        default="https://slack.com/api/", pattern=r"^https?://\S+/$", description="address of Slack's Web API; another one is for tests"
    )


class MattermostSettings(Group):
    """Mattermost: a bot that posts, an outgoing webhook or slash command that calls us: docs/chat.md."""

    url: str = Field(default="", pattern=r"^(https?://[^\s/]+(/\S*)?)?$", description="address of the server; empty: no Mattermost")
    token_file: Path | None = Field(default=None, description="file with the bot's access token")
    webhook_token_file: Path | None = Field(default=None, description="file with the token that outgoing webhook and slash command send")
    channel: str = Field(default="", pattern=r"^[a-z0-9]{0,32}$", description="id of the channel that cards are posted to by themselves")


class Settings(Group):
    """The whole. `clock` is `system`, or the address of a simulator whose virtual time counts."""

    kubernetes: KubernetesSettings = KubernetesSettings()
    prometheus: PrometheusSettings = PrometheusSettings()
    store: StoreSettings = StoreSettings()
    registry: RegistrySettings = RegistrySettings()
    model: ModelSettings = ModelSettings()
    review: ReviewSettings = ReviewSettings()
    flow: FlowSettings = FlowSettings()
    policy: PolicySettings = PolicySettings()
    gate: GateSettings = GateSettings()
    alerts: AlertSettings = AlertSettings()
    telemetry: TelemetrySettings = TelemetrySettings()
    healing: HealingSettings = HealingSettings()
    assess: AssessSettings = AssessSettings()
    outside: OutsideSettings = OutsideSettings()
    web: WebSettings = WebSettings()
    schedules: SchedulesSettings = SchedulesSettings()
    access: AccessSettings = AccessSettings()
    chat: ChatSettings = ChatSettings()
    slack: SlackSettings = SlackSettings()
    mattermost: MattermostSettings = MattermostSettings()
    intake: IntakeSettings = IntakeSettings()
    oidc: OidcSettings = OidcSettings()
    clock: str = Field(default="system", description="system, or the http address of a simulator whose virtual time counts")
    profile: str = Field(
        default=NO_PROFILE, description="named group of settings in force, from `profiles` of a settings file; default: none"
    )

    @property
    def data_dir(self) -> Path:
        return self.store.data_dir.expanduser()

    @property
    def private_dir(self) -> Path | None:
        return self.store.private_dir.expanduser() if self.store.private_dir else None

    @property
    def agents_key_file(self) -> Path:
        return self.registry.key_file.expanduser() if self.registry.key_file else self.data_dir / "registry" / "agents.key"

    @property
    def audit_sink(self) -> Path:
        return self.store.audit_sink.expanduser() if self.store.audit_sink else self.data_dir / "audit.jsonl"

    @property
    def ledger_url(self) -> str:
        return self.store.ledger_url or f"sqlite:///{self.data_dir / 'ledger.db'}"

    @property
    def front_url(self) -> str:
        """What the doors keep: beside the ledger, in tables of its own where that is a server."""
        return self.store.ledger_url or f"sqlite:///{self.data_dir / 'front.db'}"


class Source(NamedTuple):
    """Where one value came from."""

    key: str
    value: Any
    source: str


class Loaded(NamedTuple):
    """The settings, and for each key the source that won."""

    settings: Settings
    sources: tuple[Source, ...]


def load(
    flags: Mapping[str, Any] | None = None, *, environment: Mapping[str, str] | None = None, files: tuple[Path, ...] | None = None
) -> Loaded:
    """Read all sources. Keys are dotted (`flow.consult_seconds`). Raises InvalidInput or InvalidDocument with the nearest known key."""
    env = os.environ if environment is None else environment
    read = [_of_file(path) for path in reversed(config_files(env) if files is None else files)]
    given = {key: (value, "flag") for key, value in (flags or {}).items() if value is not None}
    chosen: Chosen = {}
    for file in read:
        chosen |= file.plain
    stronger = _of_environment(env) | given
    name = str((chosen | stronger).get("profile", (NO_PROFILE, ""))[0])
    chosen |= _of_profile(name, read) | stronger
    settings = _build({key: value for key, (value, _) in chosen.items()}, {key: source for key, (_, source) in chosen.items()})
    if settings.kubernetes.kubeconfig is None and env.get("KUBECONFIG"):
        first = Path(env["KUBECONFIG"].split(os.pathsep)[0])
        settings = settings.model_copy(update={"kubernetes": settings.kubernetes.model_copy(update={"kubeconfig": first})})
        chosen["kubernetes.kubeconfig"] = (first, "environment KUBECONFIG")
    rows = (Source(key, value_at(settings, key), chosen[key][1] if key in chosen else "default") for key in known_keys())
    return Loaded(settings, tuple(rows))


Chosen = dict[str, tuple[Any, str]]
"""Dotted key to value and source."""


class _File(NamedTuple):
    """One settings file: what always holds, and its profiles."""

    plain: Chosen
    profiles: Mapping[str, Chosen]


def _of_profile(name: str, weakest_first: Sequence[_File]) -> Chosen:
    """What the files say under this name, the strongest file last. Raises InvalidInput with the nearest name."""
    known = sorted({found for file in weakest_first for found in file.profiles})
    if name == NO_PROFILE:
        return {}
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        there = f"profiles there are: {', '.join(known)}" if known else "none is defined: write `profiles: {NAME: {...}}` into day2.yaml"
        raise InvalidInput(f"no profile {bounded(name, 40)!r}", mend=f"did you mean {near[0]}?" if near else there)
    found: Chosen = {}
    for file in weakest_first:
        found |= file.profiles.get(name, {})
    return found


def config_files(environment: Mapping[str, str]) -> tuple[Path, ...]:
    """Strongest first."""
    home = Path(environment.get("XDG_CONFIG_HOME") or Path("~/.config").expanduser())
    return (Path("day2.yaml"), home / "day2" / "config.yaml", Path("/etc/day2/config.yaml"))


def known_keys() -> tuple[str, ...]:
    return tuple(_keys(Settings, ""))


def described(key: str) -> str:
    """The field's own description. Raises InvalidInput for an unknown key."""
    _known(key)
    model: type[BaseModel] = Settings
    *groups, last = key.split(".")
    for group in groups:
        model = _group(model, group)
    return model.model_fields[last].description or ""


def value_at(settings: Settings, key: str) -> Any:
    value: Any = settings
    for part in key.split("."):
        value = getattr(value, part)
    return value


def screen_size(environment: Mapping[str, str] | None = None) -> int | None:
    """Columns that the environment asks for, if any."""
    text = (os.environ if environment is None else environment).get("COLUMNS", "")
    return int(text) if text.isdecimal() and int(text) > 0 else None


def wants_color(environment: Mapping[str, str] | None = None) -> bool:
    """False where NO_COLOR, DAY2_NO_COLOR or a dumb terminal say so."""
    env = os.environ if environment is None else environment
    return not (env.get("NO_COLOR") or env.get("DAY2_NO_COLOR") or env.get("TERM") == "dumb")


def child_environment() -> dict[str, str]:
    """What our own processes inherit: nothing that holds a secret, names a cluster, or sends what a flow does to a tracing service."""
    kept = {key: value for key, value in os.environ.items() if not _NOT_FOR_CHILDREN.search(key)}
    return kept | {"LANGGRAPH_STRICT_MSGPACK": "true"}


_NOT_FOR_CHILDREN = re.compile(
    rf"^({PREFIX}|LANGSMITH_|LANGCHAIN_|OPENAI_|KUBECONFIG$)|(KEY|KEY_ID|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS)$", re.IGNORECASE
)


def _keys(model: type[BaseModel], prefix: str) -> list[str]:
    found: list[str] = []
    for name, field in model.model_fields.items():
        kind = field.annotation
        nested = isinstance(kind, type) and issubclass(kind, Group)
        found += _keys(kind, f"{prefix}{name}.") if nested and isinstance(kind, type) else [prefix + name]
    return found


def _group(model: type[BaseModel], name: str) -> type[BaseModel]:
    kind = model.model_fields[name].annotation
    assert isinstance(kind, type)  # noqa: S101  known_keys made the name from this very class
    return kind


def _known(key: str) -> None:
    if key not in known_keys():
        near = difflib.get_close_matches(key, known_keys(), n=1)
        raise InvalidInput(f"unknown setting {key!r}", mend=f"did you mean {near[0]}?" if near else "day2 config view lists them all")


def _of_environment(env: Mapping[str, str]) -> dict[str, tuple[Any, str]]:
    names = {PREFIX + key.upper().replace(".", "__"): key for key in known_keys()}
    found = {}
    for name, value in env.items():
        if name.startswith(PREFIX) and name not in _OTHER_VARIABLES:
            if name not in names:
                near = difflib.get_close_matches(name, list(names), n=1)
                raise InvalidInput(
                    f"unknown variable {name}", mend=f"did you mean {near[0]}?" if near else "day2 config view lists all settings"
                )
            found[names[name]] = (value, f"environment {name}")
    return found


_OTHER_VARIABLES = frozenset({"DAY2_NO_COLOR"})


def _of_file(path: Path) -> _File:
    try:
        text = path.expanduser().read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return _File({}, {})
    except OSError as error:
        raise InvalidInput(f"cannot read {path}: {error.strerror}", mend="check its permissions") from error
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise InvalidDocument("no valid YAML", file=str(path), line=mark.line + 1 if mark else 0) from error
    if document is None:
        return _File({}, {})
    if not isinstance(document, dict):
        raise InvalidDocument("settings should be a mapping", file=str(path), line=1)
    lines = _lines(node, "")
    profiles = _profiles(document.pop("profiles", None), path, lines)
    plain = _flat(document, "", path, lines)
    return _File({key: (value, str(path)) for key, value in plain.items()}, profiles)


def _profiles(found: Any, path: Path, lines: Mapping[str, int]) -> dict[str, Chosen]:
    """Each as strict as the file itself, whether it is chosen or not: a mistake must not wait for the day when it is."""
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise InvalidDocument("profiles should be a mapping of names", file=str(path), line=lines.get("profiles", 0))
    profiles: dict[str, Chosen] = {}
    for name, body in found.items():
        place = f"profiles.{name}"
        if not isinstance(body, dict) or str(name) in (NO_PROFILE, DEMO) or "profile" in body:
            said = "should be a mapping of settings, under a name that is not reserved (default, demo), and choose no profile itself"
            raise InvalidDocument(f"profile {bounded(str(name), 40)!r} {said}", file=str(path), line=lines.get(place, 0))
        inner = {key.removeprefix(f"{place}."): line for key, line in lines.items() if key.startswith(f"{place}.")}
        flat = _flat(body, "", path, inner)
        source = f"{path} profile {name}"
        _build(flat, dict.fromkeys(flat, source))
        profiles[str(name)] = {key: (value, source) for key, value in flat.items()}
    return profiles


def _lines(node: Any, prefix: str) -> dict[str, int]:
    found: dict[str, int] = {}
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            found[prefix + str(key.value)] = key.start_mark.line + 1
            found |= _lines(value, f"{prefix}{key.value}.")
    return found


def _flat(document: Mapping[str, Any], prefix: str, path: Path, lines: Mapping[str, int]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in document.items():
        key = f"{prefix}{name}"
        if isinstance(value, Mapping) and any(known.startswith(f"{key}.") for known in known_keys()):
            found |= _flat(value, f"{key}.", path, lines)
            continue
        if key not in known_keys():
            near = difflib.get_close_matches(key, known_keys(), n=1)
            mend = f"did you mean {near[0]}?" if near else "day2 config view lists all settings"
            raise InvalidDocument(f"unknown setting {key!r}", file=str(path), line=lines.get(key, 0), mend=mend)
        found[key] = value
    return found


def _build(values: Mapping[str, Any], sources: Mapping[str, str]) -> Settings:
    tree: dict[str, Any] = {}
    for key, value in values.items():
        _known(key)
        *groups, last = key.split(".")
        branch = tree
        for group in groups:
            branch = branch.setdefault(group, {})
        branch[last] = value
    try:
        return Settings.model_validate(tree)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        raise InvalidInput(f"{key} from {sources.get(key, 'configuration')}: {first['msg']}", mend=f"day2 config explain {key}") from error
