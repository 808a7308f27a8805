"""A real Chromium in front of a real server. Everything that is not ours is refused and remembered; so is every error of a page."""

import asyncio
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, NamedTuple

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Route, expect, sync_playwright

from interfaces.web.callers import local_token
from tests.contracts.consoles import World, lived

HERE = Path(__file__).parent
AXE = (HERE / "axe.min.js").read_text(encoding="utf-8")
SCREENS = "DAY2_SCREENS"
LARGEST_PNG = 150_000
DESK = (1020, 640)
PATIENCE_MS = 60_000
"""How long a page may take before it counts as one that does not: this machine may be busy with others."""
expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """This machine's. A test of the console that cannot run is no test that passed. Of one module: while it is open, a loop runs in this
    thread, and no other test may start one."""
    path = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chromium-browser")
    if path is None:
        pytest.fail("no Chromium on this machine: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


class Served(NamedTuple):
    """A console that listens. `later` moves its clock, `do` runs something beside its loop."""

    world: World
    url: str
    loop: asyncio.AbstractEventLoop

    @property
    def login(self) -> str:
        return f"{self.url}/login?token={local_token(self.world.settings)}"

    def do(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    def later(self, seconds: float) -> None:
        async def move() -> None:
            self.world.ports.clock.advance(seconds)  # type: ignore[attr-defined]

        self.do(move())


@contextmanager
def serving(
    folder: Path, settings: dict[str, Any] | None = None, make: Callable[[Path, dict[str, Any]], World] | None = None
) -> Iterator[Served]:
    """A world on a port of its own: one with a day behind it, or what `make` makes."""
    from interfaces.web.__main__ import listener

    socket = listener("127.0.0.1:0")
    url = f"http://127.0.0.1:{socket.getsockname()[1]}"
    world = (make or World)(folder, {"web.public_url": url} | (settings or {}))
    started, loop = threading.Event(), asyncio.new_event_loop()
    server = uvicorn.Server(uvicorn.Config(world.app, log_level="warning", timeout_graceful_shutdown=1, lifespan="off"))

    async def main() -> None:
        if make is None:
            await lived(world)
        started.set()
        await server.serve(sockets=[socket])

    def work() -> None:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(main())
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()

    thread = threading.Thread(target=work)
    thread.start()
    assert started.wait(60)
    try:
        yield Served(world, url, loop)
    finally:
        server.should_exit = True
        thread.join(30)
        socket.close()


class Watched:
    """A page under watch."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.url, self.problems = url, list[str]()
        context.route("**/*", self._route)
        self.page: Page = context.new_page()
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.problems.append(f"error: {error}"))

    def _said(self, said: ConsoleMessage) -> None:
        if said.type in ("error", "warning"):
            self.problems.append(f"console: {said.text}")

    def _route(self, route: Route) -> None:
        if route.request.url.startswith((self.url, "data:")):
            route.continue_()
        else:
            self.problems.append(f"outside: {route.request.url}")
            route.abort()

    def serious(self) -> list[str]:
        """What axe-core calls serious or critical."""
        self.page.evaluate(AXE)
        found = self.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        return [
            f"{row['impact']} {row['id']}: {node['html'][:160]}"
            for row in found["violations"]
            if row["impact"] in ("serious", "critical")
            for node in row["nodes"][:3]
        ]

    def overflow(self) -> int:
        """Pixels that must be scrolled sideways to see all of the page."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


@contextmanager
def looking(
    browser: Browser, url: str, wide: int, high: int, *, scheme: Literal["light", "dark"] = "light", script: bool = True
) -> Iterator[Watched]:
    context = browser.new_context(
        viewport={"width": wide, "height": high},
        color_scheme=scheme,
        java_script_enabled=script,
        reduced_motion="reduce",
    )
    context.set_default_timeout(PATIENCE_MS)
    try:
        yield Watched(context, url)
    finally:
        context.close()


def pictured(page: Page, name: str) -> None:
    """Into the docs, where somebody asked for it."""
    if os.environ.get(SCREENS):
        path = HERE.parents[1] / "docs" / "screens" / f"{name}.png"
        path.parent.mkdir(exist_ok=True)
        before = page.viewport_size
        if before and before["width"] > DESK[0]:
            page.set_viewport_size({"width": DESK[0], "height": DESK[1]})  # smaller than the screen of the test: a page of docs is narrow
        page.screenshot(path=path)
        if before:
            page.set_viewport_size(before)
        assert path.stat().st_size < LARGEST_PNG, f"{name} has {path.stat().st_size} bytes"
