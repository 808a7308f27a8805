"""For every test: generated examples are the same at each run, so that a failure is seen by everybody and not by chance."""

from hypothesis import settings

settings.register_profile("repeatable", derandomize=True, database=None, print_blob=True)
settings.load_profile("repeatable")
