"""The webhook's serving certificate: files that people or cert-manager keep fresh, or leaves that we issue from a CA that people installed.

The CA is what the API server trusts (`caBundle`), and only people install it there; leaves live a week and are changed without a restart.
"""

import ipaddress
import os
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from core.domain.errors import Corrupt

LIFE = timedelta(days=7)
EARLY = timedelta(minutes=5)
"""A certificate is valid from a little before it is made, for clocks differ."""


def issue(ca_certificate: Path, ca_key: Path, names: Sequence[str], leaf: Path, now: datetime) -> None:
    """A new key with a certificate for the host `names`, both in the one file `leaf`. Raises Corrupt where the CA cannot be used."""
    if ca_key.stat().st_mode & 0o007:
        raise Corrupt(
            f"{ca_key} may be read or written by everybody", mend=f"chmod 600 {ca_key}; if others use this machine, make a new CA"
        )
    try:
        issuer = x509.load_pem_x509_certificate(ca_certificate.read_bytes())
        signer = serialization.load_pem_private_key(ca_key.read_bytes(), None)
    except (ValueError, TypeError) as error:
        raise Corrupt(f"{ca_certificate} with {ca_key} is no usable CA", mend="docs/gate.md shows how to make one") from error
    if issuer.public_key() != signer.public_key() or not isinstance(signer, ec.EllipticCurvePrivateKey):
        raise Corrupt(f"{ca_key} is not the EC key of {ca_certificate}", mend="docs/gate.md shows how to make one")
    key = ec.generate_private_key(ec.SECP256R1())
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "day2-webhook")]))
        .issuer_name(issuer.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - EARLY)
        .not_valid_after(min(now + LIFE, issuer.not_valid_after_utc))
        .add_extension(x509.SubjectAlternativeName([_name(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    _replace(leaf, private + builder.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))


def is_old(leaf: Path, now: datetime) -> bool:
    """Whether two thirds of its life are over, or there is none."""
    if not leaf.exists():
        return True
    try:
        found = x509.load_pem_x509_certificate(leaf.read_bytes())
    except ValueError:
        return True
    begin, end = found.not_valid_before_utc, found.not_valid_after_utc
    return not begin <= now < begin + (end - begin) * 2 / 3


@dataclass
class Rotation:
    """Keeps a serving context on the newest certificate. `key` is the certificate's own file where both are in one."""

    certificate: Path
    key: Path
    ca: tuple[Path, Path] | None
    names: Sequence[str]
    _loaded: tuple[float, float] = field(default=(0.0, 0.0), init=False)

    def prepare(self) -> None:
        """Issue a leaf where we do, and there is none that is fresh."""
        now = datetime.now(UTC)
        if self.ca and is_old(self.certificate, now):
            issue(*self.ca, self.names, self.certificate, now)

    def refresh(self, context: ssl.SSLContext) -> bool:
        """Load what changed since the last call; connections from now on see it. Raises Corrupt, and then the one before stays."""
        self.prepare()
        found = (self.certificate.stat().st_mtime, self.key.stat().st_mtime)
        if found == self._loaded:
            return False
        try:
            context.load_cert_chain(self.certificate, self.key)
        except (ssl.SSLError, OSError) as error:
            raise Corrupt(f"{self.certificate} cannot be served", mend="put certificate and key of one pair in place") from error
        self._loaded = found
        return True


def _name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _replace(path: Path, content: bytes) -> None:
    """All or nothing, readable by us alone."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path.with_name(f".{path.name}.new")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
