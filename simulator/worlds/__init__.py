"""Clusters to begin with: a world is a YAML document (or a dict) from which all objects, history and faults follow.

Belongs here: the form of a world, its loading, and the populating of a store up to the world's start.
Never here: behaviour over time; controllers and metrics have that.
"""
