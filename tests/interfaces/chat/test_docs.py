"""docs/chat.md says what the table says, and the manifest asks for what the app calls and hears, and for nothing else."""

import re
from pathlib import Path

import yaml

from interfaces.chat.intents import INTENTS, meant
from runtime.settings import known_keys
from tests.interfaces.chat.test_intents import HELD_OUT, rightly

DOCS = Path(__file__).parents[3] / "docs"
PAGE = (DOCS / "chat.md").read_text(encoding="utf-8")
MANIFEST = yaml.safe_load((DOCS / "slack-manifest.yaml").read_text(encoding="utf-8"))
NEEDED = {
    "chat:write": "chat.postMessage, chat.update, chat.postEphemeral",
    "files:write": "plots",
    "commands": "/day2",
    "app_mentions:read": "app_mention",
    "channels:history": "message.channels",
    "groups:history": "message.groups",
    "im:history": "message.im",
    "im:write": "messages to who asked",
}


def test_the_page_lists_every_row_of_the_table_and_each_is_understood() -> None:
    rows = re.findall(r"^\| `([^`]+)` \| (.+) \|$", PAGE.partition("## Cards")[0], re.MULTILINE)
    assert rows == [(intent.shown, intent.says) for intent in INTENTS]
    assert [meant(shown, follows=True).intent for shown, _ in rows] == [intent.name for intent in INTENTS]


def test_the_page_has_the_measured_number() -> None:
    right = sum(rightly(row) for row in HELD_OUT)
    assert f"{len(HELD_OUT)} held-out phrasings" in PAGE.replace("\n", " ")
    assert f"{100 * right / len(HELD_OUT):.1f} % are understood rightly at once ({right} of {len(HELD_OUT)})" in PAGE


def test_the_manifest_has_the_scopes_that_are_needed_and_the_page_names_them() -> None:
    scopes = MANIFEST["oauth_config"]["scopes"]["bot"]
    assert set(scopes) == set(NEEDED)
    assert all(f"`{scope}`" in PAGE for scope in scopes)
    events = MANIFEST["settings"]["event_subscriptions"]["bot_events"]
    assert {event for event in events if event.startswith("message.")} == {"message.channels", "message.groups", "message.im"}


def test_every_setting_that_the_page_shows_is_one() -> None:
    shown = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)]
    keys = {f"{group}.{name}" for block in shown for group, names in block.items() for name in names}
    assert keys <= set(known_keys())
    assert {"slack.token_file", "mattermost.url", "chat.people"} <= keys
