"""What the roles of an evaluation say of a write: by whose permit it went."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from gate import keys
from runtime.roles.judged import Court


def test_what_this_judge_did_not_sign_is_no_permit(tmp_path: Path) -> None:
    hands: Any = SimpleNamespace(judge=keys.signer(tmp_path, keys.JUDGE).verifier)
    none: Any = None
    court = Court(none, hands, none, none)
    assert court.permit("") is None
    assert court.permit("a.forged.one") is None
    stranger = keys.signer(tmp_path / "other", keys.JUDGE)
    assert court.permit(stranger.sign({"act": "act-1"}, typ="day2-permit")) is None
