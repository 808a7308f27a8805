"""One module per subject, `table.py` joins them by address.

Belongs here: what a page reads through the services, and what its template is handed. Never here: HTML (`templates/`), who may do what.
"""
