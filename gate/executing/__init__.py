"""The executor: the one place that sends, reads back, verifies and undoes.

Belongs here: the state machine over ledger and cluster, each step of which may be the last before a crash.
Never here: an opinion on whether an action is wise, or a retry of a forward write.
"""
