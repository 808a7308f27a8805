"""Record the real API server into `recorded.json` beside this file: `python -m tests.simulator.api.record FOLDER`.

FOLDER is that of a control plane started by hand with `python -m tests.controlplane.rig FOLDER`.
"""

import json
import sys
import time
import uuid
from pathlib import Path
from typing import Any

import httpx

from tests.simulator.api.sequences import SEQUENCE
from tests.simulator.api.sequences_of_access import ACCESS
from tests.simulator.api.sequences_of_lives import LIVES
from tests.simulator.api.steps import Step, comparable, filled

EVERY = SEQUENCE + ACCESS + LIVES
RECORDED = Path(__file__).with_name("recorded.json")


def sent(step: Step, namespace: str, name: str) -> dict[str, Any]:
    """A step as keyword arguments of a client's `request`."""
    body = step.body if isinstance(step.body, str) else json.dumps(step.body)
    headers = {header: filled(value, namespace, name) for header, value in step.headers}
    if step.body is not None:
        headers["Content-Type"] = step.content_type
    content = None if step.body is None else filled(body, namespace, name)
    return {"method": step.method, "url": filled(step.path, namespace, name), "content": content, "headers": headers}


def told(response: httpx.Response) -> Any:
    """The body, read as far as it is JSON."""
    return response.json() if response.headers.get("content-type", "").startswith("application/json") else response.text


def run(clients: dict[str, httpx.Client], namespace: str, name: str) -> dict[str, Any]:
    """Each step's comparable answer, by the step's name."""
    answers: dict[str, Any] = {}
    for step in EVERY:
        if "settled" in step.name:
            time.sleep(1)  # the API server reads RBAC from a cache
        response = clients[step.identity].request(**sent(step, namespace, name))
        answers[step.name] = comparable(step, response.status_code, told(response), namespace, name)
    return answers


def main(folder: Path) -> None:
    namespace, name = f"rec-{uuid.uuid4().hex[:8]}", f"own-{uuid.uuid4().hex[:8]}"
    clients: dict[str, httpx.Client] = {}
    for identity in ("admin", "executor"):
        config = json.loads((folder / f"{identity}.kubeconfig").read_text())
        headers = {"Authorization": f"Bearer {config['users'][0]['user']['token']}", "User-Agent": "recorder/1"}
        url, authority = config["clusters"][0]["cluster"]["server"], str(folder / "pki" / "ca.crt")
        clients[identity] = httpx.Client(base_url=url, verify=authority, headers=headers, timeout=30)
    clients["admin"].post("/api/v1/namespaces", json={"metadata": {"name": namespace}}).raise_for_status()
    answers = run(clients, namespace, name)
    clients["admin"].delete(f"/api/v1/namespaces/{namespace}")
    RECORDED.write_text(json.dumps(answers, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
