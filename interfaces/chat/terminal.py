"""What is said, on a terminal or in a pipe. Also a chat of its own: one conversation, whose dialogs are questions."""

from collections.abc import Callable
from dataclasses import dataclass, field

from core.domain.chats import Place
from core.domain.values import bounded
from interfaces.chat import parts
from interfaces.chat.values import Card, Dialog, Filled, Picture, Said, Verb
from interfaces.rendering.screens import Screen

WIDTH = 10
Ask = Callable[[str], str | None]
"""A question to who sits there; None where nobody answers."""


def view(screen: Screen, said: Said) -> None:
    """Title, parts with their names, what may be asked next."""
    shown = parts.shape(said)
    screen.wrapped(bounded(shown.title, 300), hang=2, style="bold", lead="")
    if shown.badge:
        screen.line(bounded(shown.badge, 300), "dim")
    for part in shown.parts:
        name = bounded(part.name, 60)
        for number, line in enumerate(part.lines):
            lead = name if number == 0 else ""
            if len(lead) > WIDTH:
                screen.wrapped(lead, indent=2, hang=2)
                lead = ""
            screen.wrapped(f"{lead:<{WIDTH}} {bounded(line, 600)}", indent=2, hang=WIDTH + 1)
    if isinstance(said, Card) and said.buttons:
        screen.wrapped(_next(said), indent=2, hang=WIDTH + 1)
    if shown.commands:
        screen.wrapped(f"{'next':<{WIDTH}} {'   |   '.join(shown.commands)}", indent=2, hang=WIDTH + 1)
    if shown.link.startswith("http"):
        screen.line(f"  {shown.link_text}: {shown.link}", "dim")


def _next(said: Card) -> str:
    if said.review_only:
        return f"{'next':<{WIDTH}} decided in the console, or: day2 approve {said.action} --confirm=NAME --reason ..."
    words = {verb: verb.value for verb in said.buttons} | {Verb.WHY: "explain"}
    return f"{'next':<{WIDTH}} {'   |   '.join(f'{words[verb]} {said.action}' for verb in said.buttons)}"


@dataclass
class TerminalChat:
    """A screen as a chat. A message that is edited is printed again; a dialog is asked line by line, and kept for who called."""

    screen: Screen
    question: Ask
    product: str = "terminal"
    filled: list[Filled] = field(default_factory=list)
    said: list[Said] = field(default_factory=list)
    _messages: int = 0

    async def send(self, place: Place, said: Said) -> str:  # noqa: ARG002  there is one place
        view(self.screen, said)
        self.screen.line()
        self.said.append(said)
        self._messages += 1
        return f"{self._messages}"

    async def update(self, place: Place, message: str, said: Said) -> None:  # noqa: ARG002  what was printed stays
        await self.send(place, said)

    async def privately(self, place: Place, user: str, said: Said) -> None:  # noqa: ARG002  nobody else looks
        await self.send(place, said)

    async def directly(self, user: str, said: Said) -> None:  # noqa: ARG002
        view(self.screen, said)

    async def show(self, place: Place, picture: Picture) -> None:  # noqa: ARG002  a terminal shows its words
        self.screen.wrapped(picture.alt, indent=2, hang=2)

    async def ask(self, trigger: str, dialog: Dialog) -> None:
        """Every field, then whether it is meant. Without an answer nothing is decided."""
        self.screen.wrapped(f"{dialog.title} {dialog.text}", hang=2)
        fields = {}
        for item in dialog.fields:
            choices = f" ({'; '.join(item.choices)})" if item.choices else f" ({item.hint})" if item.hint else ""
            said = self.question(f"{item.label}{choices}: ")
            if said is None:
                self.screen.line("nobody answers here: nothing was decided. In a script: day2 approve|deny --reason ...")
                return
            fields[item.name] = said.strip() or item.value
        if (self.question(f"{dialog.confirm} {dialog.subject}? [y/N] ") or "").strip().casefold() not in ("y", "yes"):
            self.screen.line("nothing was decided")
            return
        self.filled.append(
            Filled(dialog.place, trigger, dialog.verb, dialog.subject, f"{dialog.verb}:{dialog.subject}:{self._messages}", fields)
        )
