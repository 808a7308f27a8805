"""Places where people look, behind `core.domain.alert.Channel`: Alertmanager, apprise's pagers and chats, and a twin.

Belongs here: telling one channel what it is handed, within bounded time.
Never here: what is an alert, who is told, or an address in a message, a log or an error.
"""
