"""A `FindingList` with everything that renderers must live with: hostile text, an object in a file, and checks that did not run."""

from typing import Any

HOSTILE = "<script>alert(1)</script>\x1b[31m ${7*7} {{7*7}} ]]> & \" '"


def finding(number: int, severity: str, **over: Any) -> dict[str, Any]:
    subject = {"cluster": "c-1", "group": "apps", "kind": "Deployment", "namespace": "shop", "name": f"web-{number}", "uid": f"u-{number}"}
    return {
        "id": f"fnd-{number}",
        "code": f"REL-10{number}",
        "agent": "reliability",
        "severity": severity,
        "subject": subject,
        "title": f"{HOSTILE} is the title",
        "matters": f"{HOSTILE} matters",
        "evidence": [
            {
                "id": f"ev-{number}",
                "source": "log",
                "subject": subject,
                "query": f"logs {HOSTILE}",
                "value": HOSTILE,
                "at": "2026-01-02T03:04:05Z",
                "resourceVersion": "",
                "quoted": True,
            }
        ],
        "at": "2026-01-02T03:04:05Z",
        "next": f"day2 plan fnd-{number}",
        "location": None,
    } | over


def findings(*items: dict[str, Any]) -> dict[str, Any]:
    levels = ("critical", "high", "medium", "low", "info")
    return {
        "apiVersion": "day2.dev/v1alpha1",
        "kind": "FindingList",
        "metadata": {
            "schemaMinor": 3,
            "context": HOSTILE,
            "cluster": "c-1",
            "namespaces": ["shop"],
            "at": "2026-01-02T03:04:05Z",
            "score": 77,
            "counts": {level: sum(item["severity"] == level for item in items) for level in levels},
            "knownFromBaseline": 0,
            "selector": "",
            "source": "",
            "asOf": None,
            "muted": 2,
            "nextMuteEnds": "2026-01-09T03:04:05Z",
            "gone": 1,
        },
        "items": list(items),
        "muted": [],
        "mutesEnded": [],
        "gone": [{"id": "fnd-gone", "code": "REL-101", "severity": "high", "object": HOSTILE, "title": HOSTILE}],
        "coverage": {"run": ["REL-101", "FIN-101"], "notRun": [{"check": "SEC-105 bindings", "reason": HOSTILE}]},
    }
