"""Writes what is generated of this folder and its page, from the code: `make chart`. A test fails while anything of it is stale."""

import tomllib
from pathlib import Path

from runtime.services import alert_rules, charting

ROOT = Path(__file__).resolve().parent.parent


def wanted(root: Path = ROOT) -> dict[Path, str]:
    """Each file to the text that it should have."""
    version = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    chart = {root / charting.FOLDER / name: text for name, text in charting.files(version).items()}
    page = root / charting.PAGE
    return {**chart, root / "deploy" / "prometheus-rule.yaml": alert_rules.text(), page: charting.page(page.read_text(encoding="utf-8"))}


def main() -> None:
    for path, text in wanted().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            print(path.relative_to(ROOT))


if __name__ == "__main__":
    main()
