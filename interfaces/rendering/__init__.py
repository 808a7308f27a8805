"""How values look: one renderer for all doors. Integers with units become Kubernetes strings, names camelCase, money has its currency.

Belongs here: pure functions from values to text or JSON.
Never here: reading anything, a colour that carries meaning alone.
"""
