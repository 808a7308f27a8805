"""What works here and what does not: one line per check, with its cause and the command that mends it. Behind `day2 doctor`.

Every check is a function of what it is given and changes nothing. A check that fails to look is a line too, never a crash.
"""

import shutil
import stat
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal, NamedTuple

from core.actions.catalogue import rights
from core.cluster.observed import OBSERVED
from core.cluster.queries import Query, Shape
from core.cluster.reading import Metrics
from core.domain.api_request import Right
from core.domain.errors import Day2Error
from core.domain.ledger import StopRow
from core.domain.model import Usage
from core.domain.money import MICRO, PriceList
from core.domain.objective import Objectives
from core.domain.values import bounded
from core.policy import testing
from core.policy.declarations import Grant
from core.policy.engine import Engine
from runtime.services import auditing
from runtime.services.policies import Judging

State = Literal["ok", "warn", "fail", "skip"]
Json = dict[str, Any]
Allowed = Callable[[Right], Awaitable[bool]]

LEAST_FREE = 200 * 1024 * 1024
OLDEST_PRICES = timedelta(days=90)
OLDEST_SAMPLES = timedelta(hours=1)
OLDEST_SERVER, NEWEST_SERVER = 30, 37
MOST_SKEW = timedelta(seconds=5)
HISTORY_DAYS = 7
GITOPS = {"argoproj.io": "Argo CD", "kustomize.toolkit.fluxcd.io": "Flux", "helm.toolkit.fluxcd.io": "Flux Helm"}
SCALERS = {"autoscaling.k8s.io": "VPA", "keda.sh": "KEDA"}

BY_WORDS = ("ask", "route", "chat", "serve")
"""Commands that a model adds to: without one, words alone choose the agents, and nothing is explained in sentences."""
WITHOUT_MODEL = (
    "demo", "doctor", "scan", "explain", "plan", "apply", "action", "approve", "deny", "approvals", "run", "stop", "resume", "agent",
    "policy", "audit", "config", "schema", "version", "help", "rbac", "gate", "sim", "eval", "alerts", "autonomy", "mute", "snapshot",
    "nodes", "network", "vulnerabilities", "chaos", "mcp", "init", "incident", "report", "schedule", "token",
    "whoami",
)  # fmt: skip


class Line(NamedTuple):
    """One check. `fix` is a command or one sentence, and empty where nothing is to mend."""

    check: str
    state: State
    cause: str
    fix: str = ""


def failed(check: str, error: Day2Error, state: State = "fail") -> Line:
    return Line(check, state, bounded(str(error), 300), error.mend)


def data_folder(folder: Path) -> Line:
    """Its mode, and the room beside it."""
    if not folder.exists():
        return Line("data folder", "skip", f"{folder} is made by the first command that writes")
    mode = stat.S_IMODE(folder.stat().st_mode)
    if mode & 0o077:
        return Line("data folder", "fail", f"{folder} has mode {mode:04o}: others may read keys and the ledger", f"chmod 700 {folder}")
    free = shutil.disk_usage(folder).free
    if free < LEAST_FREE:
        return Line(
            "data folder", "fail", f"{free >> 20} MiB are free beside {folder}", "free some space; nothing that was accepted is lost"
        )
    return Line("data folder", "ok", f"{folder}, mode 0700, {free >> 30} GiB free")


def ledger(kept: bool, records: int, place: str) -> Line:
    if not kept:
        return Line("ledger", "skip", "none yet: day2 apply or day2 serve makes it")
    return Line("ledger", "ok", f"{place}, {records} audit records")


def audit_chain(report: Json) -> Line:
    if not report["records"]:
        return Line("audit chain", "skip", "no record yet")
    if not report["whole"]:
        return Line(
            "audit chain", "fail", bounded("; ".join(report["problems"]), 300), "stop day2, keep the data folder aside: day2 audit verify"
        )
    chains = auditing.counted(len(report["chains"]))
    return Line("audit chain", "ok", f"{chains} ok: {report['records']} records, head {report['head'][:16]}")


