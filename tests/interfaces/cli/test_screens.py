"""Terminals: widths, colour, the C locale. Data goes to standard output, talk to standard error."""

import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from interfaces.rendering.screens import Screen, cell, screen_on

Day2 = Callable[..., Any]
REPOSITORY = Path(__file__).parents[3]
POD = """\
apiVersion: v1
kind: Namespace
metadata: {name: shop, uid: u-0}
---
apiVersion: v1
kind: Pod
metadata: {name: a-pod-with-quite-a-long-name-for-a-narrow-terminal, namespace: shop, uid: u-1}
spec: {containers: [{name: a, image: x, securityContext: {privileged: true}}]}
status: {phase: Running, startTime: "2026-01-01T00:00:00Z"}
"""


class Terminal(io.StringIO):
    encoding = "utf-8"  # type: ignore[assignment]

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("color", "wants", "plain", "painted"),
    [
        ("auto", True, False, True),
        ("auto", False, False, False),
        ("never", True, False, False),
        ("always", False, False, True),
        ("auto", True, True, False),
    ],
)
def test_colour_follows_flag_environment_and_terminal(color: str, wants: bool, plain: bool, painted: bool) -> None:
    assert screen_on(Terminal(), color=color, wants_color=wants, plain=plain, columns=80).color is painted


def test_a_pipe_gets_no_colour_and_no_cut() -> None:
    screen = screen_on(io.StringIO(), color="auto", wants_color=True, plain=False, columns=None)
    assert (screen.color, screen.width) == (False, 0)


def test_plain_has_a_word_and_an_ascii_glyph_for_each_state() -> None:
    out = io.StringIO()
    screen = Screen(out, ascii_only=True)
    screen.line(f"{screen.glyph('verified')} verified → “done”…")
    assert out.getvalue() == '+ verified -> "done"...\n'


def test_nothing_is_lost_when_lines_are_wrapped() -> None:
    out = io.StringIO()
    text = "deployment/" + "x" * 90 + " is wider than this screen, and goes on"
    Screen(out, width=40).wrapped(text, indent=4, hang=2)
    assert all(len(line) <= 40 for line in out.getvalue().splitlines())
    assert re.sub(r"\s", "", out.getvalue()) == text.replace(" ", "")


@pytest.mark.parametrize("hostile", ["a\x1b[31mred", "two\nlines", "\u202eesrever", "bell\x07"])
def test_cells_are_one_printable_line(hostile: str) -> None:
    assert cell(hostile).isprintable()
    assert "\n" not in cell(hostile)
    assert "\u202e" not in cell(hostile)


@pytest.mark.parametrize("columns", [60, 80])
def test_tables_fit_narrow_terminals(day2: Day2, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    (tmp_path / "pod.yaml").write_text(POD, encoding="utf-8")
    monkeypatch.setenv("COLUMNS", str(columns))
    said = day2("scan", "--from", "pod.yaml")
    assert said.code == 0
    assert max(map(len, said.out.splitlines())) <= columns
    assert "fnd-" in said.out


def test_a_pipe_is_told_the_whole_name(day2: Day2, tmp_path: Path) -> None:
    (tmp_path / "pod.yaml").write_text(POD, encoding="utf-8")
    assert "shop/pod/a-pod-with-quite-a-long-name-for-a-narrow-terminal" in day2("scan", "--from", "pod.yaml").out


def test_quiet_keeps_talk_back_and_data_stays(day2: Day2, tmp_path: Path) -> None:
    (tmp_path / "pod.yaml").write_text(POD, encoding="utf-8")
    said = day2("scan", "--from", "pod.yaml", "-q")
    assert said.err == ""
    assert "fnd-" in said.out


def test_the_c_locale_prints_ascii_only(tmp_path: Path) -> None:
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("LC_", "LANG", "PYTHON"))} | {
        "LC_ALL": "C",
        "HOME": str(tmp_path),
    }
    done = subprocess.run(
        [sys.executable, "-m", "interfaces.cli", "doctor"], capture_output=True, cwd=REPOSITORY, env=environment, check=False, timeout=60
    )
    assert done.returncode == 1  # there is no kubeconfig in this home
    assert done.stdout.isascii()
    assert done.stderr.isascii()
    assert b"x kubeconfig" in done.stdout


@pytest.mark.parametrize("flag", [["--plain"], ["--color", "always"], []])
def test_json_is_json_whatever_the_screen_is(day2: Day2, tmp_path: Path, flag: list[str]) -> None:
    (tmp_path / "pod.yaml").write_text(POD, encoding="utf-8")
    said = day2("scan", "--from", "pod.yaml", "-o", "json", *flag)
    assert json.loads(said.out)["kind"] == "FindingList"
    assert "\x1b" not in said.out
