"""The fault table of one seed: which faults this world has, how often, and when. Swarm testing: each seed enables a random half.

Numbers follow `docs/simulation.md`: what is drawn here is listed there with the promise it tries to break.
"""

from random import Random
from typing import NamedTuple

CALM_AFTER = 480.0
"""Seconds of virtual time with faults; from then on everything must come to an end."""


class Window(NamedTuple):
    """From `start` to `end`, `what` does not work for `who` (a process, or `*`)."""

    who: str
    what: str
    start: float
    end: float

    def covers(self, who: str, what: str, now: float) -> bool:
        return self.what == what and self.who in (who, "*") and self.start <= now < self.end


class Faults(NamedTuple):
    """Shares are chances per call, `*_seconds` upper bounds. Requests delayed and reads behind stay below the executor's settling time
    unless `late`: then only admission can refuse what arrives after we gave up, and this world has it."""

    admission: bool = False
    sql: bool = False
    crash: float = 0.0
    lost_reply: float = 0.0
    refused: float = 0.0
    conflict: float = 0.0
    delay_seconds: float = 0.0
    pause: float = 0.0
    late: float = 0.0
    stale: float = 0.0
    stale_seconds: float = 0.0
    unknown_commit: float = 0.0
    interleave: float = 0.2
    skew_seconds: float = 0.0
    jump_seconds: float = 0.0
    duplicate: float = 0.0
    edits: float = 0.0
    reverts: float = 0.0
    ill: float = 0.0
    forged: float = 0.0
    slow_door: float = 0.0
    undo_fails: float = 0.0
    agents_fail: float = 0.0
    stops: int = 0
    two_controllers: bool = False
    windows: tuple[Window, ...] = ()

    def named(self) -> str:
        """Which faults this seed has, for people."""
        plain = [name for name, value in self._asdict().items() if value and name not in ("windows", "interleave")]
        return ", ".join(plain + [f"{item.who}/{item.what} {item.start:.0f}-{item.end:.0f}" for item in self.windows])


def draw(seed: int) -> Faults:
    """The table of a seed. One in twelve has no fault at all, so that the plain way is walked too."""
    chance = Random(f"{seed}:faults")  # noqa: S311
    if seed % 12 == 0:
        return Faults(sql=seed % 48 == 0)

    def on(value: float) -> float:
        return value if chance.random() < 0.5 else 0.0

    admission = chance.random() < 0.4
    return Faults(
        admission=admission,
        sql=seed % 10 == 0,
        crash=on(0.012),
        lost_reply=on(0.12),
        refused=on(0.08),
        conflict=on(0.08),
        delay_seconds=on(8.0),
        pause=on(0.05),
        late=on(0.3) if admission else 0.0,
        stale=on(0.3),
        stale_seconds=15.0,
        unknown_commit=on(0.02),
        skew_seconds=on(2.0),
        jump_seconds=on(3600.0) if admission else 0.0,
        duplicate=on(0.4),
        edits=on(0.6),
        reverts=on(0.4),
        ill=on(0.9),
        forged=on(0.3),
        undo_fails=_on_its_own(seed, "undo_fails", 0.7),
        slow_door=_on_its_own(seed, "slow_door", 0.4),
        agents_fail=on(0.25),
        stops=chance.randrange(3) if chance.random() < 0.5 else 0,
        two_controllers=chance.random() < 0.15,
        windows=_windows(chance),
    )


def _on_its_own(seed: int, name: str, value: float) -> float:
    """A fault that came later: drawn apart, so that the older ones of a seed stay as they were."""
    return value if Random(f"{seed}:{name}").random() < 0.5 else 0.0  # noqa: S311


def _windows(chance: Random) -> tuple[Window, ...]:
    kinds = (
        ("executor", "api", 60.0),
        ("judge", "api", 60.0),
        ("executor", "ledger", 60.0),
        ("judge", "ledger", 60.0),
        ("controller", "ledger", 60.0),
        ("*", "full", 90.0),
        ("*", "lost", 60.0),
        ("*", "registry", 120.0),
    )
    found = []
    for who, what, longest in kinds:
        if chance.random() < 0.2:
            start = chance.uniform(5, CALM_AFTER - longest)
            found.append(Window(who, what, start, start + chance.uniform(5, longest)))
    return tuple(found)
