"""Does the judge block what does harm, and let pass what does not? Actions on simulated worlds, labelled by what they do.

Belongs here: worlds and actions drawn from a seed, the oracle that looks at a world, scores, the page `docs/judge.md` and its results.
Never here: a rule, or anything of `core.policy`: the oracle knows only worlds and what people declared of them.
"""
