"""What `day2` alone says where it was used before: what waits for a person, what is open, what is stopped, and the next command."""

from collections.abc import Mapping, Sequence

from core.domain.ledger import StopRow
from interfaces.rendering.screens import Screen


def view(screen: Screen, *, folder: str, waiting: Sequence[str], states: Mapping[str, int], stops: Sequence[StopRow]) -> None:
    """One screen. `states` counts the latest actions by state."""
    screen.line(f"data folder {folder}", "bold")
    counts = ", ".join(f"{count} {state}" for state, count in sorted(states.items())) or "none yet"
    screen.wrapped(f"actions   {counts}", indent=2, hang=10)
    screen.wrapped(f"waiting   {', '.join(waiting[:5]) or 'nothing waits for a person'}", indent=2, hang=10)
    said = "; ".join(f"{row.scope} by {row.by}: {row.reason}" for row in stops) or "armed, not pulled"
    screen.wrapped(f"stop      {said}", indent=2, hang=10)
    step = "day2 approvals" if waiting else 'day2 resume --reason "..."' if stops else "day2 scan -A"
    screen.wrapped(f"next      {step}   (all commands: day2 --help)", indent=2, hang=10)
