"""The named conditions of the reliability agent: one module per subject, each with its rows in `CHECKS`."""
