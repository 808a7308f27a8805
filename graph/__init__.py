"""The LangGraph flows: state, context, routing, build, and one node per file in `nodes/`.

Belongs here: the order of the steps, and what passes between them as ids and versioned JSON.
Never here: what a step decides (agents, `core.policy`, the judge), or how it reaches the world (`tools`, through the context).
"""
