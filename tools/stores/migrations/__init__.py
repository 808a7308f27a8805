"""The ledger's forms over time, for Alembic.

Belongs here: one version per change of form, written once and never changed.
Never here: data of people, or a query of the product.
"""
