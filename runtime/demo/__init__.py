"""What the demo declares: objectives, grants and prices of the simulated `shop` cluster, and the script of its approver.

Belongs here: documents and their order of telling. Never here: a code path that only the demo takes.
"""
