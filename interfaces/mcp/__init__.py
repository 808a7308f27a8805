"""The MCP door: the services as tools, resources and prompts, over standard input and output or streamable HTTP.

Belongs here: translation between MCP and the offers. Never here: a permission check, a way to decide or to write; no tool approves.
"""
