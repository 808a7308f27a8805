"""How a change is merged into an object: JSON, merge, strategic and apply patches, and who owns which field afterwards.

Belongs here: pure functions from (object, change) to object, and the table of list merge keys they share.
Never here: storage, permission, validation or HTTP.
"""
