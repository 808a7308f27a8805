"""How fast and how small, against what people use today. `make bench` prints one line per measured goal.

Belongs here: one module per subject with `run() -> list[str]`, each line `NAME: ours X, theirs Y, ratio R, goal G: met|short`.
Never here: a measurement in which the two sides do not return the same thing; a number that no run of this machine gave.
"""
