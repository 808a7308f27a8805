"""One command at work: its flags, its settings, its two streams. Standard output is for data, standard error for talk."""

import contextlib
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import typer

from interfaces.cli import scopes, translating
from interfaces.cli.exits import Exit
from interfaces.cli.flags import Flags

if TYPE_CHECKING:  # values and their renderers cost what help must not
    from interfaces.rendering.envelopes import Json
    from interfaces.rendering.formats import View
    from interfaces.rendering.screens import Screen
    from interfaces.rendering.tables import Column
    from runtime.roles.identifying import Known
    from runtime.settings import Loaded, Settings

T = TypeVar("T")


LOOK_SECONDS = 1.0
PATIENCE_SECONDS = 2.0
"""What takes longer than that says what it waits for."""


class Session:
    """Made at the start of every command, after `scopes.check` has refused what cannot be."""

    def __init__(self, flags: Flags) -> None:
        self.flags = flags
        self.permitted: translating.Permitted | None = None

    @cached_property
    def loaded(self) -> "Loaded":
        """Settings with the source of each. Raises InvalidInput or InvalidDocument."""
        from runtime import settings

        found = settings.load(self.flags.settings())
        if self.flags.verbose:
            self._tell(found)
        return found

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

    def answer(self, wanted: "Mapping[str, Any] | None" = None, *, known: "Known | None" = None, looks: bool = False) -> Any:
        """What the service of this command's row says to whoever types. `known`: under the name by which a cluster knows them.

        Raises NotAuthorised, InvalidInput for arguments that cannot be, and what the service raises.
        """
        assert self.permitted is not None  # noqa: S101  the table has no service for what is of the machine
        return self.call(self.permitted.service, wanted, known=known, looks=looks)

    def call(self, service: str, wanted: "Mapping[str, Any] | None" = None, *, known: "Known | None" = None, looks: bool = False) -> Any:
        """The same of a named service, for a command that shows what became of its own."""
        from runtime.roles import identifying, offered

        assert self.permitted is not None  # noqa: S101  as above
        caller = identifying.local(self.settings, translating.DOOR, known) if known else self.permitted.caller
        writes = translating.services().named(service).writes

        async def called() -> Any:
            async with offered.opened(self.settings, writes=writes, looks=looks) as offers:
                return await offers.call(caller, service, wanted)

        return run(called())

    @contextlib.contextmanager
    def waiting(self, text: str) -> Iterator[None]:
        """Says what is waited for, once, where it takes longer than people like to sit before a silent screen."""
        timer = threading.Timer(PATIENCE_SECONDS, self.say, (f"{text} ...", "dim"))
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def follow(
        self, look: "Callable[[], Json]", *, columns: "Sequence[Column]" = (), view: "View | None" = None, name: str = "id"
    ) -> NoReturn:
        """`-w`: what stands now, then only what is new or changed, until Ctrl-C or `--timeout`. Raises typer.Exit."""
        from interfaces.rendering import watching

        end = None if self.flags.timeout is None else time.monotonic() + self.flags.timeout
        document = look()
        self.show(document, columns=columns, view=view, name=name)
        while end is None or time.monotonic() < end:
            self.out.stream.flush()
            time.sleep(LOOK_SECONDS if end is None else max(0.0, min(LOOK_SECONDS, end - time.monotonic())))
            before, document = document, look()
            news = watching.news(before, document, key=name)
            if news is not None:
                watching.show(self.out, self.flags.output, news, columns=columns, view=view, name=name)
        raise typer.Exit(Exit.EXPIRED)

    def _tell(self, found: "Loaded") -> None:
        """`-v`: where the settings come from, and one line for each request."""
        import logging

        for row in found.sources:
            if row.source != "default":
                self.say(f"setting {row.key} from {row.source}", "dim")
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(logging.Formatter("%(message)s"))
        log = logging.getLogger("httpx")
        log.handlers[:] = [handler]
        log.setLevel(logging.INFO)

    def _screen(self, stream: Any) -> "Screen":
        from interfaces.rendering.screens import screen_on
        from runtime import settings

        return screen_on(
            stream, color=self.flags.color, wants_color=settings.wants_color(), plain=self.flags.plain, columns=settings.screen_size()
        )


def begin(context: typer.Context) -> Session:
    """Raises UsageMistake, and NotAuthorised for a command that its caller may not call."""
    flags = context.obj if isinstance(context.obj, Flags) else Flags()
    scopes.check(context, flags)
    session = Session(flags)
    options = context.params | {"dry_run": flags.dry_run}
    session.permitted = translating.permit(context.command_path.partition(" ")[2], options, lambda: session.settings)
    return session


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run one command's asynchronous half to its end."""
    import asyncio

    return asyncio.run(work)
