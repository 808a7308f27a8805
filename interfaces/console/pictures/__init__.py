"""Pictures as numbers, which templates draw as SVG.

Belongs here: where each mark stands, with the words that say the same; pure functions. Never here: a colour (a mark carries a word, and the
style sheet gives it a shape and a colour), reading anything.
"""
