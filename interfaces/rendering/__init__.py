"""How values look: one renderer for all doors. Integers with units become Kubernetes strings, names become camelCase, money gets its currency.

Belongs here: pure functions from values to text or JSON. Never here: input, output, a colour that carries meaning alone.
"""
