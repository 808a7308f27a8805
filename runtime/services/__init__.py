"""Each command and query of the product once: what the doors call.

Belongs here: a service that takes open ports and plain arguments, checks who may, and returns values.
Never here: text for people, a flag, an HTTP status.
"""
