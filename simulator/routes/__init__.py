"""What the API server does with a permitted request: one file per family of verbs, one table in `catalogue`.

Belongs here: reading objects, writing them, watching, and the subresources with a behaviour of their own.
Never here: who may ask (`authn`, `authz`), how objects are kept (`store`), or what a controller does about them.
"""
