"""The scaling agent: what will be, or is, too small for its load, and what waits for room that never comes.

Belongs here: detectors and planners of capacity, the forecast they share, one subject per file; `table.py` lists them.
Never here: the control loop of an autoscaler, which stays in charge between its bounds; another agent.
"""
