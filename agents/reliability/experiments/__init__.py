"""Experiments: is a workload as strong as people think? What to break, what to look at, and what it says, as pure functions.

Belongs here: choosing pods within the limits, faults as actions of the catalogue, probes, the verdict, and weaknesses as findings.
Never here: a write, a wait or a reading; `runtime.laboratory` hands in what was read, and the graph's nodes go step by step.
"""
