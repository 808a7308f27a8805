"""A cluster in a box: the Kubernetes API, its controllers and kubelets, traffic, metrics and faults, in virtual time.

Belongs here: what a cluster does. It starts in under a second and behaves the same for the same seed.
Never here: an import of `tools`, `gate` or `agents`. The product meets this cluster over HTTP, as it meets any other.
"""
