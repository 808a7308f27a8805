"""Faults of the library on simulated clusters: found, explained, mended, and nobody harmed. Scores and page; no fault is made here."""
