"""Cases lived through: the world brought to life, what happens in it, whoever is on trial at work, and what there is to tell of it.

Belongs here: scenes, lives, trials, the pool with its cache. Never here: what is right (`evals.cases`), or a share of anything
(`evals.scoring`).
"""
