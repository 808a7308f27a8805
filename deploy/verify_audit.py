#!/usr/bin/env python3
"""Verifies day2ops' audit chains without day2ops, for whoever must not trust the program that wrote them.

    python3 verify_audit.py audit.jsonl [FOLDER...]

`audit.jsonl` is the second sink, or `day2 audit export --format jsonl`. A FOLDER holds signed heads (`audit.NAME.heads`) and public keys
(`NAME.pub.json`), best copied to another machine while they were made: without them an end that was cut off cannot be seen. Python 3.11
and, for heads, the package `cryptography`; nothing else. Exit code 0: whole; 1: not; 2: cannot be read.
"""

import base64
import hashlib
import json
import sys
from pathlib import Path

FORM, ANCHORED, HEAD_TYPE = "day2-audit-2", "anchored", "day2-head+jwt"
FIELDS = ("place", "seq", "previous", "at", "role", "event", "subject", "body")


def chained(row: dict) -> str:
    """SHA-256 over the canonical JSON of form, place, sequence, previous hash, time, role, event, subject and body."""
    body = row["body"] if isinstance(row["body"], str) else _json(row["body"], sort_keys=True)
    told = [FORM, *(body if name == "body" else row[name] for name in FIELDS)]
    return hashlib.sha256(_json(told).encode()).hexdigest()


def verify(lines: list[bytes]) -> tuple[dict[str, dict[int, str]], list[str]]:
    """Each role's hashes by sequence, and what is wrong."""
    chains: dict[str, dict[int, str]] = {}
    problems = []
    for place, line in enumerate(lines, 1):
        row = json.loads(line)
        role, seq, name = row["role"], row["seq"], f"{row['role']}/{row['seq']}"
        chain = chains.setdefault(role, {})
        if row["place"] != place:
            problems.append(f"record number {place} is missing or out of order: {name} stands there")
        if seq != len(chain) + 1:
            problems.append(f"record {role}/{len(chain) + 1} is missing: {name} stands in its place")
        if chain and row["previous"] != chain.get(seq - 1):
            problems.append(f"record {name} does not follow the one before it")
        if chained(row) != row["hash"]:
            problems.append(f"record {name} was changed")
        if row["event"] == ANCHORED:
            problems += anchored(row, name, chains)
        chain[seq] = row["hash"]
    return chains, problems


def anchored(row: dict, name: str, chains: dict[str, dict[int, str]]) -> list[str]:
    """An anchor says where every other chain stood just then."""
    body = json.loads(row["body"]) if isinstance(row["body"], str) else row["body"]
    said = {role: tuple(head) for role, head in body["heads"].items()}
    stood = {role: (max(chain), chain[max(chain)]) for role, chain in chains.items() if chain and role != row["role"]}
    return [f"{name} anchors {role}, which stood elsewhere" for role in sorted({*said, *stood}) if said.get(role) != stood.get(role)]


def heads(folder: Path, chains: dict[str, dict[int, str]]) -> tuple[int, list[str]]:
    """How many heads were signed by the key beside them, and which the chains contradict."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    count, problems = 0, []
    for path in sorted(folder.glob("audit.*.heads")):
        name = path.name.removeprefix("audit.").removesuffix(".heads")
        found = [place for place in (folder / f"{name}.pub.json", folder / "keys" / f"{name}.pub.json") if place.exists()]
        if not found:
            problems.append(f"{path.name}: no key {name}.pub.json beside it")
            continue
        key = Ed25519PublicKey.from_public_bytes(_bytes(json.loads(found[0].read_text())["x"]))
        for number, token in enumerate(path.read_text().split(), 1):
            header, claims, signature = token.split(".")
            try:
                key.verify(_bytes(signature), f"{header}.{claims}".encode())
            except InvalidSignature:
                problems.append(f"{path.name} line {number} was not signed by {name}")
                continue
            said = json.loads(_bytes(claims))
            count += 1
            if json.loads(_bytes(header)).get("typ") != HEAD_TYPE or chains.get(said["role"], {}).get(said["seq"]) != said["hash"]:
                problems.append(f"{name} signed record {said['role']}/{said['seq']}, which the chain does not have so")
    return count, problems


def _json(value: object, *, sort_keys: bool = False) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, sort_keys=sort_keys)


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def main(arguments: list[str]) -> int:
    if not arguments or arguments[0].startswith("-"):
        print(__doc__)
        return 2
    try:
        lines = [line for line in Path(arguments[0]).read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]
        chains, problems = verify(lines)
        signed = 0
        for folder in arguments[1:]:
            more, bad = heads(Path(folder), chains)
            signed, problems = signed + more, problems + bad
    except (OSError, ValueError, KeyError, TypeError) as error:
        print(f"cannot be read: {type(error).__name__}: {error}", file=sys.stderr)
        return 2
    print(*problems, sep="\n", end="\n" if problems else "")
    ends = ", ".join(f"{role}/{max(chain)} {chain[max(chain)][:16]}" for role, chain in sorted(chains.items()))
    print(f"{'NOT WHOLE' if problems else 'whole'}: {len(lines)} records, {signed} signed heads; ends: {ends or 'none'}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
