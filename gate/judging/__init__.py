"""The judge: its own facts, the rules' results, the verdict, the permits.

Belongs here: reading what stands in the cluster, and deciding from that alone.
Never here: a value out of a proposal that is not the action itself, or a write.
"""
