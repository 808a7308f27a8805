"""Conversations: what people say in a chat, and the cards that answer. One core, one adapter per chat. Never here: a permission check."""
