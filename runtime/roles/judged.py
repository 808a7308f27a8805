"""The judge over a cluster that is mounted in this process, and the write that it judges. Used by `evals.judging`.

Facts, rules and dry runs are the judge's own, under the generated RBAC. There is no key: nothing here can be permitted.
"""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, cast

from core.actions.roles import EXECUTOR, JUDGE, NAMESPACE, manifests
from core.cluster.kinds import KINDS
from core.domain.action import Action, Live
from core.domain.clock import Clock
from core.domain.errors import Conflict, NotAuthorised, Refused
from core.domain.proposal import Proposal
from core.domain.values import Json
from core.domain.verdict import Verdict
from core.policy.engine import builtin
from gate.judging.sources import Bench
from runtime.declared import Declared
from runtime.ids import SeededIds
from runtime.roles.planning import previewed
from tools.kubernetes import mounted
from tools.kubernetes.installing import install
from tools.kubernetes.mounted import Application
from tools.kubernetes.reader import HttpReader
from tools.kubernetes.writer import ImpersonatingWriter, PreviewWriter
from tools.metrics.mounted import MountedMetrics
from tools.stores.memory import MemoryLedger

ADMIN = "admin"
ACCOUNTS = {JUDGE: f"system:serviceaccount:{NAMESPACE}:{JUDGE}", EXECUTOR: f"system:serviceaccount:{NAMESPACE}:{EXECUTOR}"}
"""Service accounts by the token that the application must know them by; `ADMIN` is the token of who installs the RBAC."""


@dataclass(frozen=True)
class Court:
    """An open judge, and the executor's way to the cluster."""

    bench: Bench
    writer: ImpersonatingWriter

    async def judge(self, proposal: Proposal) -> Verdict:
        """What the judge says now, without anybody's approval."""
        return await previewed(self.bench, proposal)

    async def apply(self, action: Action, agent: str) -> str:
        """Send the action's write as its agent, whatever a judge would say. Why it was refused; empty where it was stored."""
        try:
            live = Live(await self._get(action, ""), {item.name: await self._get(action, item.name) for item in action.related()})
            await self.writer.send(action.request(live), agent=agent, permit="an evaluation")
        except (Conflict, Refused, NotAuthorised) as error:
            return str(error) or type(error).__name__
        return ""

    async def _get(self, action: Action, related: str) -> Json:
        target = next((item for item in action.related() if item.name == related), action.target)
        found = await self.bench.reader.get(KINDS[target.kind], target.namespace, target.name)
        if found is None:
            raise Refused((f"{target.qualified} is not there",))
        return found


@contextlib.asynccontextmanager
async def opened(application: Application, clock: Clock, declared: Declared, *, installs: bool) -> AsyncIterator[Court]:
    """`installs` the RBAC of the grants first; a fork of a cluster has it already. The application is the caller's, and so is its time."""
    async with contextlib.AsyncExitStack() as stack:
        admin, judge, executor = [await stack.enter_async_context(mounted.connect(application, name)) for name in (ADMIN, JUDGE, EXECUTOR)]
        metrics = await stack.enter_async_context(mounted.connect(application, ADMIN, "/prometheus"))
        if installs:
            await install(admin, manifests({grant.agent: grant.capabilities for grant in declared.grants}))
        bench = Bench(
            ledger=MemoryLedger(),
            reader=HttpReader(judge),
            previewer=PreviewWriter(judge),
            metrics=MountedMetrics(metrics),
            clock=clock,
            key=cast("Any", None),  # it signs nothing
            doors={},
            rules=builtin(),
            ids=SeededIds(0),
            objectives=declared.objectives,
            grants=declared.grants,
            prices=declared.prices,
        )
        yield Court(bench, ImpersonatingWriter(executor))