def second_sink(ledger_path: Path | None, sink: Path) -> Line:
    """`ledger_path` is None where the ledger is a database elsewhere."""
    if ledger_path is not None and not ledger_path.exists():
        return Line("second sink", "skip", "no record yet")
    if not sink.exists():
        fix = f"mkdir -p {sink.parent}, writable for judge and executor" if not sink.parent.is_dir() else "day2 serve writes it"
        return Line("second sink", "warn", f"{sink} is not there: the audit chains are kept once", fix)
    if ledger_path is not None and ledger_path.stat().st_dev == sink.stat().st_dev:
        return Line(
            "second sink",
            "warn",
            "the ledger and its second sink are on one disk: who owns it can rewrite both, and its loss takes both",
            "day2 config set store.audit_sink /another/disk/audit.jsonl",
        )
    return Line("second sink", "ok", f"{sink}, on another disk than the ledger")


def emergency_stop(rows: Sequence[StopRow]) -> Line:
    if not rows:
        return Line("emergency stop", "ok", "armed, not pulled")
    said = "; ".join(f"{row.scope} by {row.by}: {row.reason}" for row in rows)
    return Line("emergency stop", "warn", f"on: {bounded(said, 250)}", f'day2 resume --scope {rows[0].scope} --reason "..."')


def alerts(channels: Sequence[str], unreachable: Sequence[str], waiting: int) -> Line:
    """`channels` are what is configured, in words; `waiting` is what the notifier has not told yet. Nothing in here stops a write."""
    if not channels:
        return Line("alerts", "skip", "no Alertmanager and no page is configured: docs/alerts.md")
    if unreachable:
        fix = "look at alerts.alertmanager; what stands is told as soon as it answers"
        return Line("alerts", "warn", bounded("; ".join(unreachable), 250), fix)
    if waiting:
        return Line("alerts", "warn", f"{waiting} not told yet", "day2 serve runs the notifier; its log is in the data folder")
    return Line("alerts", "ok", f"{' and '.join(channels)}; all is told")


def notifier(configured: bool, creates: bool, too_much: Sequence[str]) -> Line:
    """The identity that creates Events should be able to do nothing else."""
    if not configured:
        return Line("notifier", "skip", "no identity for Events: kubernetes.notifier_kubeconfig is not set, so none are written")
    if too_much:
        said = bounded(f"it may also {', '.join(too_much)}", 250)
        return Line("notifier", "warn", said, "give it a token of the ServiceAccount notifier: day2 rbac generate")
    if not creates:
        return Line("notifier", "warn", "it may not create events.k8s.io/events", "day2 rbac generate | kubectl apply -f -")
    return Line("notifier", "ok", "creates Events, and holds no other write right of the catalogue")


def server_version(version: Json) -> Line:
    """Tested on 1.37; the gate is designed for 1.30 and later."""
    text = f"{version.get('major', '?')}.{version.get('minor', '?')}"
    minor = "".join(character for character in str(version.get("minor", "")) if character.isdigit())
    if str(version.get("major")) != "1" or not minor:
        return Line("version", "warn", f"the server says {bounded(text, 40)}", "day2ops is tested on Kubernetes 1.37")
    if int(minor) < OLDEST_SERVER:
        return Line(
            "version", "fail", f"Kubernetes {text} is older than 1.{OLDEST_SERVER}", "upgrade the cluster, or use day2 read-only: day2 scan"
        )
    if int(minor) > NEWEST_SERVER:
        return Line("version", "warn", f"Kubernetes {text} is newer than 1.{NEWEST_SERVER}, on which day2ops was tested")
    return Line("version", "ok", f"Kubernetes {bounded(str(version.get('gitVersion') or text), 60)}")


def clock_skew(ours: datetime, theirs: datetime | None) -> Line:
    if theirs is None:
        return Line("clock", "skip", "the server did not say its time")
    skew = abs(ours - theirs)
    if skew > MOST_SKEW:
        return Line(
            "clock",
            "fail",
            f"this clock and the server's differ by {skew.total_seconds():.0f} s: permits live 120 s",
            "synchronise this clock: timedatectl set-ntp true",
        )
    return Line("clock", "ok", f"within {MOST_SKEW.total_seconds():.0f} s of the server's")


async def read_rights(allowed: Allowed, grant: Callable[[str], str]) -> list[Line]:
    """One line when all is readable; otherwise one for each missing right with the rule that grants it."""
    wanted = [Right(verb="list", group=kind.group, resource=kind.resource) for kind in OBSERVED.values()]
    wanted.append(Right(verb="get", resource="pods", subresource="log"))
    missing = [right for right in wanted if not await allowed(right)]
    if not missing:
        return [Line("read rights", "ok", f"all {len(wanted)} that checks need")]
    return [
        Line(f"right to {right}", "warn", f"not granted: checks that need {right.resource} do not run", grant(str(right)))
        for right in missing
    ]


