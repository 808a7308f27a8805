"""The trusted base: judging, permits, approvals, executing, verifying, undoing, the audit chain, the stop.

Belongs here: whatever a write depends on, small enough to be read in an afternoon.
Never here: a detector, a model, a client library but the signatures', or a way around the ledger.
"""
