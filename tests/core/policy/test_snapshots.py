"""A snapshot's file: gives back what was saved, holds no secret, and is refused when it is damaged or newer."""

import gzip
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.cluster.decoding import decode_page
from core.cluster.objects import STRUCTS
from core.cluster.snapshot import Snapshot
from core.domain.errors import InvalidInput
from core.policy import snapshots
from core.policy.literals import is_secret
from core.policy.snapshots import Saved

NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
HIDDEN = "[redacted"


def pod(number: int, **container: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": f"cart-{number}", "namespace": "shop", "uid": f"u-{number}", "labels": {"app": "cart"}},
        "spec": {"nodeName": "node-1", "containers": [{"name": "app", "image": "cart:1", **container}]},
        "status": {"phase": "Running", "startTime": "2026-01-01T00:00:00Z"},
    }


def snapshot(*pods: dict[str, Any], **more: Any) -> Snapshot:
    page = decode_page("Pod", json.dumps({"items": pods}).encode())
    return Snapshot(cluster="c-1", taken_at=NOW, objects={"Pod": page.items, "Node": ()}, **more)


def saved(*pods: dict[str, Any], **more: Any) -> Saved:
    return Saved(snapshot(*pods, **more), "prod-eu", ("shop",))


def builtin(found: Saved, kind: str = "Pod") -> Any:
    return [msgspec.to_builtins(item) for item in found.snapshot.of(kind)]


def lines(packed: bytes) -> list[Any]:
    return [json.loads(line) for line in gzip.decompress(packed).splitlines()]


def packed(rows: list[Any]) -> bytes:
    return gzip.compress("".join(json.dumps(row) + "\n" for row in rows).encode())


def variable(name: str, value: str) -> str:
    back = snapshots.decode(snapshots.encode(saved(pod(1, env=[{"name": name, "value": value}]))), "f")
    return str(back.snapshot.pods[0].spec.containers[0].env[0].value)


def test_what_was_saved_comes_back_with_what_was_not_read() -> None:
    before = saved(*(pod(number) for number in range(1100)), unread={"Event": "forbidden"}, poisoned=(("Pod shop/odd", "no name"),))
    after = snapshots.decode(snapshots.encode(before), "f")
    assert builtin(after) == builtin(before)
    assert (after.context, after.namespaces, after.snapshot.cluster, after.snapshot.taken_at) == ("prod-eu", ("shop",), "c-1", NOW)
    assert dict(after.snapshot.unread) == {"Event": "forbidden"}
    assert after.snapshot.poisoned == (("Pod shop/odd", "no name"),)
    assert set(after.snapshot.objects) == {"Pod", "Node"}, "a kind of which there is none was looked at"


def test_the_same_snapshot_gives_the_same_bytes() -> None:
    assert snapshots.encode(saved(pod(1))) == snapshots.encode(saved(pod(1)))


