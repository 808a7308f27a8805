"""Results for people and for CI: one self-contained HTML page, JUnit, the scoreboard of the docs.

Belongs here: forms of results. Never here: arithmetic over trials (`evals.scoring` has that).
"""
