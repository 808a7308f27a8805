"""What is measured: traffic, usage, latency and GPU load as functions of time, seed and what the cluster looked like.

Belongs here: the load model, the Prometheus HTTP API over it, the metrics.k8s.io provider and container logs.
Never here: a stored sample. Every value can be computed again from the seed and the pods' timeline.
"""
