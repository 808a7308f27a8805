"""The specialists. Each reads what its desk hands it, and answers with findings and proposals.

Belongs here: detectors (desk in, findings out) and planners (finding in, proposal out), one subject per file; the desk they work at.
Never here: a client library, a write, a clock, another agent's package.
"""
