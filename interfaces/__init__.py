"""The doors: command line now; API, console, chat and MCP later. They translate between people and the services of `runtime.services`; they decide nothing.

Never here: a permission check, an SDK of the cluster, a rule.
"""
