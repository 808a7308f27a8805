"""For every test: generated examples are the same at each run, so that a failure is seen by everybody and not by chance.

And Ctrl-C is heard: what a script starts in its background ignores it, and so would every process that a test starts and interrupts.
"""

import signal
from collections.abc import Iterator

import pytest
from hypothesis import settings

settings.register_profile("repeatable", derandomize=True, database=None, print_blob=True)
settings.load_profile("repeatable")
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    help_text = "address of an empty Postgres database; without one, this machine's Postgres is started where it has one"
    parser.addoption("--postgres", default="", help=help_text)


@pytest.fixture(scope="session")
def postgres(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a database that tests may empty. Skips where there is none."""
    from tests import postgresql  # not at the top: most tests need no driver

    if given := request.config.getoption("--postgres"):
        yield given
    elif programs := postgresql.programs():
        with postgresql.running(programs) as address:
            yield address
    else:
        pytest.skip("no --postgres URL was given, and this machine has no Postgres")
