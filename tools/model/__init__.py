"""The language model behind `core.domain.model`: one adapter for any OpenAI-compatible endpoint, prompts, budget, and the scripted twin.

Belongs here: what is sent to a model, bounded, redacted and delimited; what it may cost.
Never here: a decision. What a model says is input to code that checks it.
"""
