"""Chats: one conversation core, and what speaks to each product.

Belongs here: what a message means (`intents.py`, `talking.py`), what a press does (`pressing.py`), what is told by itself (`following.py`),
the values that are said (`values.py`), and one folder or module for each product. Never here: a permission check, a decision, SQL.
"""
