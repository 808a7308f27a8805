"""The command line `day2`. Every command is one call of a service in `runtime.services`; heavy imports happen inside commands, so that help is quick."""

import sys


def main() -> None:
    """The console script."""
    from interfaces.cli.launching import launch

    sys.exit(launch(sys.argv[1:]))
