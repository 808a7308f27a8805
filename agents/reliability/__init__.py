"""The reliability agent: what is broken, why, and the smallest change that mends it.

Belongs here: detectors and planners of failures, one subject per file; `table.py` lists them.
Never here: a change that hides a failure; another agent.
"""
