"""One web application of several doors: API, console, chat and MCP, served by the console's process.

Belongs here: who calls (`callers.py`), errors as problem details, joining the doors (`table.py`). Never here: a page, a route of a door.
"""
