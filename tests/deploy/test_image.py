"""The Dockerfile without a container engine: its steps run in order in a clean folder, and what they made runs as the chart runs it.

`/opt/day2` gets a folder of the test in front; RUN finds what a slim Python image has, and nothing of this checkout's environment. What an
engine adds, layers, users, a read-only root, is not shown here: no image was built.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from dockerfile_parse import DockerfileParser

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = ROOT / "deploy" / "Dockerfile"
TOOLS = ("sh", "rm", "chmod", "dirname", "uname", "find")
PLACE = "/opt/day2"
STEPS = [(step["instruction"], step["value"]) for step in DockerfileParser(path=str(DOCKERFILE)).structure]


@dataclass
class Building:
    """The stages of a Dockerfile, each in a folder; the last one stands at `root`, where the one before it stood, as in an image."""

    folder: Path
    stages: dict[str, Path] = field(default_factory=dict)
    arguments: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    workdir: str = "/"
    entrypoint: list[str] = field(default_factory=list)
    user: str = ""
    name: str = ""

    @property
    def root(self) -> Path:
        return self.folder / "root"

    def place(self, path: str) -> Path:
        """Where a path of the image is."""
        return self.root / (path if path.startswith("/") else f"{self.workdir}/{path}").lstrip("/")

    def moved(self, text: str) -> str:
        return text.replace(PLACE, str(self.root) + PLACE)

    def step(self, instruction: str, value: str) -> None:
        """Raises KeyError for an instruction that nobody taught it: such a step would go untested."""
        {
            "COMMENT": lambda _: None, "LABEL": lambda _: None, "CMD": lambda _: None,
            "ARG": self._arg, "FROM": self._from, "WORKDIR": self._workdir, "COPY": self._copy, "RUN": self._run, "ENV": self._env,
            "USER": self._user, "ENTRYPOINT": self._entrypoint,
        }[instruction](value)  # fmt: skip

    def _arg(self, value: str) -> None:
        name, _, default = value.partition("=")
        self.arguments[name] = default

    def _from(self, value: str) -> None:
        if self.root.exists():
            self.stages[self.name] = self.root.rename(self.folder / f"stage-{self.name}")
        self.root.mkdir(parents=True)
        base, _, self.name = value.partition(" AS ")
        assert self.arguments[base.strip("${}")].startswith("python:3.11"), base
        self.environment, self.workdir, self.user = {}, "/", ""

    def _workdir(self, value: str) -> None:
        self.workdir = value
        self.place(value).mkdir(parents=True, exist_ok=True)

    def _copy(self, value: str) -> None:
        words = shlex.split(value)
        start = self.stages[words.pop(0).partition("=")[2]] if words[0].startswith("--from=") else ROOT
        *sources, target = words
        for source in sources:
            found, to = start / source.lstrip("/"), self.place(target)
            if start != ROOT:  # a stage is of no more use after that, and copies take minutes
                shutil.rmtree(to, ignore_errors=True)
                to.parent.mkdir(parents=True, exist_ok=True)
                found.rename(to)
            elif found.is_dir():
                shutil.copytree(found, to, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True)
            else:
                shutil.copy(found, to / found.name)

    def _run(self, value: str) -> None:
        done = subprocess.run(
            ["sh", "-c", self.moved(value)], cwd=self.place("."), env=self._slim(), capture_output=True, text=True, timeout=600, check=False
        )
        assert done.returncode == 0, f"RUN {value}: {done.stdout}{done.stderr}"

    def _slim(self) -> dict[str, str]:
        """A PATH of the image's tools and its Python; a home of its own. Where packages come from is this user's setting."""
        tools = self.folder / "tools"
        if not tools.exists():
            tools.mkdir()
            for tool in TOOLS:
                (tools / tool).symlink_to(shutil.which(tool) or pytest.fail(f"{tool} is not here"))
            (tools / "python3").symlink_to(os.path.realpath(sys.executable))
            (self.folder / "home").mkdir()
        kept = {
            key: value for key, value in os.environ.items() if key.startswith(("PIP_", "UV_", "SSL_")) or key.lower().endswith("_proxy")
        }
        caches = {"UV_CACHE_DIR": str(Path.home() / ".cache" / "uv"), "PIP_CACHE_DIR": str(Path.home() / ".cache" / "pip")}
        return {**caches, **kept, "PATH": str(tools), "HOME": str(self.folder / "home")}

    def _env(self, value: str) -> None:
        self.environment |= dict(word.split("=", 1) for word in shlex.split(value))

    def _user(self, value: str) -> None:
        self.user = value

    def _entrypoint(self, value: str) -> None:
        self.entrypoint = json.loads(value)

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """A process of the image, as the chart's containers start it: the image's environment, a home that is empty."""
        environment = {key: self.moved(value) for key, value in self.environment.items()} | {"HOME": str(self.folder / "home")}
        program = shutil.which(self.moved(command[0]), path=environment["PATH"])
        assert program, f"{command[0]} is not in the image"
        return subprocess.run(
            [program, *command[1:]], cwd=self.place("."), env=environment, capture_output=True, text=True, timeout=60, check=False
        )


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Building]:
    made = Building(tmp_path_factory.mktemp("image"))
    for instruction, value in STEPS:
        made.step(instruction, value)
    yield made
    shutil.rmtree(made.folder)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_steps_make_what_the_charts_containers_start(image: Building) -> None:
    """One test, for the steps take half a minute."""
    said = image.run(*image.entrypoint, "version", "-o", "json")
    assert said.returncode == 0, said.stderr
    assert json.loads(said.stdout)["version"] == re.findall(r'image\.version="([^"]+)"', DOCKERFILE.read_text())[0]

    for python in PYTHONS:
        for role in ("executor", "webhook"):
            started = image.run(python, "-m", f"runtime.roles.{role}", "--help")
            assert started.returncode == 0, started.stderr
    for role in ("judge", "notifier"):
        assert image.run(PYTHONS[0], "-m", f"runtime.roles.{role}", "--help").returncode == 0

    count = "import importlib.metadata as m; print(sorted(d.name for d in m.distributions()))"
    small, large = (set(json.loads(image.run(python, "-c", count).stdout.replace("'", '"'))) for python in reversed(PYTHONS))
    assert not {"langgraph", "redis", "kubernetes", "pytest", "langchain-core"} & small
    assert {"psycopg", "apprise", "langgraph"} <= large
    assert not {"pytest", "kubernetes", "mypy"} & large, "what tests need is not shipped"

    closed = [path for path in image.place(PLACE).rglob("*") if not path.is_symlink() and not readable(path)]
    assert closed == [], "another user than the builder runs it"
    assert not image.place(f"{PLACE}/.cache").exists()
    assert not image.place(f"{PLACE}/tests").exists()


PYTHONS = tuple(
    sorted(set(re.findall(rf"{PLACE}/\.venv-\w+/bin/python", (ROOT / "deploy/chart/templates/_pods.tpl").read_text())), reverse=True)
)


def readable(path: Path) -> bool:
    mode = path.stat().st_mode
    return bool(mode & 0o004) and (not path.is_dir() or bool(mode & 0o001))


def test_the_chart_starts_both_environments() -> None:
    assert (f"{PLACE}/.venv-run/bin/python", f"{PLACE}/.venv-executor/bin/python") == PYTHONS


def test_the_image_runs_as_the_user_of_the_chart() -> None:
    users = [value for instruction, value in STEPS if instruction == "USER"]
    pods = (ROOT / "deploy/chart/templates/_pods.tpl").read_text()
    assert users == ["65532:65532"]
    assert re.findall(r"runAs\w+: (\d+)", pods) == ["65532", "65532"]


def test_the_context_is_what_is_copied_and_nothing_else() -> None:
    copied = {
        word.rstrip("/")
        for instruction, value in STEPS
        if instruction == "COPY" and not value.startswith("--from")
        for word in shlex.split(value)[:-1]
    }
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    assert {line.removeprefix("!") for line in lines if line.startswith("!")} == copied
    assert lines[1] == "*", "all else is left out"


def test_every_package_of_the_product_is_copied(tmp_path: Path) -> None:
    import tomllib

    packages = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    copied = {value.split("/")[0] for instruction, value in STEPS if instruction == "COPY"}
    assert set(packages) <= copied


def test_no_step_is_left_out_of_the_test() -> None:
    with pytest.raises(KeyError):
        Building(Path("unused")).step("ADD", "x y")
    assert {instruction for instruction, _ in STEPS} <= {
        "COMMENT", "LABEL", "CMD", "ARG", "FROM", "WORKDIR", "COPY", "RUN", "ENV", "USER", "ENTRYPOINT",
    }  # fmt: skip
