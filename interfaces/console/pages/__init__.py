"""One module per page: what it reads, and what its template is handed. `table.py` joins them.

Never here: HTML (`templates/`), who may do what.
"""
