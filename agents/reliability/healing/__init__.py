"""How a sick node is healed, decided: an episode, what is seen around its node, the step that follows.

Belongs here: the table of steps, guards and times, pure over what one look says; `graph` walks it, `runtime` reads for it.
Never here: reads, clocks, submissions.
"""
