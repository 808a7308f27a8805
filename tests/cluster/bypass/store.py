"""What is stored, as etcd itself has it: every key of the API server with the revision of its last write.

That is more than any list of objects that a test could think of, and no refusal can look like one by a stale cache.
"""

import base64
import json
import time
from collections.abc import Mapping
from typing import Any

import httpx

from core.domain.values import Json
from tests.controlplane.rig import ControlPlane

ROOT, END = "/registry/", "/registry0"
HEARTBEATS = ("/registry/leases/kube-node-lease/", "/registry/leases/kube-system/apiserver-", "/registry/peerserverleases/")
ADDRESSES = "/registry/ipaddresses/"
"""Of the services of other tests, taken back when their controller comes to it."""
NODES = "/registry/minions/"
EVENTS = "/registry/events/"
OURS = "bypass-"
"""How events of attempts are named: those of controllers come when they like."""
SETTLED_SECONDS = 0.1
PATIENCE_SECONDS = 60.0


class Store:
    """`namespace` is the attempts' own; what other tests left behind in theirs is still being cleaned up."""

    def __init__(self, plane: ControlPlane, namespace: str) -> None:
        self._plane, self._own = plane, f"/{namespace}"
        self._etcd = httpx.Client(base_url=f"http://127.0.0.1:{plane.layout.ports.etcd}", trust_env=False)
        self._revision, self._last = "", dict[str, str]()

    def close(self) -> None:
        self._etcd.close()

    def look(self) -> dict[str, str]:
        """Revision by key. A node's is what it holds, because it says from time to time that it is alive.

        While the store's own revision stands, nobody has written anything at all.
        """
        if self._ranged(key=_text(ROOT), count_only=True)["header"]["revision"] == self._revision:
            return self._last
        answer = self._ranged(key=_text(ROOT), range_end=_text(END), keys_only=True)
        found = {base64.b64decode(row["key"]).decode(): row["mod_revision"] for row in answer["kvs"]}
        kept = {key: revision for key, revision in found.items() if self._counts(key)}
        self._revision, self._last = answer["header"]["revision"], kept | self._nodes()
        return self._last

    def settled(self) -> dict[str, str]:
        """When controllers have come to rest. Raises TimeoutError with what keeps moving."""
        end = time.monotonic() + PATIENCE_SECONDS
        last = self.look()
        while True:
            time.sleep(SETTLED_SECONDS)
            now = self.look()
            if now == last:
                return now
            if time.monotonic() > end:
                raise TimeoutError(f"what is stored keeps moving: {moved(last, now)}")
            last = now

    def _counts(self, key: str) -> bool:
        if key.startswith((*HEARTBEATS, ADDRESSES, NODES)) or ("/test-" in key and self._own not in key):
            return False
        return not key.startswith(EVENTS) or key.rpartition("/")[2].startswith(OURS)

    def _ranged(self, **asked: Any) -> Json:
        answer: Json = self._etcd.post("/v3/kv/range", json=asked).raise_for_status().json()
        return answer

    def _nodes(self) -> dict[str, str]:
        found = {}
        for item in self._plane.get("/api/v1/nodes")["items"]:
            meta = {key: value for key, value in item["metadata"].items() if key not in ("managedFields", "resourceVersion")}
            alive = [{key: value for key, value in each.items() if key != "lastHeartbeatTime"} for each in item["status"]["conditions"]]
            found[f"{NODES}{meta['name']}"] = json.dumps([meta, item["spec"], {**item["status"], "conditions": alive}], sort_keys=True)
        return found


def moved(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """Keys that came, went or were written."""
    return sorted(key for key in before.keys() | after.keys() if before.get(key) != after.get(key))


def _text(key: str) -> str:
    return base64.b64encode(key.encode()).decode()
