"""Metrics sources behind `core.cluster.reading.Metrics`: Prometheus, a small reader for the executor, and a twin.

Belongs here: sending the closed table of queries and turning answers into samples.
Never here: a query of its own, or a default for a value that is not there.
"""
