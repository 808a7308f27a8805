"""One file per change of form, numbered.

Belongs here: the way from the form before, and back.
Never here: an edit of a version that was released.
"""
