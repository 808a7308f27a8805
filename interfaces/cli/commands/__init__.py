"""The commands, by what people want: look, change, decide, operate.

Belongs here: signatures and help; the work is in services, loaded when the command runs.
Never here: an import at the top of a module that is heavier than typer.
"""
