"""The security agent: what may do more than it needs.

Belongs here: detectors and planners of exposure, one subject per file; `table.py` lists them.
Never here: a change that refuses a pod which runs today; another agent.
"""
