"""The ledger's forms over time, for Alembic. Each version is written once and never changed."""
