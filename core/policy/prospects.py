"""How far a record is from the next level of autonomy. For people who look at it; nothing is decided by this."""

import itertools

from core.policy.autonomy import LEVELS, NEEDED, Standing, lower_bound


def still_needed(found: Standing) -> int:
    """Faultless outcomes until the next level that the record can give; 0 where people's grant is the limit."""
    following = LEVELS.index(found.held_back) + 1
    if found.held_back is not found.level or following >= len(LEVELS) or LEVELS[following] not in NEEDED:
        return 0
    reached = (more for more in itertools.count(1) if lower_bound(found.verified + more, found.missed) >= NEEDED[LEVELS[following]])
    return next(reached) if LEVELS.index(found.granted.ceiling) >= following else 0
