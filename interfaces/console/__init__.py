"""The console.

Belongs here: pages, fragments and live events over the services. Never here: a permission check, a decision, an outside request.
"""
