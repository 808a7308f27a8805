"""The doctor's composition root: opens each port for its own check, so that one broken part does not hide the others. Writes nothing."""

import contextlib
import sqlite3
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from core.domain.api_request import Right
from core.domain.errors import BudgetSpent, Day2Error, Unavailable
from core.domain.model import Question, Usage
from core.domain.values import Value, bounded
from gate.executing import preflight
from registry import membership
from runtime import settings as configuration
from runtime.declared import Declared
from runtime.declared import read as read_documents
from runtime.roles import console, everything, modelling, reading
from runtime.roles.reading import Reading
from runtime.services import alerting, diagnosing, guarding, policies
from runtime.services.alerting import Watch
from runtime.services.diagnosing import Line
from runtime.settings import Settings
from tools.alerting import pages
from tools.alerting.alertmanager import Alertmanagers
from tools.kubernetes import config, transport
from tools.kubernetes.reader import HttpReader

REVIEW = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


async def examine(flags: Mapping[str, Any]) -> list[Line]:
    """Every check, in the order in which a person mends things."""
    try:
        loaded = configuration.load(flags)
    except Day2Error as error:
        return [diagnosing.failed("settings", error)]
    sources = sorted({row.source for row in loaded.sources if row.source != "default"})
    settings = loaded.settings
    lines = [Line("settings", "ok", ", ".join(sources) or "defaults")]
    lines += [diagnosing.data_folder(settings.data_dir), *_record(settings)]
    documents, said = _documents(settings)
    lines += said
    lines += await _cluster(settings, documents)
    lines += [*_rules(settings), await _registry(settings), await model_line(settings), _judging_model(settings), _checkpoints(settings)]
    return [*lines, await _guard(settings), await _alerts(settings), await _notifier(settings)]


async def _alerts(settings: Settings) -> Line:
    """Asks each Alertmanager for its status; pages cannot be asked without sending one."""
    wanted = settings.alerts
    channels = [f"Alertmanagers: {len(wanted.alertmanager)}"] if wanted.alertmanager else []
    unreachable: list[str] = []
    try:
        if wanted.alertmanager:
            found = Alertmanagers(wanted.alertmanager, ca_file=wanted.alertmanager_ca_file, token_file=wanted.alertmanager_token_file)
            unreachable = await found.reachable()
            await found.close()
        opened = pages.opened(wanted.pages_file) if wanted.pages_file else []
        channels += [f"pages: {len(opened)}"] if opened else []
        names = [*(["alertmanager"] if wanted.alertmanager else ()), *(page.name for page in opened)]
        with console.record(settings) as kept:
            watch = Watch(alerting.limits(wanted.hold_minutes, wanted.approval_minutes, wanted.labels))
            waiting = alerting.behind(watch, kept.ledger, kept.clock.now(), channels=names)
    except (Day2Error, OSError) as error:
        return Line("alerts", "warn", bounded(str(error), 300), getattr(error, "mend", ""))
    return diagnosing.alerts(channels, unreachable, waiting)


async def _notifier(settings: Settings) -> Line:
    """Asks the API server with the notifier's own credentials what they may."""
    path = settings.kubernetes.notifier_kubeconfig
    if path is None:
        return diagnosing.notifier(configured=False, creates=False, too_much=())
    try:
        async with transport.connect(config.load(path, server=settings.kubernetes.server)) as client:
            reader = HttpReader(client)
            creates = await reader.may(Right(verb="create", group="events.k8s.io", resource="events"), namespace="default")
            too_much = [str(right) for right in (*guarding.writes(), *preflight.NEVER) if await reader.may(right)]
    except Day2Error as error:
        return diagnosing.failed("notifier", error, "warn")
    return diagnosing.notifier(configured=True, creates=creates, too_much=too_much)


async def _guard(settings: Settings) -> Line:
    """As the executor will find it, seen with the agents' identity."""
    wanted = settings.kubernetes
    try:
        expected = everything.expected(settings)
        if expected is None or settings.gate.guard == "static":
            return diagnosing.guard(settings.gate.guard, ())
        found = config.load(wanted.read_kubeconfig or wanted.kubeconfig, wanted.context, server=wanted.server)
        async with transport.connect(found) as client:
            return diagnosing.guard("required", await preflight.altered(HttpReader(client), expected))
    except Day2Error as error:
        return diagnosing.failed("guard", error, "warn")


def _record(settings: Settings) -> list[Line]:
    try:
        with console.record(settings) as kept:
            stops = kept.ledger.stops()
            report = console.audit_report(settings)
            where = "database" if settings.store.ledger_url else str(settings.data_dir / "ledger.db")
            lines = [diagnosing.ledger(kept.kept, report["records"], where), diagnosing.audit_chain(report)]
            path = None if settings.store.ledger_url else settings.data_dir / "ledger.db"
            lines.append(diagnosing.second_sink(path, settings.audit_sink))
            return [*lines, diagnosing.emergency_stop(stops)]
    except Day2Error as error:
        return [diagnosing.failed("ledger", error)]


def _documents(settings: Settings) -> tuple[Declared, list[Line]]:
    try:
        found = read_documents(settings.policy.objectives)
    except Day2Error as error:
        return Declared(), [diagnosing.failed("objectives and grants", error)]
    return found, [diagnosing.declarations(found.objectives, found.grants)]


