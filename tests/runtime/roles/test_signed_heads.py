"""Judge and executor each sign the heads of their own chain with a key of their own, and anchor each other's."""

import json
from typing import Any

from gate import audit
from tools.stores.sink import Sink


async def test_each_process_signs_its_own_head_and_anchors_the_others(house: Any) -> None:
    action = str(await house.submit())
    house.start("judge")
    house.start("executor")
    assert await house.until_ended(action), house.row(action)
    assert [house.end(role) for role in ("judge", "executor")] == [0, 0]
    for role in ("judge", "executor"):
        assert (house.folder / "keys" / f"{role}.json").stat().st_mode & 0o077 == 0
        assert (house.folder / f"audit.{role}.heads").stat().st_mode & 0o077 == 0
    signed, problems = audit.signed_heads(house.folder, house.folder / "keys")
    assert problems == []
    assert {head.role for head in signed} == {"judge", "executor"}
    assert house.ledger.head()["executor"] in signed
    anchors = [row for row in house.ledger.chain(role="executor") if row.event == "anchored"]
    assert {"door", "judge"} <= set(json.loads(anchors[-1].body)["heads"])
    report = audit.verify_ledger(house.ledger, sink=Sink(house.folder / "audit.jsonl").rows(), signed=signed)
    assert report.problems == ()


async def test_the_second_sink_is_where_the_settings_say(house: Any) -> None:
    (house.folder / "elsewhere").mkdir()
    path = house.folder / "elsewhere" / "audit.jsonl"
    action = str(await house.submit())
    house.start("executor", audit_sink=str(path))
    assert await house.until_ended(action), house.row(action)
    assert house.end("executor") == 0
    assert [row.name for row in Sink(path).rows()] == [row.name for row in house.ledger.chain()]
