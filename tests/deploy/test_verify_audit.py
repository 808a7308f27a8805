"""The verifier that stands alone sees what the product's own sees, and loads nothing of the product."""

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from gate import heads, keys
from tools.stores import ledger, migrating

PROGRAM = Path(__file__).resolve().parents[2] / "deploy" / "verify_audit.py"
AT = datetime(2026, 11, 2, tzinfo=UTC)
ROLES = ("door", "judge", "executor")
HOSTILE = 'said "é\\ \u2028 <script>\t" and a line\nfeed, \x01, 😀'


class Kept(NamedTuple):
    """What an auditor is given: the second sink, and a folder of signed heads with their keys."""

    sink: Path
    folder: Path


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    data = tmp_path / "data"
    url = f"sqlite:///{data / 'ledger.db'}"
    migrating.migrate(url)
    store = ledger.opened(url, data / "audit.jsonl")
    for number in range(12):
        role, at = ROLES[number % 3], AT + timedelta(seconds=number)
        store.record(role=role, event="noted", subject=f"act-{number}", body={"note": HOSTILE, "number": number, "at": None}, at=at)
    for role in ("judge", "executor"):
        key = keys.signer(data / "keys", role)
        heads.HeadBook(heads.file_of(data, role), key, role).keep(store, AT + timedelta(minutes=2), at_once=True)
    store.close()
    return Kept(data / "audit.jsonl", data)


def verified(kept: Kept, *, heads: bool = True) -> subprocess.CompletedProcess[str]:
    """Run as an auditor would, isolated: the product is not importable."""
    line = [sys.executable, "-I", str(PROGRAM), str(kept.sink), *([str(kept.folder)] if heads else [])]
    return subprocess.run(line, cwd="/", capture_output=True, text=True, check=False)


def changed(kept: Kept, change: Callable[[list[Any]], object]) -> None:
    rows = [json.loads(line) for line in kept.sink.read_bytes().splitlines()]
    change(rows)
    kept.sink.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def test_whole_chains_with_hostile_text_are_whole(kept: Kept) -> None:
    done = verified(kept)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("whole: 14 records, 2 signed heads; ends: door/4 ")


def test_the_export_of_the_command_line_is_verified_too(kept: Kept, tmp_path: Path) -> None:
    out = tmp_path / "chain.jsonl"
    line = [sys.executable, "-m", "interfaces.cli", "audit", "export", "--format", "jsonl", "-O", str(out), "--data-dir", str(kept.folder)]
    subprocess.run(line, check=True, capture_output=True, cwd=PROGRAM.parents[1])
    done = verified(Kept(out, kept.folder))
    assert done.returncode == 0, done.stdout + done.stderr


TAMPERING: dict[str, tuple[Callable[[list[Any]], object], str]] = {
    "changed": (lambda rows: rows[4].update(subject="act-other"), "record judge/2 was changed"),
    "changed in its body": (lambda rows: rows[4].update(body=rows[1]["body"]), "record judge/2 was changed"),
    "removed": (lambda rows: rows.pop(4), "record judge/2 is missing"),
    "put in another order": (lambda rows: rows.insert(1, rows.pop(0)), "out of order"),
    "repeated": (lambda rows: rows.insert(5, dict(rows[4])), "out of order"),
    "cut off at the end": (lambda rows: rows.__delitem__(slice(9, None)), "judge signed record judge/5, which the chain does not have so"),
}


@pytest.mark.parametrize(("change", "said"), TAMPERING.values(), ids=TAMPERING)
def test_what_was_done_to_the_records_is_named(kept: Kept, change: Callable[[list[Any]], object], said: str) -> None:
    changed(kept, change)
    done = verified(kept)
    assert done.returncode == 1
    assert said in done.stdout
    assert "NOT WHOLE" in done.stdout


def test_a_head_that_another_key_signed_counts_for_nothing(kept: Kept) -> None:
    forged = keys.signer(kept.folder / "elsewhere", "judge").sign({"role": "judge", "seq": 1, "hash": "0" * 64}, typ=heads.TYPE)
    with heads.file_of(kept.folder, "judge").open("a") as file:
        file.write(forged + "\n")
    done = verified(kept)
    assert done.returncode == 1
    assert "audit.judge.heads line 2 was not signed by judge" in done.stdout


def test_what_is_no_record_is_said_and_is_no_verdict(kept: Kept) -> None:
    kept.sink.write_text("no json\n", encoding="utf-8")
    done = verified(kept, heads=False)
    assert done.returncode == 2
    assert "cannot be read" in done.stderr