async def _cluster(settings: Settings, documents: Declared) -> list[Line]:
    try:
        connection = reading.connection_of(settings)
    except Day2Error as error:
        return [diagnosing.failed("kubeconfig", error)]
    identity = f", read as {bounded(connection.as_user, 80)}" if connection.as_user else ""
    lines = [Line("kubeconfig", "ok", f"context {connection.context}, {connection.server}{identity}")]
    try:
        async with transport.connect(connection) as client:
            answer = await transport.read(client, "/version", right="get /version")
            lines.append(Line("API server", "ok", f"answers at {connection.server}"))
            lines.append(diagnosing.server_version(answer.json()))
            if settings.clock == "system":
                lines.append(diagnosing.clock_skew(datetime.now(UTC), _date(answer.headers.get("Date"))))
            lines += await _rights(client)
            groups = await transport.read(client, "/apis", right="get /apis")
            names = [str(item.get("name")) for item in groups.json().get("groups") or ()]
        async with reading.opened(settings.model_copy(update={"policy": configuration.PolicySettings()})) as view:
            return [*lines, *await _contents(settings, documents, view, names)]
    except Day2Error as error:
        return [*lines, diagnosing.failed("API server", error)]


async def _rights(client: Any) -> list[Line]:
    async def allowed(right: Right) -> bool:
        attributes = {"verb": right.verb, "group": right.group, "resource": right.resource, "subresource": right.subresource}
        body = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": {"resourceAttributes": attributes}}
        answer = await client.post(REVIEW, json=body)
        transport.raise_for(answer, right="create authorization.k8s.io/selfsubjectaccessreviews")
        return bool((answer.json().get("status") or {}).get("allowed"))

    try:
        return [*await diagnosing.read_rights(allowed, transport.grant_line), await diagnosing.no_direct_write(allowed)]
    except Day2Error as error:
        return [diagnosing.failed("read rights", error)]


async def _contents(settings: Settings, documents: Declared, view: Reading, groups: list[str]) -> list[Line]:
    now = view.clock.now()
    snapshot = await view.reader.snapshot(("Namespace", "HorizontalPodAutoscaler", "PodDisruptionBudget", "Deployment"))
    lines = [Line("cluster", "ok", f"uid {snapshot.cluster}, {len(snapshot.of('Namespace'))} namespaces")]
    lines += diagnosing.parts_of_the_cluster(groups, len(snapshot.of("HorizontalPodAutoscaler")), len(snapshot.of("PodDisruptionBudget")))
    busiest = [item.metadata.namespace for item in snapshot.of("Deployment")]
    namespace = max(sorted(set(busiest)), key=busiest.count, default="default")
    lines += await diagnosing.metrics(view.metrics, settings.prometheus.url, namespace, now)
    return [*lines, diagnosing.prices(documents.prices, now)]


def _rules(settings: Settings) -> list[Line]:
    try:
        found = policies.in_force(settings.policy.rules)
        with console.record(settings) as kept:
            running = policies.judging(kept.ledger)
        return [diagnosing.rules(found), diagnosing.rules_of_the_judge(found.digest, running)]
    except Day2Error as error:
        return [diagnosing.failed("rules", error)]


async def _registry(settings: Settings) -> Line:
    url = console.registry_url(settings)
    if not url:
        return diagnosing.registry(None, "")
    try:
        async with membership.opened(url) as registry:
            return diagnosing.registry(await registry.ping(), "configured" if settings.registry.url.get_secret_value() else "embedded")
    except Day2Error as error:
        return diagnosing.failed("registry", error)


class Probe(Value):
    """The smallest structured answer."""

    fine: bool


def _judging_model(settings: Settings) -> Line:
    review, model = settings.review, settings.model
    same = modelling.usable(settings) and (review.base_url, review.name) == (model.base_url, model.name)
    return diagnosing.second_opinion(review.name if review.enabled else "", as_the_proposer=same)


async def model_line(settings: Settings) -> Line:
    """One small question in the form that runs ask in, only where a model was switched on."""
    wanted = settings.model
    if not modelling.usable(settings):
        return diagnosing.no_model("the demo asks none" if wanted.enabled else "model.enabled is not set")
    try:
        used = await _probed(settings)
    except Day2Error as error:
        return diagnosing.failed("model", error)
    endpoint = f"{wanted.name} at {wanted.base_url or 'the provider'}"
    return diagnosing.model(endpoint, used, price_micro_usd=wanted.micro_usd_per_1k_tokens)


async def _probed(settings: Settings) -> Usage:
    """What one answer cost. Raises Day2Error."""
    one = modelling.budget(settings).model_copy(update={"seconds": settings.model.seconds_per_call})
    async with modelling.opened_within(settings, one) as model:
        if model is None:
            raise BudgetSpent("a run may use 0 tokens", mend="raise model.tokens_per_run, or unset model.enabled")
        await model.ask(Question("doctor", "Answer that all is fine."), Probe)
        return model.usage


def _checkpoints(settings: Settings) -> Line:
    path = settings.data_dir / "checkpoints.db"
    if not path.exists():
        return Line("checkpoints", "skip", "none yet: day2 serve makes them")
    try:
        return _checked(path)
    except sqlite3.Error as error:
        return diagnosing.failed(
            "checkpoints",
            Unavailable("the checkpoint store", reason=str(error), mend=f"runs that are open start again: mv {path} {path}.bad"),
        )


def _checked(path: Path) -> Line:
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        said = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    return (
        Line("checkpoints", "ok", f"{path}")
        if said == "ok"
        else Line("checkpoints", "fail", f"{path}: {said}"[:200], f"runs that are open start again: mv {path} {path}.bad")
    )


def _date(text: str | None) -> datetime | None:
    try:
        return parsedate_to_datetime(text).astimezone(UTC) if text else None
    except (TypeError, ValueError):
        return None
