"""Was a finished run right, and for the right reason? Reads a run as it was stored, requirement by requirement.

Belongs here: the trajectory as a value, the table of requirements with their checks, what a model may be asked and how its answer is held.
Never here: a decision on an action. An assessment permits nothing; what it finds wrong can only lower what is trusted.
"""
