"""The named conditions of the reliability agent, by subject: each module has its looks and, in `CHECKS`, their rows.

Belongs here: what a snapshot alone shows to be wrong, with the words for its page.
Never here: what needs metrics or a plan of its own; the walk from symptoms to causes (`agents.causes`).
"""