@pytest.mark.parametrize("kind", sorted(STRUCTS))
def test_every_kind_that_agents_read_comes_back(kind: str) -> None:
    body = json.dumps({"items": [{"metadata": {"name": "a", "uid": "u-1", "creationTimestamp": "2026-01-01T00:00:00Z"}}]}).encode()
    before = Saved(Snapshot("c-1", NOW, {kind: decode_page(kind, body).items}), "", ())
    assert builtin(snapshots.decode(snapshots.encode(before), "f"), kind) == builtin(before, kind)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DB_PASSWORD", "hunter2"),
        ("DB_PASSWORD_OLD", "hunter2"),
        ("PGPASSWORD", "a b"),
        ("dbPass", "hunter2"),
        ("API_KEY", "k1"),
        ("AWS_ACCESS_KEY_ID", "anything"),
        ("SLACK_TOKEN", "https://hooks.example/services/T0/B0/x"),
        ("SESSION_COOKIE", "abc"),
        ("HARMLESS", "ghp_0123456789abcdefghij0123"),
        ("URL", "postgres://cart:hunter2@db.shop.svc/cart"),
        ("AUTH", "Abcdefg1"),
        ("SIGNING_KEY", "my.secret.value"),
    ],
)
def test_values_that_look_secret_are_taken_out(name: str, value: str) -> None:
    secret = "hunter2" if "hunter2" in value else value
    assert secret not in variable(name, value)
    assert HIDDEN in variable(name, value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PEER", "http://tokens.shop.svc:8080/v1"),
        ("TOKEN_SERVICE", "tokens.shop.svc.cluster.local:8080"),
        ("LOG_LEVEL", "debug"),
        ("COMPASS", "north"),
        ("BYPASS_CACHE", "true"),
        ("EMPTY_PASSWORD", ""),
    ],
)
def test_what_checks_compare_stays(name: str, value: str) -> None:
    assert variable(name, value) == value


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DB_PASSWORD", "hunter2"),
        ("DB_PASSWORD", "abc"),
        ("DB_PASSWORD", "/run/secrets/db"),
        ("DB_PASSWORD", "$(OTHER)"),
        ("TOKEN_TTL", "3600"),
        ("TOKEN_SERVICE", "somewhere"),
        ("URL", "postgres://cart:hunter2@db.shop.svc/cart"),
        ("URL", "https://db.shop.svc/cart"),
        ("AUTH", "Abcdefg1"),
        ("PLAIN", "debug"),
        ("ANY", "ghp_0123456789abcdefghij0123"),
    ],
)
def test_a_check_calls_the_same_values_secrets_as_before(name: str, value: str) -> None:
    assert is_secret(name, variable(name, value)) is is_secret(name, value)


@given(
    st.sampled_from(["DB_PASSWORD", "TOKEN_TTL", "AUTH", "API_KEY_FILE", "PLAIN", "COOKIE", "X"]),
    st.text(st.characters(codec="ascii", exclude_categories=["Cc"])).filter(lambda text: "[redacted" not in text),
)
def test_whatever_the_value_is(name: str, value: str) -> None:
    kept = snapshots.clean({"name": name, "value": value})["value"]
    assert is_secret(name, kept) is is_secret(name, value)


@pytest.mark.parametrize(
    "hidden",
    [
        {"livenessProbe": {"httpGet": {"port": 80, "httpHeaders": [{"name": "X-Api-Key", "value": "hunter2"}]}}},
        {"readinessProbe": {"exec": {"command": ["sh", "-c", "curl --password hunter2 localhost"]}}},
    ],
    ids=["header", "command"],
)
def test_probes_hold_no_secret(hidden: dict[str, Any]) -> None:
    text = gzip.decompress(snapshots.encode(saved(pod(1, **hidden)))).decode()
    assert "hunter2" not in text
    assert "X-Api-Key" in text or "curl" in text


def test_annotations_hold_no_secret_and_the_manifest_in_one_is_not_kept() -> None:
    item = pod(1)
    item["metadata"]["annotations"] = {
        "kubectl.kubernetes.io/last-applied-configuration": '{"env": [{"name": "X", "value": "hunter2"}]}',
        "example.org/password": "hunter3",
        "kubernetes.io/config.mirror": "abc",
    }
    (found,) = builtin(snapshots.decode(snapshots.encode(saved(item)), "f"))
    assert found["metadata"]["annotations"] == {"example.org/password": "[redacted: secret]", "kubernetes.io/config.mirror": "abc"}


def test_names_labels_and_images_stay_whatever_they_look_like() -> None:
    item = pod(1, image="registry.example/auth-token:v1.2.3-Abc")
    item["metadata"]["labels"] = {"secret": "hunter2", "token": "Abcdefg1"}
    item["spec"]["nodeSelector"] = {"token": "Abcdefg1"}
    (found,) = builtin(snapshots.decode(snapshots.encode(saved(item)), "f"))
    assert found["metadata"]["labels"] == {"secret": "hunter2", "token": "Abcdefg1"}
    assert found["spec"]["nodeSelector"] == {"token": "Abcdefg1"}
    assert found["spec"]["containers"][0]["image"] == "registry.example/auth-token:v1.2.3-Abc"


