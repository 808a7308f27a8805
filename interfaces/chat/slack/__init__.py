"""Slack: Block Kit, the Web API as a chat port, and the app over HTTP or Socket Mode.

Belongs here: all that knows Slack; its texts are structured (`rich_text`), so that nothing of a cluster is ever parsed as markup.
Never here: what a message means, what a press does.
"""
