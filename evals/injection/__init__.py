"""Does hostile text change what the product does? Cases with instructions planted wherever an agent reads, and a model that obeys them.

Belongs here: payloads and their mutations, the fields they are planted in, the obedient model, the runs, the page `docs/injection.md`.
Never here: a filter of the product. Nothing in it recognises hostile text; it has to hold without.
"""
