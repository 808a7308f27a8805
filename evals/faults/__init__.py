"""The library's faults on simulated clusters: found, explained, mended, and nobody harmed.

Belongs here: trials, what counts as right, stored results and their page. Never here: a fault, or what is true of a healthy cluster.
"""
