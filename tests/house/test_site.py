"""The documentation builds as a site, with nothing that its reader's browser would fetch elsewhere."""

import re
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
def test_the_site_builds_without_a_warning_and_fetches_nothing(root: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path)]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "tutorial.html").exists()
    for page in ("index.html", "tutorial.html", "cli.html", "checks/REL-101.html"):
        text = (tmp_path / page).read_text(encoding="utf-8")
        fetched = re.findall(
            r"<(?:script|img|iframe)[^>]*\ssrc=\"(https?://[^\"]+)|<link[^>]*rel=\"stylesheet\"[^>]*href=\"(https?://[^\"]+)", text
        )
        assert fetched == [], page
