"""Pictures as numbers: where each mark of an SVG stands, with the words that say the same. Templates draw them.

Pure, and free of colour: a mark carries a word, and the style sheet gives it a shape and a colour.
"""
