import ssl
import stat
from pathlib import Path

from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store

from tests.controlplane import certificates


def read(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def test_the_servers_certificate_holds_for_loopback_under_its_authority(tmp_path: Path) -> None:
    certificates.write(tmp_path / "pki")
    authority, server = read(tmp_path / "pki" / "ca.crt"), read(tmp_path / "pki" / "server.crt")
    verifier = PolicyBuilder().store(Store([authority])).build_server_verifier(x509.DNSName("localhost"))
    assert verifier.verify(server, []) == [server, authority]
    assert ssl.create_default_context(cafile=tmp_path / "pki" / "ca.crt").get_ca_certs()


def test_the_front_proxy_has_an_authority_of_its_own(tmp_path: Path) -> None:
    certificates.write(tmp_path / "pki")
    proxy, authority = read(tmp_path / "pki" / "front-proxy.crt"), read(tmp_path / "pki" / "ca.crt")
    assert proxy.issuer != authority.subject
    proxy.verify_directly_issued_by(read(tmp_path / "pki" / "front-proxy-ca.crt"))


def test_nobody_else_reads_a_key(tmp_path: Path) -> None:
    certificates.write(tmp_path / "pki")
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "pki").glob("*.key")} == {0o600}
    assert stat.S_IMODE((tmp_path / "pki").stat().st_mode) == 0o700
