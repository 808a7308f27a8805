"""The words of states with their glyph and their tone: never a colour alone."""

from collections.abc import Mapping

_WORDS: Mapping[str, tuple[str, str]] = {
    # good
    "verified": ("good", "✓"),
    "allow": ("good", "✓"),
    "approved": ("good", "✓"),
    "pass": ("good", "✓"),
    "kept": ("good", "✓"),
    "ok": ("good", "✓"),
    "healthy": ("good", "✓"),
    "alive": ("good", "●"),
    "ready": ("good", "●"),
    "ended": ("good", "✓"),
    "done": ("good", "✓"),
    "closed": ("good", "✓"),
    "resolved": ("good", "✓"),
    "whole": ("good", "✓"),
    # works
    "submitted": ("busy", "→"),
    "permitted": ("busy", "→"),
    "claimed": ("busy", "→"),
    "sending": ("busy", "→"),
    "applied": ("busy", "◐"),
    "undoing": ("busy", "↺"),
    "working": ("busy", "◐"),
    "begun": ("busy", "◐"),
    "waiting": ("busy", "…"),
    "active": ("busy", "◐"),
    # asks
    "needs_approval": ("asks", "?"),
    "warn": ("asks", "!"),
    "medium": ("asks", "◆"),
    "stale": ("asks", "!"),
    "late": ("asks", "!"),
    "draining": ("asks", "!"),
    "caught_up": ("good", "✓"),
    "skipped": ("over", "–"),
    "suspended": ("asks", "‖"),
    "paused": ("asks", "‖"),
    "open": ("asks", "!"),
    "unknown": ("asks", "?"),
    # bad
    "denied": ("bad", "✗"),
    "deny": ("bad", "✗"),
    "fail": ("bad", "✗"),
    "error": ("bad", "✗"),
    "failed": ("bad", "✗"),
    "escalated": ("bad", "‼"),
    "critical": ("bad", "▲"),
    "high": ("bad", "▲"),
    "missed": ("bad", "✗"),
    "broken": ("bad", "✗"),
    "stopped": ("bad", "■"),
    "firing": ("bad", "▲"),
    "expired-lease": ("bad", "✗"),
    # over, without harm
    "rolled_back": ("over", "↺"),
    "expired": ("over", "–"),
    "cancelled": ("over", "–"),
    "skip": ("over", "–"),
    "low": ("over", "▽"),
    "info": ("over", "i"),
    "muted": ("over", "–"),
}
TONES: Mapping[str, str] = {word: tone for word, (tone, _) in _WORDS.items()}
GLYPHS: Mapping[str, str] = {word: glyph for word, (_, glyph) in _WORDS.items()}
