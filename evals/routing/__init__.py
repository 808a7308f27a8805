"""Are the right agents asked? Sentences as people type them, and the score of the supervisor's deterministic rules on them.

Belongs here: `paraphrases.yaml` (kept apart from the rules, scored), `development.yaml` (to improve the rules with), the scorer.
Never here: words of the rules themselves; they are in `graph/lexicon.py`.
"""
