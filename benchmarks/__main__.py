"""Runs the benches of the table, or those that are named: `python -m benchmarks [NAME...]`. Exit code 1 when a goal is missed."""

import importlib
import importlib.util
import sys
from collections.abc import Sequence

BENCHES = {
    "LIST_DECODE": "listing",
    "WATCH": "watching",
    "DETECT": "detecting",
    "GROWTH": "growing",
    "SIMULATOR": "simulating",
    "POD_SECURITY": "securing",
    "NETWORK": "reaching",
    "JUDGE": "judging",
    "RULES_P99": "ruling",
    "VERDICT_WITH_FACTS": "gathering",
    "WEBHOOK": "admitting",
    "AUDIT": "auditing",
    "FINDING_TO_VERIFIED": "finding_to_verified",
    "WORLD": "passing",
    "DAY": "spending",
    "ALERT_INTAKE": "intaking",
    "EVENT_CLIENTS": "streaming",
    "CONSOLE": "paging",
}
"""Name to module of this folder. Modules are loaded one at a time, so that none pays for another's imports."""


def main(names: Sequence[str]) -> int:
    if unknown := [name for name in names if name.upper() not in BENCHES]:
        print(f"there is no bench {', '.join(unknown)}; the benches are {', '.join(BENCHES)}", file=sys.stderr)
        return 2
    short = False
    for name in [name.upper() for name in names] or list(BENCHES):
        module = f"benchmarks.{BENCHES[name]}"
        if importlib.util.find_spec(module) is None:
            print(f"{name}: not measured: there is no {module}", flush=True)
            short = True
            continue
        for line in importlib.import_module(module).run():
            print(line, flush=True)
            short |= not line.endswith((": met", ": reported"))
    return int(short)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
