"""The bills of materials: what is in a lock is in its bill, no more, no less, in the form of CycloneDX's own schema."""

import json
import re
import shutil
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

import sbom

LINE = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)")
HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


def locked(root: Path, group: str) -> set[tuple[str, str, frozenset[str]]]:
    """Name, version and hashes of each distribution, read without the library that `sbom` uses."""
    text = (root / "requirements" / f"{group}.txt").read_text(encoding="utf-8")
    blocks = [block for block in re.split(r"\n(?=\S)", text) if LINE.match(block)]
    return {(*hit.groups(), frozenset(HASH.findall(block))) for block in blocks if (hit := LINE.match(block))}  # type: ignore[misc]


def written(root: Path, group: str) -> dict[str, object]:
    return dict(json.loads(sbom.text(sbom.bom(root, group))))


def listed(document: dict[str, object]) -> set[tuple[str, str, frozenset[str]]]:
    items = document["components"]
    assert isinstance(items, list)
    return {(item["name"], item["version"], frozenset(found["content"] for found in item["hashes"])) for item in items}


@pytest.mark.parametrize("group", sbom.LOCKS)
def test_the_components_are_the_locks_distributions_with_their_hashes(root: Path, group: str) -> None:
    found = written(root, group)
    assert listed(found) == locked(root, group)
    assert len(found["components"]) == len(locked(root, group))  # type: ignore[arg-type]


def test_there_is_a_bill_for_every_lock(root: Path) -> None:
    assert set(sbom.LOCKS) == {path.stem for path in (root / "requirements").glob("*.txt")}


@pytest.mark.parametrize("group", sbom.LOCKS)
def test_a_bill_is_valid_by_the_schema_of_cyclonedx_and_always_the_same(root: Path, group: str) -> None:
    text = sbom.text(sbom.bom(root, group))
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    assert sbom.text(sbom.bom(root, group)) == text


def test_a_bill_names_each_package_as_others_do_and_the_product_as_what_depends_on_them(root: Path) -> None:
    found = json.loads(sbom.text(sbom.bom(root, "executor")))
    assert all(item["purl"] == f"pkg:pypi/{item['name']}@{item['version']}" for item in found["components"])
    product = found["metadata"]["component"]
    assert (product["name"], product["licenses"]) == ("day2ops", [{"license": {"id": "Apache-2.0"}}])
    depends = next(item["dependsOn"] for item in found["dependencies"] if item["ref"] == product["bom-ref"])
    assert set(depends) == {item["bom-ref"] for item in found["components"]}


def test_where_a_package_is_for_some_systems_only_it_is_said(root: Path) -> None:
    found = json.loads(sbom.text(sbom.bom(root, "dev")))
    markers = {item["name"]: item["properties"][0]["value"] for item in found["components"] if "properties" in item}
    assert markers["pywin32"] == 'sys_platform == "win32"'


@pytest.fixture
def other(root: Path, tmp_path: Path) -> Path:
    shutil.copytree(root / "requirements", tmp_path / "requirements")
    shutil.copy(root / "pyproject.toml", tmp_path)
    return tmp_path


def test_another_lock_is_another_bill(root: Path, other: Path) -> None:
    lock = other / "requirements" / "executor.txt"
    lock.write_text(lock.read_text().replace("httpx==", "httpy=="))
    assert listed(written(other, "executor")) != listed(written(root, "executor"))


@pytest.mark.parametrize("line", ["idna>=3 --hash=sha256:" + "a" * 64, "idna==3.10"])
def test_what_is_not_pinned_by_hash_gets_no_bill(other: Path, line: str) -> None:
    (other / "requirements" / "executor.txt").write_text(line + "\n")
    with pytest.raises(ValueError, match="no pinned distribution with hashes"):
        sbom.text(sbom.bom(other, "executor"))


def test_make_sbom_writes_them(root: Path) -> None:
    assert "toolchain/sbom.py" in (root / "Makefile").read_text(encoding="utf-8")
