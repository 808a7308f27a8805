"""MCP servers of others, as a client. Belongs here: the SDK's client and its twin. Never here: what may be asked, or what answers mean."""
