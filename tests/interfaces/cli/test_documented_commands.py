"""Every command that README and docs show is run, here or where a table says, and parsed by the real tree of commands.

Pages are played one after the other, each in a folder of its own, over one simulated cluster and one data folder with a past.
"""

import io
import json
import re
import shlex
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from core.domain.report import Report
from interfaces.cli.app import command_tree
from simulator.worlds import loading
from tests.contracts.simulated import simulated
from tests.interfaces.cli import lines
from tests.interfaces.conftest import DOCUMENTS
from tools.stores.front import opening
from tools.stores.front.schedules import SqlTimetable

ROOT = Path(__file__).parents[3]
PAGES = {
    str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
}
Day2 = Callable[..., Any]


class Shown(NamedTuple):
    """One call on one page, as words, and as they are written in the tables below."""

    page: str
    words: tuple[str, ...]

    @property
    def text(self) -> str:
        return shlex.join(self.words)


class Elsewhere(NamedTuple):
    """Why a command is not run by this test, and the file that runs it. Where none does, the reason says so and `where` is empty."""

    why: str
    where: str


OWN_TEST = {
    "docs/tutorial.md": "tests/interfaces/cli/test_tutorial.py",
    "docs/policies.md": "tests/interfaces/cli/test_policies_page.py",
}
"""Pages whose commands a test of their own runs in their order, from the page itself."""

ELSEWHERE: dict[tuple[str, str], Elsewhere] = {
    ("README.md", "make demo 'ARGS=--fast --seed 7'"): Elsewhere("the whole demo", "tests/house/test_readme.py"),
    ("README.md", "make test"): Elsewhere("runs this test", ".ci/run"),
    ("docs/tutorial.md", "make demo"): Elsewhere("the whole demo", "tests/interfaces/test_demo.py"),
    ("docs/mutation.md", "make coverage"): Elsewhere("hours of tests under a tracer", ""),
    ("docs/mutation.md", "make mutation"): Elsewhere("hours of tests", ""),
    ("docs/mutation.md", "make mutation ARGS=--survivors"): Elsewhere("hours of tests", ""),
    ("docs/mutation.md", "make mutation ARGS=--changed"): Elsewhere("many minutes of tests", ".ci/run"),
    ("docs/simulation.md", "make sim"): Elsewhere("minutes on every core", ".ci/run"),
    ("docs/simulation.md", "make mutants"): Elsewhere("hours of worlds, on every core", ""),
    ("docs/evals.md", "day2 eval run --quick --against plain-model"): Elsewhere("wants a model", "tests/evals/contestants/test_talking.py"),
    ("docs/experiments.md", "day2 chaos validate experiment.yaml"): Elsewhere(
        "judge and executor at work", "tests/interfaces/cli/test_chaos.py"
    ),
    ("docs/experiments.md", "day2 chaos run experiment.yaml"): Elsewhere(
        "judge and executor at work", "tests/interfaces/cli/test_chaos.py"
    ),
    ("docs/experiments.md", "day2 chaos list"): Elsewhere("of what the others did", "tests/interfaces/cli/test_chaos.py"),
    ("docs/gate.md", "day2 serve"): Elsewhere("runs until it is ended", "tests/interfaces/cli/test_serving.py"),
    ("docs/mcp.md", "day2 mcp serve"): Elsewhere("speaks the protocol, until its client leaves", "tests/interfaces/mcp/test_transports.py"),
    ("docs/deploying.md", "day2 approve act-... --reason 'read the diff' --kubeconfig '$HOME/me'"): Elsewhere(
        "by a person of a real cluster, in the controller's pod", "tests/cluster/test_chart_runs.py"
    ),
}

MORE: dict[tuple[str, str], tuple[str, ...]] = {
    ("docs/chat.md", "day2 chat 'why is checkout slow?'"): ("--timeout", "1s"),  # nobody answers here: day2 serve does
    ("docs/simulation.md", "day2 sim --count 200"): ("--count", "2"),
    ("docs/evals.md", "day2 eval run --quick"): ("--only", "workload-that-does-nothing", "--jobs", "1"),
    ("docs/evals.md", "day2 eval run --suite finops --against all"): ("--only", "small-waste-is-left-alone", "--jobs", "1"),
}
"""Words that are added here, so that a command ends soon: less of the same."""


def shown() -> Iterator[Shown]:
    for page, text in PAGES.items():
        for line in lines.shown(text):
            yield from (Shown(page, tuple(words)) for words in lines.commands(line))


ALL = list(shown())
HERE = [one for one in ALL if one.page not in OWN_TEST and (one.page, one.text) not in ELSEWHERE]


def test_the_tables_name_what_a_page_shows_and_files_that_are_there() -> None:
    there = {(one.page, one.text) for one in ALL}
    assert set(ELSEWHERE) - there == set()
    assert set(MORE) - {(one.page, one.text) for one in HERE} == set()
    assert {page for page, _ in there} >= set(OWN_TEST)
    assert [row.where for row in ELSEWHERE.values() if row.where and not (ROOT / row.where).is_file()] == []
    assert [where for where in OWN_TEST.values() if not (ROOT / where).is_file()] == []
    assert len(HERE) > 25, "most commands are run here"


