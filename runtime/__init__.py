"""Where parts are joined and started: settings, services, one composition root per role.

Belongs here: the environment, process life, start and resume of runs.
Never here: a rule, a detector, a screen.
"""
