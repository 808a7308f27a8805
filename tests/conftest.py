"""For every test: generated examples are the same at each run, so that a failure is seen by everybody and not by chance.

And Ctrl-C is heard: what a script starts in its background ignores it, and so would every process that a test starts and interrupts.
"""

import signal

import pytest
from hypothesis import settings

settings.register_profile("repeatable", derandomize=True, database=None, print_blob=True)
settings.load_profile("repeatable")
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    help_text = "address of an empty Postgres database: for the ledger's contract, and for the chart on a control plane"
    parser.addoption("--postgres", default="", help=help_text)
