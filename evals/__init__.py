"""How good is it: suites of cases with known answers, deterministic scorers, and reports with their uncertainty.

Belongs here: cases, oracles, scorers; `python -m evals` prints one table of all suites.
Never here: a rule that the product uses, or a case that a rule was made from and is then scored on.
"""
