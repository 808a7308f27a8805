"""The judge's rules: facts in, results out.

Belongs here: rule packs, the CEL engine over them, the documents people write, arbitration between proposals, redaction of secrets.
Never here: I/O beyond reading a rule file, a clock, a cluster client, the writing of a verdict.
"""
