"""A library of faults: how each is done to a healthy cluster by writes over HTTP, its cause, and what is true of a cluster that is well.

Belongs here: grounds, writes, rows of faults with their causes, the oracle. Never here: a detector or action of ours, or anything that
only a simulated cluster understands where a spec can say it.
"""
