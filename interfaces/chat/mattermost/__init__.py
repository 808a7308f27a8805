"""Mattermost: Markdown attachments, REST as a chat port, and what its server calls: webhook, slash command, buttons, dialogs."""
