"""Who is on trial: the product, and what it is compared with. Each acts on the same worlds by the same API.

Belongs here: contestants. Never here: an oracle, or a case.
"""
