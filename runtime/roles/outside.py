"""Joins the MCP servers of the settings' file to what agents were granted of them."""

from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from core.domain.clock import Clock
from core.domain.errors import InvalidDocument, InvalidInput
from core.domain.outside import OutsideGrant, OutsideTool
from core.domain.values import bounded
from graph.context import Consulting
from runtime.outside import Informed, unusable
from runtime.settings import Settings, child_environment
from tools.outside.servers import McpServers, Server


class OutsideFile(BaseModel):
    """`outside.file`: servers by name, and which tool of them which agent may use."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    servers: dict[str, Server] = {}
    tools: tuple[OutsideGrant, ...] = ()


def read(path: Path) -> OutsideFile:
    """Raises InvalidDocument with the field that is wrong, InvalidInput where it cannot be read."""
    try:
        found = yaml.safe_load(path.expanduser().read_text(encoding="utf-8")) or {}
        return OutsideFile.model_validate(_tuples(found), strict=False)
    except OSError as error:
        raise InvalidInput(f"cannot read {path}: {error.strerror}", mend="set outside.file to the file of servers and tools") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InvalidDocument("it is no YAML", file=str(path), mend="docs/mcp.md has one") from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise InvalidDocument(bounded(f"{place}: {first['msg']}", 200), file=str(path), mend="docs/mcp.md has one") from error


def _tuples(found: object) -> object:
    """Lists of a file as the strict values have them."""
    if isinstance(found, list):
        return tuple(_tuples(item) for item in found)
    if isinstance(found, dict):
        return {str(key): _tuples(item) for key, item in found.items()}
    return found


def informed(settings: Settings, asking: Consulting, clock: Clock) -> Consulting:
    """`asking` as it is where no outside tool is granted."""
    if settings.outside.file is None:
        return asking
    known = read(settings.outside.file)
    return Informed(asking, McpServers(known.servers, child_environment()), known.tools, clock) if known.tools else asking


async def offered(settings: Settings) -> list[tuple[str, OutsideTool | None, str]]:
    """Every tool of every configured server: name, what it is, and to whom it is granted or why not. Behind `day2 mcp tools`."""
    if settings.outside.file is None:
        return []
    known, rows = read(settings.outside.file), list[tuple[str, OutsideTool | None, str]]()
    servers = McpServers(known.servers, child_environment())
    for name in sorted(known.servers):
        tools = await servers.tools(name)
        for tool in tools:
            grants = [grant for grant in known.tools if (grant.server, grant.tool) == (name, tool.name)]
            said = [f"{grant.agent}: {unusable(grant, tools) or 'granted'}" for grant in grants]
            rows.append((f"{name}/{tool.name}", tool, "; ".join(said) or "not granted"))
        missing = [grant for grant in known.tools if grant.server == name and grant.tool not in {tool.name for tool in tools}]
        rows += [(grant.name, None, f"{grant.agent}: {unusable(grant, tools)}") for grant in missing]
    return rows
