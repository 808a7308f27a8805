"""Record the sequences on a real API server into `recorded/`: `python -m tests.simulator.api.recording FOLDER`.

FOLDER is that of a control plane started with `python -m tests.controlplane.rig FOLDER`. One line holds one sequence: its calls as they
were asked, and the comparable answers.
"""

import json
import ssl
import sys
import time
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from tests.simulator.api.families import FAMILIES
from tests.simulator.api.grammar import drawn
from tests.simulator.api.playing import Names, Sequence, play
from tests.simulator.api.steps import Step

RECORDED = Path(__file__).with_name("recorded")
Json = dict[str, Any]


class Recording(NamedTuple):
    """A sequence and how the real API server answered it."""

    sequence: Sequence
    answers: list[Json]

    def line(self) -> str:
        calls = [[step.method, step.path, step.body, step.content_type, dict(step.headers), step.name] for step in self.sequence.steps]
        return json.dumps({"name": self.sequence.name, "calls": calls, "answers": self.answers}, separators=(",", ":"), sort_keys=True)


def recorded(name: str) -> list[Recording]:
    """What one file of `recorded/` holds."""
    return [_read(json.loads(line)) for line in (RECORDED / f"{name}.jsonl").read_text().splitlines()]


def _read(told: Json) -> Recording:
    steps = [
        Step(name, method, path, body, content_type, headers=tuple(headers.items()))
        for method, path, body, content_type, headers, name in told["calls"]
    ]
    return Recording(Sequence(told["name"], tuple(steps)), told["answers"])


def ask(client: httpx.Client, sequence: Sequence) -> list[Json]:
    """The comparable answers of a real API server, from a namespace of its own that is deleted afterwards."""
    names = Names(f"seq-{uuid.uuid4().hex[:10]}", f"own-{uuid.uuid4().hex[:8]}")
    client.post("/api/v1/namespaces", json={"metadata": {"name": names.namespace}}).raise_for_status()
    _furnished(client, names.namespace)
    player = play(sequence, names)
    request = next(player)
    try:
        while True:
            if "settled=1" in request["url"]:
                time.sleep(2.0)  # what the next calls need is made by a controller
            request = player.send(client.request(**request))
    except StopIteration as ended:
        answers: list[Json] = ended.value
        return answers
    finally:
        client.delete(f"/api/v1/namespaces/{names.namespace}")


def _furnished(client: httpx.Client, namespace: str) -> None:
    """Controllers put these into every namespace; a page that ends before them has another page."""
    for place in ("configmaps/kube-root-ca.crt", "serviceaccounts/default"):
        for _ in range(200):
            if client.get(f"/api/v1/namespaces/{namespace}/{place}").is_success:
                break
            time.sleep(0.05)
        else:
            raise TimeoutError(f"{place} did not come into {namespace} within 10 s")


def client_of(folder: Path) -> httpx.Client:
    """The cluster's administrator, of a rig in `folder`."""
    config = json.loads((folder / "admin.kubeconfig").read_text())
    token = config["users"][0]["user"]["token"]
    url, authority = config["clusters"][0]["cluster"]["server"], str(folder / "pki" / "ca.crt")
    return httpx.Client(
        base_url=url, verify=ssl.create_default_context(cafile=authority), headers={"Authorization": f"Bearer {token}"}, timeout=30
    )


def record(client: httpx.Client, sequences: Iterable[Sequence]) -> Iterator[Recording]:
    for sequence in sequences:
        yield Recording(sequence, ask(client, sequence))


def main(folder: Path) -> None:
    RECORDED.mkdir(exist_ok=True)
    with client_of(folder) as client:
        for name, sequences in (("families", FAMILIES), ("drawn", tuple(drawn()))):
            lines = [each.line() for each in record(client, sequences)]
            (RECORDED / f"{name}.jsonl").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