async def no_direct_write(allowed: Allowed) -> Line:
    """The identity that agents read with should be unable to write: the gate is then the only way."""
    writes = [right for right in rights() if right.verb not in ("get", "list", "watch")]
    open_doors = [str(right) for right in writes if await allowed(right)]
    if not open_doors:
        return Line("no direct write", "ok", f"the agents' identity holds none of the {len(writes)} write rights of the catalogue")
    return Line(
        "no direct write",
        "warn",
        bounded(f"the agents' identity may itself {', '.join(open_doors)}", 250),
        "give agents an identity that only reads: set kubernetes.read_kubeconfig",
    )


def guard(mode: str, problems: Sequence[str]) -> Line:
    """What holds the gate inside the API server. A missing guard breaks nothing that reads; the executor refuses to write."""
    if mode == "off":
        said = "switched off: our processes and RBAC hold the gate, the API server does not"
        return Line("guard", "warn", said, "docs/gate.md; then: day2 config set gate.guard required")
    if mode == "static":
        return Line("guard", "ok", "in the API server's own files, which cannot be seen; the executor tries the lock before each write")
    if problems:
        said = "; ".join(problems[:4]) + (f"; and {len(problems) - 4} more" if len(problems) > 4 else "")
        mend = "day2 rbac generate | kubectl apply -f -; day2 gate manifests | kubectl apply -f -"
        return Line("guard", "warn", bounded(f"nothing is written, because {said}", 300), mend)
    return Line("guard", "ok", "policies, webhook and roles are as this version generates them")


def parts_of_the_cluster(groups: Iterable[str], autoscalers: int, budgets: int) -> list[Line]:
    names = set(groups)
    scalers = [name for group, name in SCALERS.items() if group in names]
    owners = sorted({name for group, name in GITOPS.items() if group in names})
    live = "metrics.k8s.io" in names
    return [
        Line("metrics API", "ok", "metrics.k8s.io is served: the judge's second source of usage")
        if live
        else Line("metrics API", "warn", "metrics.k8s.io is not served: memory is judged from one source", "install metrics-server"),
        Line("autoscalers", "ok", f"{autoscalers} HPA{''.join(f', {name}' for name in scalers)}"),
        Line("disruption budgets", "ok", f"{budgets}")
        if budgets
        else Line("disruption budgets", "warn", "none: nothing limits how many pods go at once", "create PodDisruptionBudgets"),
        Line("GitOps", "ok", f"{', '.join(owners)}: what it owns is not written directly")
        if owners
        else Line("GitOps", "skip", "no controller found"),
    ]


async def metrics(source: Metrics | None, url: str, namespace: str, now: datetime) -> list[Line]:
    """Reach, the series that checks need, and how far back they go."""
    if source is None:
        return [
            Line(
                "metrics",
                "warn",
                "no source: checks of cost and scaling do not run",
                "day2 config set prometheus.url http://prometheus:9090",
            )
        ]
    try:
        up = await source.instant(Query(Shape.TARGETS_UP), now)
        found = [Line("metrics", "ok", f"{url} answers, {int(up[0].value) if up else 0} targets up")]
        for shape, series in (
            (Shape.CPU_RATE, "container_cpu_usage_seconds_total"),
            (Shape.MEMORY_NOW, "container_memory_working_set_bytes"),
        ):
            rows = await source.instant(Query(shape, namespace), now)
            found.append(
                Line(f"series {series}", "ok", f"{len(rows)} in namespace {namespace}")
                if rows
                else Line(
                    f"series {series}",
                    "warn",
                    f"none in namespace {namespace}: the checks that need it do not run",
                    "let Prometheus scrape the kubelets' cAdvisor",
                )
            )
        return [*found, await _history(source, namespace, now)]
    except Day2Error as error:
        return [failed("metrics", error)]


