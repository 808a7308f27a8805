"""apprise is told what is grave, and its addresses never come back."""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.domain.alert import Alert
from core.domain.errors import InvalidInput, Unavailable
from tests.contracts.receivers import Receiver
from tools.alerting import pages

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")  # apprise asks for it
SECRET = "hunter2-and-more"
ALERT = Alert(
    name="Day2EmergencyStop", severity="critical", grave=True, labels={"scope": "all"}, summary="emergency stop: all", starts_at=NOW
)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as found:
        yield found


def file(folder: Path, *lines: str) -> Path:
    path = folder / "pages"
    path.write_text("\n".join(lines) + "\n")
    return path


async def test_each_line_is_a_page_that_hears_of_the_alert_and_of_its_end(receiver: Receiver, tmp_path: Path) -> None:
    address = f"json://jane:{SECRET}@127.0.0.1:{receiver.port}/hook"
    (page,) = pages.opened(file(tmp_path, "# the platform team", "", address))
    await page.tell([ALERT], [], NOW)
    await page.tell([], [ALERT], NOW)
    first, second = (body for _, body in receiver.posts)
    assert (first["title"], first["type"]) == ("critical: emergency stop: all", "failure")
    assert first["message"] == "Day2EmergencyStop\nscope=all"
    assert (second["title"], second["type"]) == ("over: emergency stop: all", "success")
    assert (page.name, page.only_grave, page.again_seconds) == ("page-1", True, 0)


async def test_a_service_that_refuses_is_said_without_its_address(
    receiver: Receiver, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    receiver.code = 401
    caplog.set_level(logging.DEBUG)
    (page,) = pages.opened(file(tmp_path, f"json://jane:{SECRET}@127.0.0.1:{receiver.port}/hook"))
    with pytest.raises(Unavailable, match="page-1") as caught:
        await page.tell([ALERT], [], NOW)
    assert SECRET not in f"{caught.value!r} {caught.value.__cause__!r} {caplog.text}"
    assert "apprise" not in caplog.text.lower()


def test_an_address_that_nobody_knows_is_named_by_its_line_only(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="line 2 is no address") as caught:
        pages.opened(file(tmp_path, "# first", f"nonsense://{SECRET}"))
    assert SECRET not in str(caught.value)


def test_a_file_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="cannot read"):
        pages.opened(tmp_path / "nowhere")


async def test_a_report_goes_to_the_channel_of_its_name_and_a_page_goes_along_as_a_file(receiver: Receiver, tmp_path: Path) -> None:
    address = f"json://jane:{SECRET}@127.0.0.1:{receiver.port}/hook"
    found = pages.posts(file(tmp_path, "# reports", "", f"platform {address}", f"shop-team   {address}"))
    assert list(found) == ["platform", "shop-team"]
    await found["platform"].send("night: 1 done", "- scale shop/web")
    await found["shop-team"].send("a week", "# A week", "<!doctype html>")
    first, second = (body for _, body in receiver.posts)
    assert (first["title"], first["message"], first["type"], first["attachments"]) == ("night: 1 done", "- scale shop/web", "info", [])
    assert [item["filename"] for item in second["attachments"]] == ["digest.html"]


async def test_a_channel_that_refuses_is_said_by_its_name_alone(receiver: Receiver, tmp_path: Path) -> None:
    receiver.code = 401
    found = pages.posts(file(tmp_path, f"platform json://jane:{SECRET}@127.0.0.1:{receiver.port}/hook"))
    with pytest.raises(Unavailable, match="channel platform") as caught:
        await found["platform"].send("title", "text")
    assert SECRET not in f"{caught.value!r} {caught.value.__cause__!r}"


@pytest.mark.parametrize("line", [f"json://jane:{SECRET}@example.org", "Plat_form json://x", "platform nonsense", "platform"])
def test_a_line_that_names_no_channel_is_refused_by_its_number_only(line: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="line 1") as caught:
        pages.posts(file(tmp_path, line))
    assert SECRET not in str(caught.value)
    with pytest.raises(InvalidInput, match="line 2"):
        pages.posts(file(tmp_path, "platform json://example.org", "platform json://example.org"))
