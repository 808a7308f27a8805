"""The commands, by what people want: look, change, decide, operate. Signatures and help here; work in services, loaded when the command runs.

Never here at import: anything heavier than typer.
"""
