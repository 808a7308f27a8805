"""What `make sim` says of a world in which a promise was broken."""

from evals.simulation.__main__ import summary, told
from evals.simulation.promises import Broken
from evals.simulation.running import Outcome

BROKEN = Outcome(4711, (Broken("I2", "act-1 is written a second time"),), "f00d", 1800.0, "crash, stale", (), 2, {"verified": 1})


def test_a_broken_world_is_told_with_the_command_that_lives_through_it_again() -> None:
    text = told(BROKEN)
    assert "seed 4711 (crash, stale): I2 act-1 is written a second time" in text
    assert "day2 sim --seed 4711 --steps" in text


def test_the_summary_counts_worlds_writes_ends_and_what_broke() -> None:
    kept = BROKEN._replace(broken=(), ends={"verified": 2, "denied": 1})
    assert summary([BROKEN, kept], 3.0) == "2 worlds in 3 s: 1 virtual hours, 4 writes, 3 verified, 1 denied; 1 broke a promise"
