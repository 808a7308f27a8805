"""Secrets never reach a log, a prompt, the audit chain or a screen. Everything that leaves a process as text passes here first.

Three nets: shapes that only secrets have (keys, tokens, private keys, passwords in URLs), values beside a telling name
(`password=`, `"api_key": `), and strings too random to be words. Kubernetes' own random-looking strings stay readable: image digests,
uids, pod and template hashes are lower-case. Every pattern starts at a fixed text or a token's edge and has bounded parts, so the time
is linear in the text. `redact` applied twice is `redact` applied once.
"""

import itertools
import math
import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

_SHAPES: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "private key",
        re.compile(
            r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----(?:[^-]|-(?!----)){0,20000}"
            r"(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----)?"
        ),
    ),
    ("jwt", re.compile(r"(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{6,8192}\.[A-Za-z0-9_-]{4,8192}(?:\.[A-Za-z0-9_-]{0,8192}){0,3}")),
    ("aws key", re.compile(r"(?<![A-Za-z0-9])(?:AKIA|ASIA|AGPA|AIDA|AROA|ANPA)[A-Z0-9]{16}(?![A-Za-z0-9])")),
    (
        "token",
        re.compile(
            r"(?<![A-Za-z0-9])(?:gh[pousr]_[A-Za-z0-9]{20,255}|github_pat_[A-Za-z0-9_]{20,255}|glpat-[A-Za-z0-9_-]{16,255}"
            r"|xox[abeoprs]-[A-Za-z0-9-]{8,255}|xapp-[A-Za-z0-9-]{8,255}|[sr]k_(?:live|test)_[A-Za-z0-9]{16,255}|sk-[A-Za-z0-9_-]{20,255}"
            r"|AIza[A-Za-z0-9_-]{30,64}|ya29\.[A-Za-z0-9_-]{20,512}|npm_[A-Za-z0-9]{30,64}|hvs\.[A-Za-z0-9_-]{20,255}"
            r"|dop_v1_[a-f0-9]{40,80}|SG\.[A-Za-z0-9_-]{16,64}\.[A-Za-z0-9_-]{16,64})"
        ),
    ),
)
_BEARER = re.compile(r"\b(bearer\s{1,4})(?=[A-Za-z._~+/=-]{0,512}[0-9])[A-Za-z0-9._~+/=-]{12,8192}", re.IGNORECASE)
_URL_PASSWORD = re.compile(
    r"(?<![a-z0-9+.-])([a-z][a-z0-9+.-]{1,20}://[^\s:/@\"']{0,256}):(?!\[redacted)([^\s/@\"']{1,512})@", re.IGNORECASE
)

_STRONG = (
    r"pass(?:word|wd|phrase)|pwd|secret|api[_-]?key|access[_-]?key(?:[_-]?id)?"
    r"|secret[_-]?key|private[_-]?key|signing[_-]?key|credentials?"
)
_WEAK = r"token|authorization|auth|cookie|session(?:[_-]?id)?|signature"
_VALUE = (
    r"\\\"[^\"\\\n]{1,1024}(?:\\\")?|\"(?:[^\"\\\n]|\\.){1,1024}\"?|'[^'\n]{1,1024}'?"
    r"|[^\s\"'\\,;&(){}<>\[\]]{1,512}"
)
_SCHEMES = frozenset(("basic", "bearer", "digest", "negotiate"))
_SCHEME = rf"(?:(?:{'|'.join(sorted(_SCHEMES))})\s{{1,4}})?"
_NAMED = re.compile(
    rf"(?:(?P<strong>{_STRONG})|{_WEAK})(?:\\?[\"'])?\s{{0,4}}(?:=>|:=|[:=])\s{{0,4}}{_SCHEME}(?P<value>{_VALUE})",
    re.IGNORECASE,
)
_FLAG = re.compile(
    rf"(?<![^\s\"'\[,=])--?[a-z0-9-]{{0,32}}(?:(?P<strong>{_STRONG})|{_WEAK})[\"']?,?\s{{1,4}}(?P<value>{_VALUE})",
    re.IGNORECASE,
)
_DIGIT_OR_UPPER = re.compile(r"[0-9A-Z]")
_TAIL = re.compile(r"[^\s\"'\\,;&(){}<>\[\]]*")
_HARMLESS = frozenset(("true", "false", "null", "none", "nil", "yes", "no", "required", "optional", "missing", "redacted", "***", ""))

