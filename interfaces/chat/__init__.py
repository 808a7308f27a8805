"""Conversations.

Belongs here: what people say in a chat, the cards that answer, one adapter per chat. Never here: a permission check, a decision.
"""
