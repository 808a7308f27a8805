"""The REST API.

Belongs here: a route for each service of the offers, paging, idempotency. Never here: a permission check, a decision.
"""
