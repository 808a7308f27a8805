"""Types of the API: what fields a kind has, how its lists and maps merge, what a definition adds.

Belongs here: reading types, built-in or from a CustomResourceDefinition, and shaping objects by them.
Never here: storing or serving objects.
"""
