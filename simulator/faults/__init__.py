"""A library of faults over plain HTTP: how each is done to a healthy cluster, what must be true afterwards, and what its cause is.

It speaks Kubernetes only, so that the same fault is done to the simulated cluster and to a real control plane. No detector of ours is known
here: causes are objects, accepted codes are labels, oracles are written from what Kubernetes promises.
"""
