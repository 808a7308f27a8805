"""The FinOps agent: what is paid for and not used.

Belongs here: detectors and planners of waste, one subject per file; `table.py` lists them.
Never here: a price that no price list names; another agent.
"""
