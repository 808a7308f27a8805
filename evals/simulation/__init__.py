"""Deterministic simulation: the product's own roles under a seeded loop with faults, and promises that are checked after every step.

Belongs here: the loop, the fault table, the world around the roles (API server, people, other writers), the promises, and the runner.
Never here: a copy of product code, or a check that asks the harness what it meant to do instead of the world what happened.
"""
