"""The cluster as we see it: slim objects, quantities, owner and reference graph, snapshot, metric queries.

Belongs here: pure views of Kubernetes objects with only the fields that a detector, planner or rule reads.
Never here: a request to an API server, or an opinion about what is wrong.
"""
