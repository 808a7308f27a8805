"""One command at work: its flags, its settings, its two streams. Standard output is for data, standard error for talk."""

import sys
from collections.abc import Coroutine, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import typer

from interfaces.cli.flags import Flags

if TYPE_CHECKING:  # values and their renderers cost what help must not
    from interfaces.rendering.envelopes import Json
    from interfaces.rendering.formats import View
    from interfaces.rendering.screens import Screen
    from interfaces.rendering.tables import Column
    from runtime.settings import Loaded, Settings

T = TypeVar("T")


class Session:
    """Made at the start of every command; an impossible `-o` is refused before anything is read."""

    def __init__(self, flags: Flags) -> None:
        from interfaces.rendering import formats

        self.flags = flags
        formats.checked(flags.output)

    @cached_property
    def loaded(self) -> "Loaded":
        """Settings with the source of each. Raises InvalidInput or InvalidDocument."""
        from runtime import settings

        return settings.load(self.flags.settings())

    @property
    def settings(self) -> "Settings":
        return self.loaded.settings

    @cached_property
    def out(self) -> "Screen":
        return self._screen(sys.stdout)

    @cached_property
    def err(self) -> "Screen":
        return self._screen(sys.stderr)

    @property
    def for_people(self) -> bool:
        return self.flags.output in ("table", "wide")

    @property
    def interactive(self) -> bool:
        """Whether a question may be asked here."""
        return not self.flags.no_input and sys.stdin.isatty() and sys.stderr.isatty()

    def show(self, document: "Json", *, columns: "Sequence[Column]" = (), view: "View | None" = None, name: str = "id") -> None:
        from interfaces.rendering import formats

        formats.show(self.out, self.flags.output, document, columns=columns, view=view, name=name)

    def say(self, text: str, style: str = "") -> None:
        """Talk: progress, hints, the next command."""
        if not self.flags.quiet:
            self.err.line(text, style)
            self.err.stream.flush()

    def hint(self, text: str) -> None:
        """The next command; only for people."""
        if self.for_people:
            self.say(text, "dim")

    def _screen(self, stream: Any) -> "Screen":
        from interfaces.rendering.screens import screen_on
        from runtime import settings

        return screen_on(
            stream, color=self.flags.color, wants_color=settings.wants_color(), plain=self.flags.plain, columns=settings.screen_size()
        )


def begin(context: typer.Context) -> Session:
    return Session(context.obj if isinstance(context.obj, Flags) else Flags())


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run one command's asynchronous half to its end."""
    import asyncio

    return asyncio.run(work)
