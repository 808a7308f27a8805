"""What can be done to a cluster: one file per kind, one table in `catalogue.py`.

Belongs here: arguments, rights, requests, inverses, hashes of states and checks, as pure functions over the live object's full JSON.
Never here: sending anything, deciding whether it may be sent, or an opinion about when it is a good idea.
"""
