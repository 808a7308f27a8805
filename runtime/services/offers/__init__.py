"""The services that the doors offer, one module per subject; `table.py` joins them.

Belongs here: an offer's arguments, and the call of the service behind it. Never here: text for people, a permission check of its own.
"""