def test_neither_secrets_nor_values_of_config_maps_can_be_in_a_file() -> None:
    assert "Secret" not in STRUCTS
    page = decode_page("ConfigMap", json.dumps({"items": [{"metadata": {"name": "a"}, "data": {"k": "hunter2"}}]}).encode())
    text = gzip.decompress(snapshots.encode(Saved(Snapshot("c-1", NOW, {"ConfigMap": page.items}), "", ())))
    assert b"hunter2" not in text


def test_times_of_other_zones_mean_the_same_moment() -> None:
    rows = lines(snapshots.encode(saved(pod(1))))
    rows[0]["takenAt"] = (NOW + timedelta(hours=1)).isoformat().replace("+00:00", "+01:00")
    assert snapshots.decode(packed(rows), "f").snapshot.taken_at == NOW


def test_a_newer_version_is_refused_with_what_to_do() -> None:
    rows = lines(snapshots.encode(saved(pod(1))))
    rows[0] = {"kind": rows[0]["kind"], "version": 2, "somethingNew": True}
    with pytest.raises(InvalidInput, match="newer day2: version 2") as caught:
        snapshots.decode(packed(rows), "f.snap")
    assert caught.value.mend == "upgrade day2"


def test_anything_else_that_is_packed_is_no_snapshot() -> None:
    for content in (b"", b"text\n", b'{"kind": "List"}\n', b"[1]\n"):
        with pytest.raises(InvalidInput, match="no saved snapshot"):
            snapshots.decode(gzip.compress(content), "f")


def broken() -> dict[str, bytes]:
    whole = snapshots.encode(saved(*(pod(number) for number in range(3))))
    rows = lines(whole)
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 0xFF
    fewer = [rows[0], rows[1] | {"items": rows[1]["items"][:1]}]
    return {
        "cut off": whole[:-20],
        "one byte": bytes(flipped),
        "checksum": whole[:-8] + b"\0" * 8,
        "a page lost": packed(rows[:1]),
        "an object lost": packed(fewer),
        "a page twice": packed([*rows, rows[1]]),
        "a strange kind": packed([*rows, {"kind": "Secret", "items": [{"metadata": {"name": "a"}}]}]),
        "a strange count": packed([rows[0] | {"counts": {"Pod": 3, "Secret": 0, "Node": 0}}, *rows[1:]]),
        "no version": packed([rows[0] | {"version": 0}, *rows[1:]]),
        "no cluster": packed([rows[0] | {"cluster": ""}, *rows[1:]]),
        "no time": packed([rows[0] | {"takenAt": "soon"}, *rows[1:]]),
        "no page": packed([*rows, [1]]),
        "no end": gzip.compress(gzip.decompress(whole).rstrip(b"\n")),
    }


@pytest.mark.parametrize("way", sorted(broken()))
def test_a_damaged_file_is_refused_as_a_whole(way: str) -> None:
    with pytest.raises(InvalidInput, match="is damaged") as caught:
        snapshots.decode(broken()[way], "f.snap")
    assert "day2 snapshot save" in caught.value.mend


@given(st.binary(max_size=400))
def test_no_bytes_are_more_than_refused(content: bytes) -> None:
    for bytes_ in (content, snapshots.MAGIC + content, gzip.compress(content)):
        with pytest.raises(InvalidInput):
            snapshots.decode(bytes_, "f")


@given(
    st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))
)
def test_cleaning_keeps_the_shape_and_is_done_once(value: Any) -> None:
    once = snapshots.clean(value)
    assert snapshots.clean(once) == once
    json.dumps(once)
