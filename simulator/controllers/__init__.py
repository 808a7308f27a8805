"""What moves the cluster: one file per controller, each a `reconcile(cluster)` that returns when it next wants to be called.

Belongs here: controllers, the scheduler, the kubelets, and the table (`catalogue.py`) that runs them in order.
Never here: HTTP, wall-clock time, a random number that does not come from the world's seed.
"""
