"""One step of a flow per file.

Belongs here: a node that reads state and context, calls one thing, and returns the keys it changes.
Never here: a loop over steps, a permission, a client library.
"""
