"""Which tests a mutant has to pass: those that reach its line, the nearest and quickest first, from many files early, within a budget."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from itertools import zip_longest
from pathlib import Path

import alterations
import coverage
import trusted

MOST_TESTS = 100
MOST_SECONDS = 6.0
MOST_FILES_IMPORTED = 3  # what runs at import is tried in a fresh process, where each test file costs


class Reach:
    """From a run of the tests under coverage, with a context for each test."""

    def __init__(self, data: Path, durations: Path) -> None:
        self.data = coverage.CoverageData(str(data))
        self.data.read()
        self.durations: Mapping[str, float] = json.loads(durations.read_text(encoding="utf-8")) if durations.exists() else {}
        self._lines: dict[str, dict[int, list[str]]] = {}

    def lines(self, module: str) -> dict[int, list[str]]:
        """The tests that reach each line."""
        if module not in self._lines:
            file = trusted.file_of(module).relative_to(trusted.ROOT).as_posix()
            found = self.data.contexts_by_lineno(file)
            self._lines[module] = {line: sorted({name.split("|")[0] for name in names if name}) for line, names in found.items()}
        return self._lines[module]

    def tests(self, module: str, mutant: alterations.Mutant) -> tuple[str, ...]:
        lines = self.lines(module)
        if mutant.unit == alterations.MODULE:
            every = self.ordered(module, {test for tests in lines.values() for test in tests})
            files = list(dict.fromkeys(file_of(test) for test in every))[:MOST_FILES_IMPORTED]
            return tuple(test for test in every if file_of(test) in files)
        return self.ordered(module, {test for line in mutant.lines for test in lines.get(line, ())})

    def ordered(self, module: str, tests: Iterable[str]) -> tuple[str, ...]:
        """First those of the file that is named like the module, or else like its folder; then one of each other file in turn."""
        by_file: dict[str, list[str]] = defaultdict(list)
        for test in varied(sorted(tests, key=lambda test: (self.seconds([test]), test))):
            by_file[file_of(test)].append(test)
        near = sorted(by_file, key=lambda file: (distance(module, file), self.seconds(by_file[file][:1]), file))
        nearest = min((distance(module, file) for file in near), default=0)
        own = [test for file in near if distance(module, file) == nearest <= 1 for test in by_file[file]]
        turns = [test for turn in zip_longest(*(by_file[file] for file in near)) for test in turn if test]
        chosen: list[str] = []
        spent = 0.0
        for test in dict.fromkeys([*own, *turns]):
            if spent + self.seconds([test]) <= MOST_SECONDS or not chosen:  # a slow one leaves room for quick ones behind it
                spent += self.seconds([test])
                chosen.append(test)
        return tuple(chosen[:MOST_TESTS])

    def seconds(self, tests: Iterable[str]) -> float:
        return sum(self.durations.get(test, 0.05) for test in tests)

    def files(self, module: str, most: int = 12) -> list[str]:
        count = Counter(file_of(test) for tests in self.lines(module).values() for test in tests)
        return sorted(sorted(count, key=lambda file: (distance(module, file), -count[file], file))[:most])


def varied(tests: list[str]) -> list[str]:
    """One case of each test function, then a second of each, and so on."""
    seen: Counter[str] = Counter()
    turn: dict[str, int] = {}
    for test in tests:
        turn[test] = seen[function_of(test)]
        seen[function_of(test)] += 1
    return sorted(tests, key=turn.__getitem__)


def function_of(test: str) -> str:
    return test.split("[")[0]


def file_of(test: str) -> str:
    return test.split("::")[0]


def distance(module: str, file: str) -> int:
    """0 for the test file named like the module, then those named like its folder, then those of its room."""
    *folders, name = module.split(".")
    if file.endswith(f"/test_{name}.py"):
        return 0
    if folders and (file.endswith(f"/test_{folders[-1]}.py") or f"/{'/'.join(folders)}/" in file):
        return 1
    return 2 if file.startswith(f"tests/{folders[0] if folders else name}/") else 3
