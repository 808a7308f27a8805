"""What is shown of ourselves to those who watch us.

Belongs here: the form in which numbers leave this process, and the port on which they are asked for.
Never here: which metrics there are, or how their numbers come about.
"""
