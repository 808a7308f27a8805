"""Node healing, decided: an episode, what is seen around its node, the step that follows. Pure; `graph` walks it, `runtime` reads for it.

Never here: reads, clocks, submissions.
"""
