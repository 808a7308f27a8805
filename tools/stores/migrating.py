"""Bring a ledger to the newest form. Called once by the process that starts the others; judge and executor only check."""

import os
from pathlib import Path

from alembic import command
from alembic.config import Config

from core.domain.errors import Corrupt
from tools.stores.opening import APPLICATION_ID, Database, explained


def migrate(url: str, sink: Path | None = None) -> None:
    """Create or upgrade. A new sqlite file has mode 0600. Raises Corrupt for a file that is there and is not ours; it is left as it is.

    `sink` is the second sink, `audit.jsonl` beside the file where it is not said: while it has records no ledger is begun anew.
    """
    database = Database(url)
    try:
        fresh = _prepare(database, sink)
        config = Config()
        config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
        with database.writing() as connection:
            if fresh:
                connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    finally:
        database.close()


def _prepare(database: Database, sink: Path | None) -> bool:
    """True for a sqlite file that was made just now. A path where something stands already is adopted, or refused."""
    path = database.path
    if path is None:
        return False
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    sink = sink or path.with_name("audit.jsonl")
    if path.exists():
        database.adopt()
        return False
    if sink.exists() and sink.stat().st_size:
        raise Corrupt(
            f"{path} is gone, but {sink} has records of it", mend=f"restore {path} from the last backup, or move {sink} aside to begin anew"
        )
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except OSError as error:
        raise explained(error, path) from error
    return True
