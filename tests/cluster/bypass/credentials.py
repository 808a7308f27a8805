"""Credentials that an attacker could come by: certificates of the cluster's CA for users of ours, and tokens that are not what they say."""

from __future__ import annotations

import base64
import json
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from core.actions.roles import NAMESPACE
from gate import permits
from tests.controlplane import certificates as authorities

if TYPE_CHECKING:
    from tests.cluster.bypass.ground import Ground


SUBJECTS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "certificate agent": ("day2:agent:scaling", ()),
    "certificate preview": ("day2:preview:scaling", ()),
    "certificate agent and master": ("day2:agent:scaling", ("system:masters",)),
    "certificate agent of ours": ("day2:agent:scaling", ("day2:agents",)),
    "certificate unknown agent": ("day2:agent:nobody", ("system:masters",)),
    "certificate day2 user": ("day2:root", ("system:masters",)),
    "certificate account": (f"system:serviceaccount:{NAMESPACE}:executor", ("system:masters",)),
    "certificate account group": ("somebody", ("system:masters", f"system:serviceaccounts:{NAMESPACE}")),
    "certificate notifier": (f"system:serviceaccount:{NAMESPACE}:notifier", ("system:masters",)),
    "certificate day2 group": ("somebody", ("system:masters", "day2:anything")),
}
"""Common name and organisations: the user and its groups, as Kubernetes reads a client certificate."""


def certificate(ground: Ground) -> dict[str, httpx.Client]:
    """A client by identity, for each of the subjects; and for one that the cluster's CA never signed."""
    folder = ground.plane.certificate_authority.parent
    key = serialization.load_pem_private_key((folder / "ca.key").read_bytes(), None)
    ca = x509.load_pem_x509_certificate((folder / "ca.crt").read_bytes())
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    ours = authorities.Authority(key, ca)
    found = {who: _client(ground, ours, who, *subject) for who, subject in SUBJECTS.items()}
    foreign = _client(ground, authorities.new_authority("ca"), "certificate of nobody", "day2:agent:scaling", ("system:masters",))
    return found | {"certificate of nobody": foreign}


def _client(ground: Ground, authority: authorities.Authority, who: str, user: str, groups: tuple[str, ...]) -> httpx.Client:
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(UTC)
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, user), *(x509.NameAttribute(NameOID.ORGANIZATION_NAME, name) for name in groups)]
    builder = x509.CertificateBuilder(authority.certificate.subject, x509.Name(parts), key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(minutes=5)).not_valid_after(now + timedelta(days=1))
    builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
    name = who.replace(" ", "-")
    authorities.save(ground.folder, name, key, builder.sign(authority.key, hashes.SHA256()))
    context = ssl.create_default_context(cafile=str(ground.plane.certificate_authority))
    context.load_cert_chain(ground.folder / f"{name}.crt", ground.folder / f"{name}.key")
    return httpx.Client(base_url=ground.plane.url, verify=context, trust_env=False, timeout=30)


def forged_tokens(ground: Ground) -> dict[str, str]:
    """Bearer tokens by identity, each nearly one of the executor's."""
    head, body, signature = ground.tokens["executor"].split(".")
    claims = json.loads(_bytes(body))
    account = f"system:serviceaccount:{NAMESPACE}:executor"
    past = _text({**claims, "exp": claims["iat"] - 10, "iat": claims["iat"] - 20, "nbf": claims["iat"] - 20})
    renamed = _text({**claims, "sub": "day2:agent:scaling"})
    return {
        "token unsigned": f"{head}.{body}.",
        "token alg none": f"{_text({'alg': 'none', 'typ': 'JWT'})}.{body}.",
        "token expired": f"{head}.{past}.{signature}",
        "token renamed": f"{head}.{renamed}.{signature}",
        "token of another audience": _requested(ground, "executor", audiences=["https://elsewhere.example"]),
        "token of a deleted account": _orphaned(ground),
        "permit as token": ground.guard.judge.sign({"sub": account}, typ=permits.TYPE),
        "name as token": account,
    }


def _requested(ground: Ground, account: str, **spec: object) -> str:
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 3600, **spec}}
    path = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/{account}/token"
    return str(ground.plane.request("POST", path, body).raise_for_status().json()["status"]["token"])


def _orphaned(ground: Ground) -> str:
    """Of an account of our namespace that is no more."""
    accounts = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts"
    body = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "bypass-gone"}}
    ground.plane.request("POST", accounts, body).raise_for_status()
    token = _requested(ground, "bypass-gone")
    ground.plane.request("DELETE", f"{accounts}/bypass-gone").raise_for_status()
    return token


def _bytes(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _text(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")
