"""Cases as data: what is there, what happens, what must be true at the end. The shipped suites are YAML in `suites/`.

Belongs here: the form of a case, its reading, the shipped suites. Never here: how a case is lived through, or how it is scored.
"""
