"""The platform's own words: frozen values and the ports.

Belongs here: what would still be true with another cluster API, model or store.
Never here: I/O, a clock, a client library, a Kubernetes object, a decision.
"""
