"""Mattermost: Markdown attachments, REST as a chat port, and what its server calls: webhook, slash command, buttons, dialogs.

Belongs here: all that knows Mattermost. Never here: what a message means, what a press does.
"""
