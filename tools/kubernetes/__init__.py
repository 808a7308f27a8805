"""One HTTP path to Kubernetes: configuration, reading, impersonated writing, and the in-memory twin.

Belongs here: what turns ports into requests to an API server, and its answers into our errors.
Never here: the official client (it is the other half of the contract tests), or an opinion about objects.
"""
