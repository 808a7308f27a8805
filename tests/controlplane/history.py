"""A past for the metrics: usage of days that never were, as Prometheus blocks.

Prometheus takes no old samples over its API, but it reads blocks that lie in its data folder; promtool makes them out of
OpenMetrics text. The series get the labels that the live scrape gives, so a query cannot tell them apart.
"""

from __future__ import annotations

import math
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple, TypeAlias

DAY_SECONDS: Final = 86_400
PERIODS_PER_SECOND: Final = 10

Sample: TypeAlias = tuple[int, float]
"""Unix seconds and a value."""


class Usage(NamedTuple):
    """Mean use. CPU in cores, memory in bytes; `swing` is the share by which CPU rises and falls over a day."""

    cpu_cores: float
    memory_bytes: float
    swing: float = 0.1


Labels: TypeAlias = Mapping[str, str]


class Past(NamedTuple):
    """One container's: its series' labels, its usage, and the Unix seconds of its samples."""

    labels: Labels
    usage: Usage
    times: range


def instants(until: datetime, days: float, step_seconds: int) -> range:
    """Unix seconds, one step apart, the last one at `until`."""
    end = int(until.timestamp())
    return range(end - int(timedelta(days=days).total_seconds()), end + 1, step_seconds)


def cpu_cores(usage: Usage, at: int) -> float:
    return usage.cpu_cores * (1 + usage.swing * math.sin(2 * math.pi * (at % DAY_SECONDS) / DAY_SECONDS))


def lines(pasts: Sequence[Past]) -> Iterator[str]:
    """OpenMetrics: families in one piece, a counter's family without its `_total`, ended by `# EOF`."""
    for family, kind, suffix, samples in FAMILIES:
        yield f"# TYPE {family} {kind}\n"
        for past in pasts:
            text = rendered(past.labels)
            for at, value in samples(past):
                yield f"{family}{suffix}{text} {value:.3f} {at}\n"
    yield "# EOF\n"


def cpu_seconds(past: Past) -> Iterator[Sample]:
    total = 0.0
    for at in past.times:
        total += cpu_cores(past.usage, at) * past.times.step
        yield at, total


def memory_bytes(past: Past) -> Iterator[Sample]:
    return ((at, past.usage.memory_bytes) for at in past.times)


def periods(past: Past) -> Iterator[Sample]:
    return ((at, float(at - past.times.start) * PERIODS_PER_SECOND) for at in past.times)


def throttled_periods(past: Past) -> Iterator[Sample]:
    return ((at, 0.0) for at in past.times)


FAMILIES: Final = (
    ("container_cpu_usage_seconds", "counter", "_total", cpu_seconds),
    ("container_memory_working_set_bytes", "gauge", "", memory_bytes),
    ("container_cpu_cfs_periods", "counter", "_total", periods),
    ("container_cpu_cfs_throttled_periods", "counter", "_total", throttled_periods),
)


def rendered(labels: Labels) -> str:
    return "{" + ",".join(f'{name}="{escaped(value)}"' for name, value in sorted(labels.items()) if value) + "}"


def escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def write_blocks(promtool: Path, folder: Path, pasts: Sequence[Past]) -> list[Path]:
    """The blocks' folders, made in `folder`. Raises CalledProcessError with promtool's words in `stderr`."""
    folder.mkdir(parents=True)
    text = folder / "history.om"
    with text.open("w") as out:
        out.writelines(lines(pasts))
    blocks = folder / "blocks"
    line = [str(promtool), "tsdb", "create-blocks-from", "openmetrics", "-q", "--max-block-duration=24h", str(text), str(blocks)]
    subprocess.run(line, check=True, capture_output=True, text=True)
    text.unlink()
    return [path for path in blocks.iterdir() if (path / "meta.json").is_file()]
