"""Reads cases: the shipped suites, a YAML file, or a folder of them. Raises InvalidDocument with file, key and what to do.

A file holds one case, one that `day2 eval capture` wrote, or `cases:` with `defaults:` that each of them takes over. `each: {name:
[values]}` in an entry makes one case of every value, which `{name}` in its texts stands for. Of a folder every YAML file right in it is
read; worlds, snapshots and manifests belong in folders below.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from core.domain.errors import InvalidDocument, InvalidInput
from evals.cases.case import Case

SUITES = Path(__file__).with_name("suites")
FORM = "docs/evals.md has the form of a case"
Json = dict[str, Any]


def read(where: Path | None = None) -> tuple[Case, ...]:
    """The cases of a file or folder; the shipped ones without. Raises InvalidInput."""
    place = where or SUITES
    if not place.exists():
        raise InvalidInput(f"there are no cases at {place}", mend="give a YAML file, or a folder of them: day2 eval run DIR")
    files = sorted([*place.glob("*.yaml"), *place.glob("*.yml")]) if place.is_dir() else [place]
    found = [case for file in files for case in _file(file)]
    if not found:
        raise InvalidInput(f"no YAML file in {place}", mend=FORM)
    seen: set[str] = set()
    for case in found:
        if case.id in seen:
            raise InvalidInput(f"two cases are called {case.id} in {place}", mend="give each an id of its own")
        seen.add(case.id)
    return tuple(found)


def chosen(
    cases: Sequence[Case], *, suites: Sequence[str] = (), only: Sequence[str] = (), quick: bool = False, seeds: int = 0
) -> tuple[Case, ...]:
    """Those of the suites whose id contains one of `only`; of each the first `seeds` seeds. Raises InvalidInput where none is left."""
    known = sorted({case.suite for case in cases})
    for name in suites:
        if name not in known:
            raise InvalidInput(f"no suite {name[:40]!r} here", mend=f"one of: {', '.join(known)}")
    found = [
        case
        for case in cases
        if (not suites or case.suite in suites) and (not only or any(part in case.id for part in only)) and (case.quick or not quick)
    ]
    if not found:
        raise InvalidInput("no case is left of these", mend="day2 eval run --list shows all")
    most = seeds or (1 if quick else 0)
    return tuple(case.model_copy(update={"seeds": case.seeds[:most]}) if most else case for case in found)


def _file(file: Path) -> Iterator[Case]:
    try:
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise InvalidDocument(str(error.problem), file=str(file), line=line, mend=FORM) from error
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{file}: {error}", mend=FORM) from error
    if not isinstance(document, dict):
        raise InvalidDocument("a file of cases is a mapping", file=str(file), mend=FORM)
    if document.get("kind") == "Case":
        yield _captured(document, file)
        return
    if "cases" not in document:
        yield _case(document, file, "")
        return
    if unknown := sorted(document.keys() - {"cases", "defaults"}):
        raise InvalidDocument(f"{unknown[0]}: beside `cases` there is only `defaults`", file=str(file), mend=FORM)
    if not isinstance(document["cases"], list) or not isinstance(document.get("defaults", {}), dict):
        raise InvalidDocument("`cases` is a list, `defaults` a mapping", file=str(file), mend=FORM)
    for number, entry in enumerate(document["cases"]):
        if not isinstance(entry, dict):
            raise InvalidDocument(f"cases.{number}: a case is a mapping", file=str(file), mend=FORM)
        for body in _spread(merged(document.get("defaults", {}), entry), file, number):
            yield _case(body, file, f"cases.{number}.")


def merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> Json:
    """Mappings are merged, everything else is replaced."""
    both = {key: merged(below[key], above[key]) for key in below.keys() & above.keys() if _maps(below[key], above[key])}
    return {**below, **above, **both}


def _maps(one: Any, other: Any) -> bool:
    return isinstance(one, Mapping) and isinstance(other, Mapping)


def _spread(entry: Json, file: Path, number: int) -> Iterator[Json]:
    """One case of every combination of `each`."""
    each = entry.pop("each", {})
    if not isinstance(each, dict) or not all(isinstance(values, list) for values in each.values()):
        raise InvalidDocument(f"cases.{number}.each: a mapping of names to lists", file=str(file), mend=FORM)
    for values in product(*each.values()):
        yield _filled(entry, dict(zip(each, values, strict=True)))


def _filled(value: Any, names: Mapping[str, Any]) -> Any:
    """Texts with `{name}` filled in; a text that is nothing else becomes the value itself."""
    if isinstance(value, str):
        if value[1:-1] in names and value == f"{{{value[1:-1]}}}":
            return names[value[1:-1]]
        for name, filling in names.items():
            value = value.replace(f"{{{name}}}", str(filling))
        return value
    if isinstance(value, dict):
        return {_filled(key, names): _filled(item, names) for key, item in value.items()}
    return [_filled(item, names) for item in value] if isinstance(value, list) else value


def _case(document: Json, file: Path, place: str) -> Case:
    body = dict(document)
    if isinstance(body.get("world"), str):
        body["world"] = {"name": body["world"]}
    body["faults"] = [{"id": each} if isinstance(each, str) else each for each in body.get("faults", ())]
    try:
        case = Case.model_validate(body)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"])) or str(body.get("id", "the case"))
        raise InvalidDocument(f"{place}{key}: {first['msg'].removeprefix('Value error, ')}", file=str(file), mend=FORM) from error
    return case.model_copy(update={"world": _placed(case, file.parent)})


def _captured(document: Json, file: Path) -> Case:
    """What `day2 eval capture` wrote: the case, and beside it the run that it was made of."""
    body = document.get("case")
    if not isinstance(body, dict):
        raise InvalidDocument("a captured case has its expectations under `case`", file=str(file), mend="day2 eval capture RUN")
    if "world" not in body:
        mend = "take one in the same hour and name it: day2 eval capture RUN --snapshot FILE"
        raise InvalidDocument(
            "case.world: it was captured without a look at its cluster, so there is nothing to live in", file=str(file), mend=mend
        )
    return _case(body, file, "case.")


def _placed(case: Case, folder: Path) -> Any:
    """Files of a case are beside it."""
    files = {name: folder / path for name in ("file", "snapshot", "manifests") if (path := getattr(case.world, name)) is not None}
    return case.world.model_copy(update=files)
