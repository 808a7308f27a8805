"""What a client may read by its address: the documents of single things, and the lists that give their ids."""

import json
from typing import Any

from fastmcp import FastMCP
from fastmcp.exceptions import ResourceError

from core.domain.errors import Day2Error
from interfaces.mcp import paging
from interfaces.mcp.tools import CallerOf, explained
from interfaces.rendering.offered import DOCUMENTS
from runtime.services.offering import Offers

JSON = "application/json"
LISTS = {
    "day2://approvals": "approvals.list",
    "day2://runs": "runs.list",
    "day2://actions": "actions.list",
    "day2://findings": "findings.list",
    "day2://agents": "agents.list",
    "day2://objectives": "objectives.list",
    "day2://rules": "policies.list",
    "day2://audit": "audit.list",
    "day2://topology": "topology.get",
    "day2://costs": "costs.list",
}


def add(server: FastMCP, offers: Offers, caller: CallerOf) -> None:
    async def read(name: str, arguments: dict[str, Any]) -> str:
        try:
            found = await offers.call(await caller(), name, arguments)
            return json.dumps(paging.page(DOCUMENTS[name](found, offers.ports)), ensure_ascii=False)
        except Day2Error as error:
            raise ResourceError(explained(error)) from error

    for uri, name in LISTS.items():
        server.resource(uri, name=name, description=offers.named(name).says, mime_type=JSON)(_whole(read, name))

    @server.resource("day2://runs/{run}", name="runs.get", description=offers.named("runs.get").says, mime_type=JSON)
    async def one_run(run: str) -> str:
        return await read("runs.get", {"run": run})

    @server.resource("day2://actions/{action}", name="actions.get", description=offers.named("actions.get").says, mime_type=JSON)
    async def one_action(action: str) -> str:
        return await read("actions.get", {"action": action})

    @server.resource("day2://rules/{rule}", name="policies.get", description=offers.named("policies.get").says, mime_type=JSON)
    async def one_rule(rule: str) -> str:
        return await read("policies.get", {"rule": rule})

    @server.resource("day2://audit/{role}/{seq}", name="audit.get", description=offers.named("audit.get").says, mime_type=JSON)
    async def one_record(role: str, seq: str) -> str:
        return await read("audit.get", {"record": f"{role}/{seq}"})


def _whole(read: Any, name: str) -> Any:
    async def resource() -> str:
        return str(await read(name, {}))

    return resource
