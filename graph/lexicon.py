"""The words by which the supervisor knows whose business a question is. A table: stem, and the weight it gives to each domain.

Stems are matched against the start of a word after folding case; a phrase of two words is matched as it stands. Weights: 3 names the
domain, 2 is typical of it, 1 is a hint. The 200 paraphrases that score this table are kept apart in `evals/routing/` and were not read
while writing it.
"""

FINOPS, RELIABILITY, SECURITY, SCALING = "finops", "reliability", "security", "scaling"
DOMAINS = (FINOPS, RELIABILITY, SECURITY, SCALING)

STEMS: dict[str, dict[str, int]] = {
    # money
    "cost": {FINOPS: 3}, "spend": {FINOPS: 3}, "bill": {FINOPS: 3}, "budget": {FINOPS: 3}, "money": {FINOPS: 3}, "cheap": {FINOPS: 3},
    "expens": {FINOPS: 3}, "price": {FINOPS: 3}, "pricing": {FINOPS: 3}, "sav": {FINOPS: 3}, "waste": {FINOPS: 3}, "wasting": {FINOPS: 3}, "dollar": {FINOPS: 3},
    "euro": {FINOPS: 3}, "invoice": {FINOPS: 3}, "finops": {FINOPS: 3}, "chargeback": {FINOPS: 3}, "overprovision": {FINOPS: 3}, "oversize": {FINOPS: 3},
    "right-siz": {FINOPS: 3}, "rightsiz": {FINOPS: 3}, "idle": {FINOPS: 2, SCALING: 1}, "unused": {FINOPS: 2}, "orphan": {FINOPS: 2}, "spot": {FINOPS: 2},
    "efficien": {FINOPS: 2}, "utili": {FINOPS: 2, SCALING: 1}, "consolidat": {FINOPS: 2}, "shrink": {FINOPS: 2}, "trim": {FINOPS: 2}, "reclaim": {FINOPS: 2},
    "requests": {FINOPS: 1, SCALING: 1}, "surplus": {FINOPS: 2}, "underus": {FINOPS: 3}, "pay": {FINOPS: 2}, "afford": {FINOPS: 3}, "burning": {FINOPS: 1},
    "discount": {FINOPS: 3}, "economi": {FINOPS: 3}, "generous": {FINOPS: 2}, "slack": {FINOPS: 1},
    # what is broken
    "crash": {RELIABILITY: 3}, "restart": {RELIABILITY: 3}, "down": {RELIABILITY: 2}, "broken": {RELIABILITY: 3}, "broke": {RELIABILITY: 3}, "fail": {RELIABILITY: 3},
    "error": {RELIABILITY: 3}, "outage": {RELIABILITY: 3}, "incident": {RELIABILITY: 3}, "unhealthy": {RELIABILITY: 3}, "health": {RELIABILITY: 2},
    "oom": {RELIABILITY: 3}, "out of memory": {RELIABILITY: 3}, "evict": {RELIABILITY: 2}, "pending": {RELIABILITY: 2, SCALING: 2}, "stuck": {RELIABILITY: 2, SCALING: 1},
    "hang": {RELIABILITY: 2}, "hung": {RELIABILITY: 2}, "rollback": {RELIABILITY: 3}, "roll back": {RELIABILITY: 3}, "rollout": {RELIABILITY: 2}, "deploy": {RELIABILITY: 1},
    "release": {RELIABILITY: 1}, "revert": {RELIABILITY: 3}, "notready": {RELIABILITY: 3}, "not ready": {RELIABILITY: 3}, "readiness": {RELIABILITY: 3},
    "liveness": {RELIABILITY: 3}, "probe": {RELIABILITY: 3}, "imagepull": {RELIABILITY: 3}, "pull": {RELIABILITY: 2}, "5xx": {RELIABILITY: 3}, "500": {RELIABILITY: 2},
    "timeout": {RELIABILITY: 2}, "slow": {RELIABILITY: 2, SCALING: 2}, "unavailable": {RELIABILITY: 3}, "unreachable": {RELIABILITY: 3}, "wrong": {RELIABILITY: 2},
    "why": {RELIABILITY: 1}, "cordon": {RELIABILITY: 3}, "drain": {RELIABILITY: 3}, "slo": {RELIABILITY: 2, SCALING: 1}, "backoff": {RELIABILITY: 3},
    "flap": {RELIABILITY: 3}, "degrad": {RELIABILITY: 3}, "dying": {RELIABILITY: 3}, "dies": {RELIABILITY: 3}, "dead": {RELIABILITY: 2}, "heal": {RELIABILITY: 3},
    "fix": {RELIABILITY: 2}, "mend": {RELIABILITY: 2}, "sick": {RELIABILITY: 3}, "diagnos": {RELIABILITY: 3}, "root cause": {RELIABILITY: 3}, "reliab": {RELIABILITY: 3},
    "availab": {RELIABILITY: 2}, "uptime": {RELIABILITY: 3}, "panic": {RELIABILITY: 3}, "exception": {RELIABILITY: 2}, "postmortem": {RELIABILITY: 3}, "alert": {RELIABILITY: 2},
    "killed": {RELIABILITY: 2}, "bad gateway": {RELIABILITY: 3}, "misbehav": {RELIABILITY: 3}, "recover": {RELIABILITY: 2}, "responding": {RELIABILITY: 2},
    # who may do what
    "secur": {SECURITY: 3}, "privileg": {SECURITY: 3}, "vulnerab": {SECURITY: 3}, "cve": {SECURITY: 3}, "exploit": {SECURITY: 3}, "attack": {SECURITY: 3},
    "hack": {SECURITY: 3}, "breach": {SECURITY: 3}, "expos": {SECURITY: 2}, "root": {SECURITY: 1}, "rbac": {SECURITY: 3}, "permission": {SECURITY: 2}, "role": {SECURITY: 2},
    "admin": {SECURITY: 2}, "cluster-admin": {SECURITY: 3}, "secret": {SECURITY: 3}, "credential": {SECURITY: 3}, "token": {SECURITY: 2}, "password": {SECURITY: 3},
    "hardened": {SECURITY: 3}, "harden": {SECURITY: 3}, "complian": {SECURITY: 3}, "cis": {SECURITY: 3}, "audit": {SECURITY: 2}, "pod security": {SECURITY: 3},
    "pss": {SECURITY: 3}, "baseline": {SECURITY: 2}, "restricted": {SECURITY: 2}, "networkpolic": {SECURITY: 3}, "network polic": {SECURITY: 3}, "host network": {SECURITY: 3},
    "hostpath": {SECURITY: 3}, "hostpid": {SECURITY: 3}, "host namespace": {SECURITY: 3}, "escalat": {SECURITY: 2}, "sandbox": {SECURITY: 2}, "capabilit": {SECURITY: 2},
    "risk": {SECURITY: 2}, "unsafe": {SECURITY: 3}, "insecure": {SECURITY: 3}, "isolat": {SECURITY: 2}, "least": {SECURITY: 1}, "compromis": {SECURITY: 3},
    "malicious": {SECURITY: 3}, "intruder": {SECURITY: 3}, "lock down": {SECURITY: 3}, "lockdown": {SECURITY: 3}, "tighten": {SECURITY: 2}, "policy": {SECURITY: 1},
    "threat": {SECURITY: 3}, "leak": {SECURITY: 2, RELIABILITY: 1}, "dangerous": {SECURITY: 3}, "break out": {SECURITY: 3}, "escape": {SECURITY: 3},
    # how much of it
    "scale": {SCALING: 3}, "scaling": {SCALING: 3}, "replica": {SCALING: 3}, "hpa": {SCALING: 3}, "autoscal": {SCALING: 3}, "capacity": {SCALING: 3}, "peak": {SCALING: 3},
    "traffic": {SCALING: 3}, "load": {SCALING: 2}, "forecast": {SCALING: 3}, "predict": {SCALING: 3}, "surge": {SCALING: 3}, "spike": {SCALING: 3}, "burst": {SCALING: 2},
    "throughput": {SCALING: 2}, "saturat": {SCALING: 3}, "throttl": {SCALING: 2}, "headroom": {SCALING: 2}, "gang": {SCALING: 3}, "gpu": {SCALING: 2, FINOPS: 1},
    "schedul": {SCALING: 2}, "queue": {SCALING: 2}, "black friday": {SCALING: 3}, "rush": {SCALING: 3}, "busy": {SCALING: 2}, "grow": {SCALING: 2}, "demand": {SCALING: 2},
    "more pods": {SCALING: 3}, "more instances": {SCALING: 3}, "min replicas": {SCALING: 3}, "keda": {SCALING: 3}, "vpa": {SCALING: 2, FINOPS: 1}, "handle": {SCALING: 1},
    "tomorrow": {SCALING: 1}, "upcoming": {SCALING: 2}, "ahead": {SCALING: 1}, "training job": {SCALING: 3}, "bottleneck": {SCALING: 2}, "copies": {SCALING: 3},
    "overload": {SCALING: 3}, "visitors": {SCALING: 2}, "campaign": {SCALING: 3}, "enough pods": {SCALING: 3}, "keep up": {SCALING: 3},
}  # fmt: skip

EVERYTHING = ("scan", "overview", "status", "everything", "anything", "all findings", "checkup", "check-up", "check up", "whole cluster", "report")
"""Words that ask for the whole picture: without a domain's own words, every agent is asked."""
