"""The pure heart: words, cluster view, actions, rules. No I/O, no clock, no randomness.

Belongs here: what would be the same with another API server, store or model.
Never here: a client library, `datetime.now`, `random`, a file or a socket.
"""