async def _history(source: Metrics, namespace: str, now: datetime) -> Line:
    past = await source.range(Query(Shape.CPU_RATE, namespace), now - timedelta(days=14), now, 6 * 3600)
    times = [at for series in past for at in series.times]
    days = round((now.timestamp() - min(times)) / 86_400) if times else 0
    if times and now.timestamp() - max(times) > OLDEST_SAMPLES.total_seconds():
        return Line(
            "metrics history",
            "warn",
            "the newest samples are hours old: sizes are not judged by stale usage",
            "look at Prometheus' targets",
        )
    if days < HISTORY_DAYS:
        return Line("metrics history", "warn", f"{days} days; sizing wants {HISTORY_DAYS}", "keep more: --storage.tsdb.retention.time=15d")
    return Line("metrics history", "ok", f"{days} days")


def prices(found: PriceList | None, now: datetime) -> Line:
    if found is None:
        return Line(
            "prices", "warn", "no PriceList: savings are not priced", "add a PriceList document: day2 config explain policy.objectives"
        )
    age = now - found.source.at
    if age > OLDEST_PRICES:
        return Line("prices", "warn", f"{found.source.name} is {age.days} days old", "refresh the PriceList document")
    return Line("prices", "ok", f"{found.source.name}, {len(found.instances)} machine types, {max(0, age.days)} days old")


def declarations(objectives: Objectives, grants: Sequence[Grant]) -> Line:
    if not objectives.items or not grants:
        what = "no Objective" if not objectives.items else "no Grant"
        return Line(
            "objectives and grants",
            "warn",
            f"{what}: agents look and propose, and the judge allows nothing",
            "day2 config explain policy.objectives",
        )
    return Line(
        "objectives and grants",
        "ok",
        f"objectives: {len(objectives.items)}; grants for {', '.join(sorted({grant.agent for grant in grants}))}",
    )


def rules(engine: Engine) -> Line:
    """The rules in force compile; here their own tests run."""
    report = testing.run(rule.policy for rule in engine.rules)
    if report.failed:
        first = report.failed[0]
        return Line("rules", "fail", f"{len(report.failed)} tests fail, first {first.rule}: {first.test}", "day2 policy test")
    return Line("rules", "ok", f"{len(engine.rules)} rules, {len(report.results)} tests pass; digest {engine.digest[:12]}")


def rules_of_the_judge(on_disk: str, running: Judging | None) -> Line:
    """Whether the judge runs what the folder says; `on_disk` is the digest of that."""
    name = "judge's rules"
    if running is None:
        return Line(name, "skip", "no judge has spoken here yet")
    if running.digest == on_disk:
        return Line(name, "ok", f"those on disk: digest {on_disk[:12]}")
    why = f"it refused the newest change: {running.refused}" if running.refused else f"as of {running.at:%Y-%m-%d %H:%M} UTC"
    return Line(name, "warn", f"digest {running.digest[:12]}, others than on disk; {why}", "day2 policy lint; day2 policy list")


def registry(answer: Json | None, where: str) -> Line:
    if answer is None:
        return Line("registry", "skip", "not running here; agents work inside each command: day2 serve starts one")
    version = answer.get("valkey_version") or answer.get("redis_version")
    keeps = "appends to disk" if answer.get("aof_enabled") else "keeps nothing over a restart"
    return Line("registry", "ok", f"{where}: {version}, {keeps}")


def no_model(why: str) -> Line:
    whole, words = ", ".join(WITHOUT_MODEL), ", ".join(BY_WORDS)
    said = f"{why}: these {len(WITHOUT_MODEL)} commands work in full: {whole}; these {len(BY_WORDS)} go by words: {words}"
    return Line("model", "skip", said)


def model(endpoint: str, used: Usage, *, price_micro_usd: int) -> Line:
    """`price_micro_usd` is that of 1,000 tokens, as the settings have it."""
    cost, price = (f"${micro / MICRO:.4f}" for micro in (used.micro_usd, price_micro_usd))
    return Line("model", "ok", f"{endpoint}: structured output in {used.seconds:.1f} s, {used.tokens} tokens, {cost} at {price}/1k")


def second_opinion(name: str, *, as_the_proposer: bool) -> Line:
    """`name` is the model judge's model, empty where none is asked."""
    if not name:
        return Line("model judge", "skip", "review.enabled is not set: rules and people decide")
    if as_the_proposer:
        return Line("model judge", "warn", f"{name} also proposes, and a model agrees with itself", "set review.name to another model")
    return Line("model judge", "ok", f"{name}; its record: day2 policy agreement")
