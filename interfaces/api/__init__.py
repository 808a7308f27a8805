"""The API: versioned REST over the services that `runtime/services/offers` has, with OpenAPI, cursors and idempotency keys, and its stream.

Belongs here: which service has which path (`routes.py`), what HTTP adds to it. Never here: a permission check, a rule, a document's fields.
"""
