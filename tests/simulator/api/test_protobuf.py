"""Kubernetes protobuf bodies are read as far as the table goes, and broken ones are refused."""

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator import protobuf

TYPE = {"Content-Type": "application/vnd.kubernetes.protobuf"}


def field(number: int, value: bytes) -> bytes:
    assert len(value) < 128
    return bytes([number << 3 | 2, len(value)]) + value


def packed(kind: str, message: bytes) -> bytes:
    return protobuf.MAGIC + field(1, field(1, b"v1") + field(2, kind.encode())) + field(2, message)


def config_map(name: bytes) -> bytes:
    entry = field(1, b"key") + field(2, b"value")
    return packed("ConfigMap", field(1, field(1, name) + field(11, field(1, b"a") + field(2, b"b"))) + field(2, entry) + b"\x20\x01")


def test_a_known_kind_is_read() -> None:
    meta = {"name": "c", "labels": {"a": "b"}}
    expected = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"key": "value"}, "immutable": True}
    assert protobuf.decode(config_map(b"c")) == expected


async def test_it_is_stored_and_an_unknown_kind_is_an_unsupported_type(api: httpx.AsyncClient) -> None:
    path = "/api/v1/namespaces/shop/configmaps"
    assert (await api.post(path, content=config_map(b"c"), headers=TYPE)).status_code == 201
    assert (await api.post("/api/v1/namespaces/shop/pods", content=packed("Pod", b""), headers=TYPE)).status_code == 415
    assert (await api.post(path, content=b"nonsense", headers=TYPE)).status_code == 400


@given(st.binary(max_size=60))
def test_a_broken_body_is_a_value_error_or_an_unknown_kind(tail: bytes) -> None:
    try:
        protobuf.decode(packed("ConfigMap", tail) if len(tail) < 50 else protobuf.MAGIC + tail)
    except (ValueError, KeyError):
        return


def test_a_cut_body_is_refused() -> None:
    with pytest.raises(ValueError, match="ends in the middle"):
        protobuf.decode(config_map(b"c")[:-3])