_RANDOM = re.compile(r"[A-Za-z0-9+/_=-]{24,}")
MIN_BITS_PER_CHARACTER = 3.7
MIN_CLASS_CHANGES = 0.36
"""Share of neighbours of different class (upper, lower, digit). Random base-62 has 0.62, camelCase words about 0.2."""

_SECRET_NAME = re.compile(rf"(?:{_STRONG}|token|authorization|cookie)$", re.IGNORECASE)


def redact(text: str) -> str:
    """The same text with every secret replaced by `[redacted: what]`. Never raises."""
    for what, shape in _SHAPES:
        text = shape.sub(f"[redacted: {what}]", text)
    text = _URL_PASSWORD.sub(r"\1:[redacted: password]@", text)
    text = _BEARER.sub(r"\1[redacted: token]", text)
    text = _hide_values(_FLAG, _hide_values(_NAMED, text))
    return _RANDOM.sub(lambda found: "[redacted: random]" if random_looking(found[0]) else found[0], text)


def redact_data(value: Any) -> Any:
    """The same JSON with texts redacted, values under telling keys hidden, and the contents of Kubernetes Secrets gone."""
    match value:
        case str():
            return redact(value)
        case Mapping():
            secret = value.get("kind") == "Secret"
            return {key: _hide_field(str(key), item, secret=secret) for key, item in value.items()}
        case list() | tuple():
            return [redact_data(item) for item in value]
        case _:
            return value


def random_looking(text: str) -> bool:
    """Whether a token is too random to be a word: mixed case and digits, many changes between them, and high entropy."""
    if len(text) > 4096:  # the tail of one token tells nothing that its head does not
        text = text[:4096]
    classes = [_class(character) for character in text]
    if not {"upper", "lower", "digit"} <= set(classes):
        return False
    changes = sum(left != right for left, right in itertools.pairwise(classes)) / (len(text) - 1)
    return changes >= MIN_CLASS_CHANGES and entropy(text) >= MIN_BITS_PER_CHARACTER


def entropy(text: str) -> float:
    """Shannon's, in bits per character."""
    size = len(text)
    return -sum(count / size * math.log2(count / size) for count in Counter(text).values())


def _class(character: str) -> str:
    if character.isdigit():
        return "digit"
    if character.isalpha():
        return "upper" if character.isupper() else "lower"
    return "sign"


def _hide_values(pattern: re.Pattern[str], text: str) -> str:
    """Values beside telling names, hidden. A value that is harmless is looked into again: it may itself be `name=value`."""
    parts: list[str] = []
    done = 0
    while found := pattern.search(text, done):
        start = found.start("value")
        parts.append(text[done:start])
        done = start
        if _hidden(found):
            parts.append(_quoted(found["value"], "[redacted: secret]"))
            tail = _TAIL.match(text, found.end())
            done = tail.end() if tail else found.end()
    parts.append(text[done:])
    return "".join(parts)


def _hidden(found: re.Match[str]) -> bool:
    value = found["value"].strip("\\\"'")
    if value.lower() in _HARMLESS or value.startswith("[redacted") or _names_a_hidden_one(found, value):
        return False
    return bool(found["strong"]) or _secret_value(value)


def _names_a_hidden_one(found: re.Match[str], value: str) -> bool:
    """`bearer` in `password=bearer [redacted: secret]` is the scheme of a value that is hidden already."""
    return value.lower() in _SCHEMES and found.string[found.end() :].lstrip().startswith("[redacted")


def _secret_value(value: str) -> bool:
    """Beside a weak name such as `token`, only what could be one: eight characters, not a number, not a plain word."""
    return len(value) >= 8 and not value.isdigit() and _DIGIT_OR_UPPER.search(value) is not None


def _quoted(original: str, replacement: str) -> str:
    opening = original[: len(original) - len(original.lstrip("\\\"'"))]
    closing = original[len(original.rstrip("\\\"'")) :] if opening else ""
    return f"{opening}{replacement}{closing}"


def _hide_field(key: str, value: Any, *, secret: bool) -> Any:
    if secret and key in ("data", "stringData") and isinstance(value, Mapping):
        return dict.fromkeys(value, "[redacted: secret]")
    if _SECRET_NAME.search(key) and isinstance(value, str) and value.lower() not in _HARMLESS:
        return "[redacted: secret]"
    return redact_data(value)
