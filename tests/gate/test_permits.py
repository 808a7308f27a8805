"""A permit opens exactly one request, once, for a short time: whatever else is asked of it is refused."""

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc.jwk import OKPKey

from core.domain.errors import PermitRefused
from core.domain.permit import FORWARD_SECONDS, Permit
from gate import keys, permits
from gate.keys import Signer

pytestmark = pytest.mark.bypass
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
KEY = Signer(OKPKey.generate_key("Ed25519"))
STRANGER = Signer(OKPKey.generate_key("Ed25519"))
GOOD = Permit(
    jti="permit-1",
    use="forward",
    iss=permits.ISSUER,
    agent="scaling",
    action_id="act-0001",
    action_digest="a" * 64,
    verdict_digest="b" * 64,
    cluster="cluster-1",
    uid="uid-1",
    generation=3,
    request="c" * 64,
    line="patch /apis/apps/v1/namespaces/shop/deployments/cart",
    pre="d" * 64,
    post="e" * 64,
    iat=int(NOW.timestamp()),
    exp=int(NOW.timestamp()) + FORWARD_SECONDS,
)
OPENING = permits.Opening(**{name: getattr(GOOD, name) for name in permits.Opening._fields})
IDENTITY = ("agent", "action_id", "action_digest", "verdict_digest", "cluster", "uid", "request", "line", "iss")


def mutants() -> Iterator[tuple[str, dict[str, Any]]]:
    """Permits that the judge signed for something else."""
    for name in IDENTITY:
        good = getattr(GOOD, name)
        for label, bad in (
            ("other", "x" * len(good)),
            ("empty", ""),
            ("longer", good + "0"),
            ("shorter", good[:-1]),
            ("upper", good.upper() + "Z"),
        ):
            yield f"{name}-{label}", {name: bad}
    now = GOOD.iat
    yield "use-undo", {"use": "undo"}
    yield "forward-named", {"forward": "permit-0"}
    yield "undo-of-something", {"use": "undo", "forward": "permit-0"}
    yield "expired", {"iat": now - 120, "exp": now}
    yield "expired-long-ago", {"iat": now - 86_400, "exp": now - 86_400 + 120}
    yield "not-yet", {"iat": now + 60, "exp": now + 120}
    yield "lives-too-long", {"exp": now + 121}
    yield "lives-for-ever", {"exp": now + 10**9}
    yield "ends-before-it-starts", {"iat": now, "exp": now - 1}
    yield "no-life", {"exp": now}


ALL = dict(mutants())


def test_there_are_enough_mutants() -> None:
    assert len(ALL) >= 40


def test_the_good_permit_opens() -> None:
    assert permits.opened(permits.mint(GOOD, KEY), KEY.verifier, OPENING, NOW) == GOOD


@pytest.mark.parametrize("name", ALL)
def test_a_permit_for_anything_else_is_refused_though_the_judge_signed_it(name: str) -> None:
    token = permits.mint(GOOD.model_copy(update=ALL[name]), KEY)
    with pytest.raises(PermitRefused):
        permits.opened(token, KEY.verifier, OPENING, NOW)


def test_an_undo_permit_opens_its_undo_and_nothing_else() -> None:
    undo = GOOD.model_copy(update={"use": "undo", "forward": "permit-1", "exp": GOOD.iat + 3000})
    token = permits.mint(undo, KEY)
    assert permits.opened(token, KEY.verifier, OPENING._replace(use="undo", forward="permit-1"), NOW + timedelta(seconds=2000)) == undo
    with pytest.raises(PermitRefused):
        permits.opened(token, KEY.verifier, OPENING, NOW)
    with pytest.raises(PermitRefused):
        permits.opened(token, KEY.verifier, OPENING._replace(use="undo", forward="permit-2"), NOW)


def test_an_undo_permit_too_has_a_longest_life() -> None:
    undo = GOOD.model_copy(update={"use": "undo", "forward": "permit-1", "exp": GOOD.iat + permits.LONGEST_UNDO_SECONDS + 1})
    with pytest.raises(PermitRefused, match="lives longer"):
        permits.opened(permits.mint(undo, KEY), KEY.verifier, OPENING._replace(use="undo", forward="permit-1"), NOW)


def test_clocks_may_differ_by_five_seconds_and_no_more() -> None:
    ahead = GOOD.iat + permits.SKEW_SECONDS
    for issued, opens in ((ahead, True), (ahead + 1, False)):
        permit = GOOD.model_copy(update={"iat": issued, "exp": issued + 1})
        if opens:
            assert permits.opened(permits.mint(permit, KEY), KEY.verifier, OPENING, NOW) == permit
        else:
            with pytest.raises(PermitRefused, match="not valid yet"):
                permits.opened(permits.mint(permit, KEY), KEY.verifier, OPENING, NOW)


