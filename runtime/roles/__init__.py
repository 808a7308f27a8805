"""One composition root per process role: the only modules that join ports to adapters, so that each process loads just what its role needs.

Belongs here: opening, joining, closing, and the loop.
Never here: a decision, or an import that a small role would pay for.
"""
