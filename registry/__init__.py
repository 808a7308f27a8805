"""Who exists, what they can do, whether they are alive: agent cards, leases and the change stream, in Redis or Valkey.

Belongs here: the only code that talks to Redis; the embedded Valkey; grants.
Never here: a decision about an action. Judge and executor do not depend on this room: a taken-over Redis yields delay, not writes.
"""