def test_a_permit_that_ends_as_it_begins_opens_nothing_also_where_the_judges_clock_is_ahead() -> None:
    permit = GOOD.model_copy(update={"iat": GOOD.iat + 3, "exp": GOOD.iat + 3})
    with pytest.raises(PermitRefused, match="lives longer"):
        permits.opened(permits.mint(permit, KEY), KEY.verifier, OPENING, NOW)


def test_a_permit_longer_than_admission_takes_is_refused_though_the_judge_signed_it() -> None:
    tokens = {
        len(token): token for extra in range(3000) if len(token := permits.mint(GOOD.model_copy(update={"jti": "x" * extra}), KEY)) > 4090
    }
    assert permits.read(tokens[permits.LARGEST], KEY.verifier)
    with pytest.raises(PermitRefused, match="possible length"):
        permits.read(tokens[min(length for length in tokens if length > permits.LARGEST)], KEY.verifier)


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def forgeries() -> Iterator[tuple[str, str]]:
    good = permits.mint(GOOD, KEY)
    head, body, mark = good.split(".")
    header = {"alg": "Ed25519", "kid": KEY.id, "typ": permits.TYPE}
    claims = GOOD.model_dump(mode="json")
    yield "empty", ""
    yield "no token", "nonsense"
    yield "too long", good + "A" * 5000
    yield "signed by a stranger", permits.mint(GOOD, STRANGER)
    yield "no signature", f"{head}.{body}."
    yield "signature of another", f"{head}.{body}.{permits.mint(GOOD.model_copy(update={'jti': 'x'}), KEY).split('.')[2]}"
    yield "alg none", f"{part(header | {'alg': 'none'})}.{body}."
    yield "alg none with the old signature", f"{part(header | {'alg': 'none'})}.{body}.{mark}"
    yield "alg HS256", f"{part(header | {'alg': 'HS256'})}.{body}.{mark}"
    yield "alg EdDSA", f"{part(header | {'alg': 'EdDSA'})}.{body}.{mark}"
    yield "claims replaced", f"{head}.{part(claims | {'uid': 'uid-2'})}.{mark}"
    yield "parts missing", f"{head}.{body}"
    yield "a part too many", f"{good}.{mark}"
    yield "of another type", KEY.sign(claims, typ="day2-approval+jwt")
    yield "a claim too many", KEY.sign(claims | {"admin": True}, typ=permits.TYPE)
    yield "a claim too few", KEY.sign({key: value for key, value in claims.items() if key != "uid"}, typ=permits.TYPE)
    yield "a time as text", KEY.sign(claims | {"exp": str(GOOD.exp)}, typ=permits.TYPE)
    yield "a time that is true", KEY.sign(claims | {"generation": True}, typ=permits.TYPE)
    yield "an unknown use", KEY.sign(claims | {"use": "any"}, typ=permits.TYPE)


FORGED = dict(forgeries())


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_permit_is_refused(name: str) -> None:
    with pytest.raises(PermitRefused):
        permits.opened(FORGED[name], KEY.verifier, OPENING, NOW)


@settings(deadline=None)
@given(st.integers(0, 10_000), st.sampled_from("ABCxyz012-_.="))
def test_no_changed_character_survives(place: int, letter: str) -> None:
    good = permits.mint(GOOD, KEY)
    head, dot, mark = good.rpartition(".")
    at = place % len(head)
    changed = head[:at] + letter + head[at + 1 :] + dot + mark
    if changed != good:
        with pytest.raises(PermitRefused):
            permits.opened(changed, KEY.verifier, OPENING, NOW)


def test_a_permit_fits_into_the_header_that_carries_it() -> None:
    assert len(permits.mint(GOOD.model_copy(update={"inverse": "f" * 64, "forward": "permit-0"}), KEY)) < 1400


def test_the_key_file_is_private_and_made_once(tmp_path: Path) -> None:
    first = keys.signer(tmp_path / "keys", keys.JUDGE)
    assert (tmp_path / "keys" / "judge.json").stat().st_mode & 0o777 == 0o600
    assert keys.signer(tmp_path / "keys", keys.JUDGE).id == first.id == keys.verifier(tmp_path / "keys", keys.JUDGE).id
    assert '"d"' not in (tmp_path / "keys" / "judge.pub.json").read_text()
