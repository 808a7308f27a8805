"""A bill of materials for each lock group, CycloneDX 1.6 as JSON: `make sbom`, into `dist/sbom/`.

What is in a lock is what is installed, by its hash, so the lock is the only source: nothing is resolved, nothing is downloaded. A
distribution with different versions for different systems is a component for each. No time and no random number is in it: the same lock
gives the same bytes.
"""

import sys
import tomllib
import uuid
from collections.abc import Iterator
from pathlib import Path

from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import DisjunctiveLicense
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from packageurl import PackageURL
from pip_requirements_parser import InstallRequirement, RequirementsFile  # type: ignore[import-untyped]

from environment import GROUPS

ROOT = Path(__file__).resolve().parent.parent
FOLDER = Path("dist") / "sbom"
LOCKS = (*GROUPS, "build", "uv")
MARKER = "day2:lock:marker"
"""Property of a component that is installed on some systems only: the environment marker of its line."""


def main() -> int:
    """Writes all; prints each path with its number of components."""
    (ROOT / FOLDER).mkdir(parents=True, exist_ok=True)
    for group in LOCKS:
        made = bom(ROOT, group)
        path = FOLDER / f"{group}.cdx.json"
        (ROOT / path).write_text(text(made), encoding="utf-8")
        print(f"{path}  {len(made.components)} components")
    return 0


def bom(root: Path, group: str) -> Bom:
    """Raises ValueError for a line of the lock that is no pinned distribution with hashes."""
    product = _product(root, group)
    found = Bom(serial_number=uuid.uuid5(uuid.NAMESPACE_URL, f"day2ops/{group}/{product.version}"), components=components(root, group))
    found.metadata.component = product
    # The form allows none, and then the same lock gives the same bytes.
    found.metadata.timestamp = None  # type: ignore[assignment]
    found.register_dependency(product, found.components)
    return found


def components(root: Path, group: str) -> Iterator[Component]:
    for line in RequirementsFile.from_file(str(root / "requirements" / f"{group}.txt")).requirements:
        yield _component(line)


def _component(line: InstallRequirement) -> Component:
    if not line.name or not line.is_pinned or not line.hash_options:
        raise ValueError(f"{line.line!r} is no pinned distribution with hashes")
    version = str(line.get_pinned_version)
    marker = str(line.marker or "")
    url = PackageURL("pypi", name=line.name.lower(), version=version)
    return Component(
        type=ComponentType.LIBRARY,
        name=line.name,
        version=version,
        purl=url,
        bom_ref=f"{url.to_string()}{f'#{marker}' if marker else ''}",
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=option.rpartition(":")[2]) for option in line.hash_options],
        properties=[Property(name=MARKER, value=marker)] if marker else [],
    )


def _product(root: Path, group: str) -> Component:
    with (root / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    return Component(
        type=ComponentType.APPLICATION,
        name=project["name"],
        version=project["version"],
        description=f"day2ops with what requirements/{group}.txt locks",
        licenses=[DisjunctiveLicense(id=project["license"])],
        bom_ref=f"day2ops@{project['version']}",
    )


def text(made: Bom) -> str:
    return str(make_outputter(made, OutputFormat.JSON, SchemaVersion.V1_6).output_as_string(indent=1)) + "\n"


if __name__ == "__main__":
    sys.exit(main())
