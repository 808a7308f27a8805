"""The webhook's certificate: issued from the people's CA for its names, changed before it ends, served without a restart."""

import ssl
import stat
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from core.domain.errors import Corrupt
from gate.certificates import LIFE, Rotation, is_old, issue

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def authority(folder: Path, name: str = "ca") -> tuple[Path, Path]:
    """As docs/gate.md has people make it."""
    folder.mkdir(exist_ok=True)
    certificate, key = folder / f"{name}.crt", folder / f"{name}.key"
    line = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 365 -subj /CN=day2-webhook-ca -keyout"
    subprocess.run([*line.split(" "), str(key), "-out", str(certificate)], check=True, capture_output=True)
    return certificate, key


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return authority(tmp_path_factory.mktemp("ca"))


def test_a_leaf_is_for_its_names_lives_a_week_and_is_ours_alone(ca: tuple[Path, Path], tmp_path: Path) -> None:
    leaf = tmp_path / "keys" / "leaf.pem"
    issue(*ca, ["day2-webhook.day2-system.svc", "127.0.0.1"], leaf, datetime.now(UTC))
    found = x509.load_pem_x509_certificate(leaf.read_bytes())
    names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["day2-webhook.day2-system.svc"]
    assert [str(address) for address in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]
    assert not found.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert found.not_valid_after_utc - found.not_valid_before_utc <= LIFE + timedelta(minutes=6)
    assert leaf.stat().st_mode & 0o777 == 0o600
    found.verify_directly_issued_by(x509.load_pem_x509_certificate(ca[0].read_bytes()))


def test_a_leaf_is_old_after_two_thirds_of_its_life(ca: tuple[Path, Path], tmp_path: Path) -> None:
    leaf = tmp_path / "leaf.pem"
    assert is_old(leaf, NOW)
    now = datetime.now(UTC)
    issue(*ca, ["localhost"], leaf, now)
    assert not is_old(leaf, now)
    assert not is_old(leaf, now + timedelta(days=4))
    assert is_old(leaf, now + timedelta(days=5))
    leaf.write_text("no certificate")
    assert is_old(leaf, now)


def test_a_ca_that_everybody_may_read_signs_nothing(ca: tuple[Path, Path], tmp_path: Path) -> None:
    loose = tmp_path / "loose.key"
    loose.write_bytes(ca[1].read_bytes())
    loose.chmod(0o604)
    with pytest.raises(Corrupt, match="everybody"):
        issue(ca[0], loose, ["localhost"], tmp_path / "leaf.pem", NOW)


def test_a_key_of_another_ca_and_a_file_that_is_no_key_are_refused(ca: tuple[Path, Path], tmp_path: Path) -> None:
    _, other = authority(tmp_path / "other")
    with pytest.raises(Corrupt, match="not the EC key"):
        issue(ca[0], other, ["localhost"], tmp_path / "leaf.pem", NOW)
    other.write_text("nothing")
    with pytest.raises(Corrupt, match="no usable CA"):
        issue(ca[0], other, ["localhost"], tmp_path / "leaf.pem", NOW)


def test_a_new_certificate_is_loaded_once_and_a_bad_one_never(ca: tuple[Path, Path], tmp_path: Path) -> None:
    leaf = tmp_path / "leaf.pem"
    rotation = Rotation(leaf, leaf, ca, ("localhost",))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    assert rotation.refresh(context)
    assert not rotation.refresh(context)
    issue(*ca, ["localhost"], leaf, datetime.now(UTC))
    assert rotation.refresh(context)
    given = Rotation(leaf, leaf, None, ())
    leaf.write_text("no certificate")
    with pytest.raises(Corrupt, match="cannot be served"):
        given.refresh(context)


def test_a_leaf_says_that_it_is_none_to_sign_with_and_serves_only(ca: tuple[Path, Path], tmp_path: Path) -> None:
    leaf = tmp_path / "new" / "leaf.pem"
    issue(*ca, ["webhook.example", "10.0.0.1"], leaf, datetime.now(UTC))
    found = x509.load_pem_x509_certificate(leaf.read_bytes())
    basic = found.extensions.get_extension_for_class(x509.BasicConstraints)
    assert (basic.critical, basic.value.ca) == (True, False)
    others = (x509.SubjectAlternativeName, x509.ExtendedKeyUsage, x509.AuthorityKeyIdentifier)
    assert not any(found.extensions.get_extension_for_class(kind).critical for kind in others)
    assert stat.S_IMODE(leaf.stat().st_mode) == 0o600
    assert stat.S_IMODE(leaf.parent.stat().st_mode) == 0o700
    assert [path.name for path in leaf.parent.iterdir()] == ["leaf.pem"]


def test_what_a_crash_left_half_written_is_replaced(ca: tuple[Path, Path], tmp_path: Path) -> None:
    leaf = tmp_path / "leaf.pem"
    (tmp_path / ".leaf.pem.new").write_text("half")
    for _ in range(2):
        issue(*ca, ["webhook.example"], leaf, datetime.now(UTC))
    assert x509.load_pem_x509_certificate(leaf.read_bytes())


def test_a_leaf_is_fresh_from_its_first_second_to_before_its_last_third(ca: tuple[Path, Path], tmp_path: Path) -> None:
    leaf = tmp_path / "leaf.pem"
    issue(*ca, ["webhook.example"], leaf, datetime.now(UTC).replace(microsecond=0))
    found = x509.load_pem_x509_certificate(leaf.read_bytes())
    begin, life = found.not_valid_before_utc, found.not_valid_after_utc - found.not_valid_before_utc
    second = timedelta(seconds=1)
    ages = {begin - second: True, begin: False, begin + life * 2 / 3 - second: False, begin + life * 2 / 3: True}
    assert {moment: is_old(leaf, moment) for moment in ages} == ages
