"""The doors: command line now; API, console, chat and MCP later.

Belongs here: translation between people and the services of `runtime.services`.
Never here: a decision, a permission check, an SDK of the cluster, a rule.
"""
