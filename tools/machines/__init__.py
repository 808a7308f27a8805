"""Whoever makes machines, behind `core.cluster.machines.Machines`: the Cluster API's objects, an organisation's own webhook, and a twin.

Belongs here: asking whether a machine is off, and for another one.
Never here: a write to the cluster. A Machine is deleted by an action through the gate.
"""
