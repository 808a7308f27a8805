"""Slack: Block Kit, the Web API as a chat port, and the app over HTTP or Socket Mode.

Nothing outside of this folder knows Slack. Its texts are structured (`rich_text`), so that nothing of a cluster is ever parsed as markup.
"""
