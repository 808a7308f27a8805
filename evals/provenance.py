"""Which state of the code a result is of."""

import subprocess


def commit() -> str:
    """The last commit of the checkout; `unknown` outside of one."""
    found = subprocess.run(["git", "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True, check=False)
    return found.stdout.strip() or "unknown"
