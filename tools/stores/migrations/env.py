"""Run by Alembic inside `tools.stores.migrating.migrate`, on the connection that it hands over."""

from alembic import context

from tools.stores import tables

context.configure(connection=context.config.attributes["connection"], target_metadata=tables.metadata, transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
