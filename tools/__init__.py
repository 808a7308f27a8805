"""The world: one adapter per port beside its in-memory twin.

Belongs here: whatever talks to something outside this process, and the only imports of its SDK.
Never here: a decision, a rule, or anything that two adapters share by importing each other.
"""
