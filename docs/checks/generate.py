"""Writes the pages of this folder. Run it from the root of the repository: `python docs/actions/generate.py`."""

from pathlib import Path

from agents.pages import pages

if __name__ == "__main__":
    here = Path(__file__).parent
    for name, text in pages().items():
        (here / name).write_text(text, encoding="utf-8")
