"""Record the real API server into `recorded.json` beside this file: `python -m tests.simulator.api.record URL TOKEN CA_FILE`."""

import json
import sys
import uuid
from pathlib import Path
from typing import Any

import httpx

from tests.simulator.api.sequences import SEQUENCE, comparable, filled

RECORDED = Path(__file__).with_name("recorded.json")


def run(client: httpx.Client, namespace: str, name: str) -> dict[str, Any]:
    """Each step's comparable answer, by the step's name."""
    answers: dict[str, Any] = {}
    for step in SEQUENCE:
        body = step.body if isinstance(step.body, str) else json.dumps(step.body)
        response = client.request(
            step.method,
            filled(step.path, namespace, name),
            content=None if step.body is None else filled(body, namespace, name),
            headers={"Content-Type": step.content_type} if step.body is not None else {},
        )
        told = response.json() if response.headers.get("content-type", "").startswith("application/json") else response.text
        answers[step.name] = comparable(step, response.status_code, told, namespace, name)
    return answers


def main(url: str, token: str, authority: str) -> None:
    namespace, name = f"rec-{uuid.uuid4().hex[:8]}", f"own-{uuid.uuid4().hex[:8]}"
    headers = {"Authorization": f"Bearer {token}", "User-Agent": "recorder/1"}
    with httpx.Client(base_url=url, verify=authority, headers=headers, timeout=30) as client:
        client.post("/api/v1/namespaces", json={"metadata": {"name": namespace}}).raise_for_status()
        answers = run(client, namespace, name)
        client.delete(f"/api/v1/namespaces/{namespace}")
    RECORDED.write_text(json.dumps(answers, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:4])