def test_commands_stand_in_blocks_that_say_what_they_are() -> None:
    """So that a reader can paste them, and so that this test sees them."""
    wrong = [
        (page, line)
        for page, text in PAGES.items()
        for language, block in lines.blocks(text)
        if language not in lines.SHELLS
        for line in block
        if re.match(r"(\$ )?(day2|make) ", line)
    ]
    assert wrong == []


@pytest.mark.parametrize("one", [one for one in ALL if one.words[0] == "day2"], ids=lambda one: f"{one.page}: {one.text}")
def test_every_command_parses(one: Shown) -> None:
    assert lines.parsed(list(one.words[1:])).command_path.startswith("day2 ")


@pytest.mark.parametrize("words", sorted({one.words[1:] for one in ALL if one.words[0] == "make"}), ids=shlex.join)
def test_every_verb_of_make_is_one(words: tuple[str, ...]) -> None:
    done = subprocess.run(["make", "--dry-run", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_command_that_is_named_in_a_sentence_exists() -> None:
    tree = command_tree().commands
    wrong = []
    for page, text in PAGES.items():
        for group, inner in re.findall(r"`day2 ([a-z][a-z-]*)(?: ([a-z][a-z-]+))?[^`]*`", text):
            found = tree.get(group)
            if found is None or (inner and hasattr(found, "commands") and inner not in found.commands):
                wrong.append(f"{page}: day2 {group} {inner}".rstrip())
    assert wrong == []


CASE = "{id: quiet, world: {name: small}, expect: {silent: true}}"


def evaluated(day2: Day2, folder: Path) -> None:
    """Results of earlier runs, by the names that the page gives them."""
    (folder / "cases").mkdir()
    (folder / "cases" / "quiet.yaml").write_text(CASE, encoding="utf-8")
    assert day2("eval", "run", "cases/", "--jobs", "1", "-O", "main.json").code == 0
    for name in ("before", "after", "old", "new"):
        (folder / f"{name}.json").write_bytes((folder / "main.json").read_bytes())


def certified(_day2: Day2, folder: Path) -> None:
    """The page's own way to a certificate authority."""
    (made,) = (line for line in lines.shown(PAGES["docs/gate.md"]) if line.startswith("openssl req"))
    subprocess.run(shlex.split(made), cwd=folder, check=True, capture_output=True)


BEFORE: dict[str, Callable[[Day2, Path], None]] = {"docs/evals.md": evaluated, "docs/gate.md": certified}
"""What a page takes for granted when its commands begin."""


def reported(folder: Path, run: str) -> None:
    """A run of a schedule, and what it came to."""
    at = datetime.now(UTC)
    database = opening.opened(f"sqlite:///{folder / 'front.db'}")
    told: Any = {"run": run, "schedule": "nightly", "tick": at, "began_at": at, "made_at": at, "ended": "ended", "complete": True}
    SqlTimetable(database).report(Report(**told))
    database.close()


def written(page: str, folder: Path) -> None:
    """The files that a page shows: YAML that begins with `# name`."""
    for language, block in lines.blocks(PAGES[page]):
        if language == "yaml" and block and re.fullmatch(r"# [\w.-]+\.yaml", block[0]):
            (folder / block[0][2:]).write_text("\n".join(block) + "\n", encoding="utf-8")


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_every_command_does_what_its_page_says(day2: Day2, past: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    past.asked("act-3fa9c2d1e0")
    past.ran("run-1a2b3c")
    reported(past.folder, "run-3fa9c2d1e0")
    (tmp_path / "world").mkdir()
    (tmp_path / "world" / "documents.yaml").write_text(DOCUMENTS, encoding="utf-8")
    world = (Path(loading.__file__).parent / "small.yaml").read_text(encoding="utf-8")
    assert "names: [node-1, node-2]" in world
    (tmp_path / "world" / "world.yaml").write_text(world.replace("names: [node-1, node-2]", "names: [node-1, node-2, node-7]"))
    with simulated(tmp_path / "world", str(tmp_path / "world" / "world.yaml")) as cluster:
        settings = tmp_path / ".config" / "day2" / "config.yaml"
        settings.parent.mkdir(parents=True)
        prometheus = {"url": f"{cluster.url}/prometheus", "ca_file": str(cluster.ca)}
        told = {"clock": cluster.url, "prometheus": prometheus, "store": {"data_dir": str(past.folder)}}
        settings.write_text(json.dumps(told | {"policy": {"objectives": str(tmp_path / "world" / "documents.yaml")}}), encoding="utf-8")
        monkeypatch.setenv("KUBECONFIG", str(cluster.kubeconfigs["admin"]))
        wrong = [said for page in dict.fromkeys(one.page for one in HERE) for said in played(day2, page, tmp_path, monkeypatch)]
    assert wrong == []


def played(day2: Day2, page: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """What went otherwise than the page says."""
    folder = home / Path(page).stem
    folder.mkdir()
    monkeypatch.chdir(folder)
    written(page, folder)
    if page in BEFORE:
        BEFORE[page](day2, folder)
    for one in HERE:
        if one.page == page:
            monkeypatch.setattr("sys.stdin", io.StringIO(""))
            said = day2(*one.words[1:], *MORE.get((page, one.text), ()))
            if said.code != 0 or "Traceback" in said.err:
                yield f"{page}: {one.text}: {said.code}\n{said.out[-800:]}\n{said.err[-800:]}"
