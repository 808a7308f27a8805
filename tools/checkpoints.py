"""LangGraph's checkpoint store: sqlite on one machine.

Strict msgpack: a type that no graph declares is refused, not built (CVE-2026-28277).

The store is never asked for permission: whoever can write it could forge a state, so the gate reads the ledger only.
"""

import contextlib
import os
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

from core.domain.errors import Corrupt


@contextlib.asynccontextmanager
async def opened(path: Path) -> AsyncIterator[AsyncSqliteSaver]:
    """A saver on `path` (0600). Raises Corrupt with the mend for a file that is no sqlite database."""
    if not path.exists():
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
    async with contextlib.AsyncExitStack() as stack:
        try:
            saver = await stack.enter_async_context(AsyncSqliteSaver.from_conn_string(str(path)))
            saver.serde = JsonPlusSerializer(pickle_fallback=False, allowed_msgpack_modules=[])
            await saver.setup()
        except sqlite3.DatabaseError as error:
            mend = f"move it away and start again; actions are safe in the ledger: mv {path} {path}.damaged"
            raise Corrupt(f"{path} is damaged: {error}", mend=mend) from error
        yield saver
