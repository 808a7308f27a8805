"""Which value of a variable is a secret that somebody wrote out: asked by a check, and by whatever keeps objects in a file.

One rule for both, so that a file in which secrets were taken out shows the same findings as the cluster.
"""

import re

from core.policy.redaction import redact

SHORTEST = 6
LONG = 20
"""From here on a value may be a key by its shape alone."""
BY_NAME = "[redacted: by its name]"
"""In the place of a value that only its name makes suspicious, and that no check calls a secret."""
_HIDDEN = "[redacted: "
_POINTS_ELSEWHERE = re.compile(r"\$\(|^/|^[a-z]+://[^:@\s]+$|^(file|vault|secret|ref|arn|projects)[:/]", re.IGNORECASE)
_TELLING = re.compile(r"pass|pwd|secret|key|token|auth|credential|cookie|session|signature", re.IGNORECASE)
_NUMBER = re.compile(r"[0-9.]+[a-z]{0,2}")


def is_secret(name: str, text: str) -> bool:
    """By the nets that keep secrets out of our own logs: the shape of the value, or the name beside a value that is no switch or path.

    What was taken out before it came here was one.
    """
    if _HIDDEN in text:
        return text != BY_NAME
    if len(text) < SHORTEST or not (_TELLING.search(name) or "@" in text or len(text) >= LONG):
        return False  # most variables end here: the nets below cost fifty times as much
    value = text.strip()
    if len(value) < SHORTEST or _POINTS_ELSEWHERE.search(value) or _NUMBER.fullmatch(value.lower()):
        return False
    line = f"{name}={value}"
    return redact(line) != line
