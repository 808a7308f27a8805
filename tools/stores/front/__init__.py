"""What the doors keep: requests, conversations, schedules, incoming alerts, sessions. Apart from the ledger, which allows and proves.

Belongs here: one module per subject, each with its tables on `tables.metadata` and its adapter. Losing all of it loses no verdict, no
permit and no audit record. Never here: anything that the judge, the executor or the webhook reads.
"""
