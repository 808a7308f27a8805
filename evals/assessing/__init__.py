"""Is the assessor of finished runs right? Good runs of simulated faults, errors planted into them, and what is said of each.

Belongs here: where the runs come from, the errors and what is harmless, scores, scripted models, the page `docs/assessing.md`.
Never here: a check. What a run must satisfy is in `core.assessing`, which knows no error of these.
"""
