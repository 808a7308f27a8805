"""Opening the doors' database: made where there is none, refused where it is another program's or of a newer form."""

import os

import sqlalchemy as sa

from core.domain.errors import Corrupt
from tools.stores.front import (  # noqa: F401  each subject puts its tables on the metadata
    answers,
    chats,
    incidents,
    intake,
    schedules,
    sessions,
    tables,
    tokens,
    webhooks,
)
from tools.stores.opening import APPLICATION_ID, Database


def opened(url: str) -> Database:
    """Raises Corrupt for what is not ours, Unavailable where it cannot be reached. A new sqlite file has mode 0600."""
    database = Database(url)
    path = database.path
    if path is not None and not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
    with database.writing() as connection:  # several processes may open it at once; the first that writes makes it ours
        if path is not None and not connection.exec_driver_sql("SELECT count(*) FROM sqlite_master").scalar():
            connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")
        tables.metadata.create_all(connection)
        form = connection.execute(sa.select(tables.about.c.form)).scalar()
        if form is None:
            connection.execute(tables.about.insert().values(id=1, form=tables.FORM))
        elif form > tables.FORM:
            raise Corrupt(f"the doors' database has form {form}, this version knows {tables.FORM}", mend="use the version that wrote it")
    database.adopt()
    return database
