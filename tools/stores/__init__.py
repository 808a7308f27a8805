"""The ledger's store: SQL (sqlite by default, Postgres by URL), its migrations, its second sink, its twin, and the lock on the data folder.

Belongs here: all SQL but the checkpoints'.
Never here: who may do what; the ledger keeps and compares, it does not judge.
"""
