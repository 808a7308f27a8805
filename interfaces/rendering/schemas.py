"""JSON Schemas (2020-12) of every document that `-o json` prints. A field may be added within v1alpha1; golden files notice one that goes.

The schemas are open: a reader must live with fields that it does not know.
"""

from typing import Any

from core.domain.errors import InvalidInput
from core.domain.objective import Autonomy
from interfaces.rendering.envelopes import API_VERSION, Json, envelope
from interfaces.rendering.tables import Column

DIALECT = "https://json-schema.org/draft/2020-12/schema"
COLUMNS = (Column("NAME", "name"), Column("ABOUT", "about"))

TEXT: Json = {"type": "string"}
WHOLE: Json = {"type": "integer"}
FLAG: Json = {"type": "boolean"}
ANY: Json = {}
NULL: Json = {"type": "null"}
OPEN: Json = {"type": "object"}
TIME: Json = {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z$"}
LATER: Json = {"type": "string", "pattern": r"^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z)?$"}
HASH: Json = {"type": "string", "pattern": "^[0-9a-f]{64}$"}


def words(*allowed: str) -> Json:
    return {"type": "string", "enum": list(allowed)}


def many(item: Json) -> Json:
    return {"type": "array", "items": item}


def either(*choices: Json) -> Json:
    return {"anyOf": list(choices)}


def shape(**properties: Json) -> Json:
    """An object with these fields, each of them required."""
    return {"type": "object", "properties": properties, "required": list(properties)}


NUMBER: Json = {"type": "number"}
PRIORITY = words("P0", "P1", "P2", "P3")
DECISION = words("allow", "needs_approval", "deny")
RESULT = words("pass", "warn", "fail", "skip", "error")
RISK = words("low", "medium", "high")
STATES = words(
    "submitted", "needs_approval", "approved", "permitted", "claimed", "sending", "unknown", "applied", "undoing",
    "denied", "expired", "cancelled", "failed", "verified", "rolled_back", "escalated",
)  # fmt: skip
OUTCOME = words("sound", "flawed", "unknown")
SEVERITY = words("critical", "high", "medium", "low", "info")
TARGET = shape(cluster=TEXT, group=TEXT, kind=TEXT, namespace=TEXT, name=TEXT, uid=TEXT)
MONEY = shape(amount={"type": "string", "pattern": r"^-?\d+\.\d{2}$"}, currency=TEXT)
EVIDENCE = shape(
    id=TEXT,
    source=words("object", "metric", "log", "event", "derived", "outside"),
    subject=TARGET,
    query=TEXT,
    value=TEXT,
    at=TIME,
    resourceVersion=TEXT,
    quoted=FLAG,
)
COVERAGE = shape(run=many(TEXT), notRun=many(shape(check=TEXT, reason=TEXT)))
FINDING = shape(
    id=TEXT,
    code=TEXT,
    agent=TEXT,
    severity=SEVERITY,
    subject=TARGET,
    title=TEXT,
    matters=TEXT,
    evidence=many(EVIDENCE),
    symptomOf=TEXT,
    at=TIME,
    next=TEXT,
    location=either(shape(file=TEXT, line=WHOLE), NULL),
)
CHANGE = shape(path=TEXT, old=ANY, new=ANY)
SAVING = shape(paper=MONEY, realisable=MONEY, low=MONEY, high=MONEY, currency=TEXT, source=either(shape(name=TEXT, at=TIME), NULL))
CAPACITY = {"capacityCpu": TEXT, "capacityMemory": TEXT, "capacityGpus": WHOLE, "capacityPods": WHOLE}
EFFECT = shape(saving=either(SAVING, NULL), gpuHoursPerDay=WHOLE, summary=TEXT, **CAPACITY)
RULE = shape(rule=TEXT, result=RESULT, decision=DECISION, message=TEXT, dry=FLAG, would=DECISION)
COUNTS = shape(**{"pass": WHOLE, "warn": WHOLE, "fail": WHOLE, "error": WHOLE, "skip": WHOLE})
VERDICT = shape(decision=DECISION, counts=COUNTS, reasons=many(RULE), dry=many(RULE), at=TIME)
MODE = words("enforce", "dry")
EFFECT_OF_RULE = words("deny", "needs_approval", "warn")
BODY = {"why": TEXT, "objective": TEXT, "findings": many(TEXT), "changes": many(CHANGE), "effect": EFFECT, "evidence": many(EVIDENCE)}
APPROVAL = {
    "id": TEXT, "action": TEXT, "digest": HASH, "decision": words("approved", "denied"), "by": TEXT, "door": TEXT, "reason": TEXT,
    "at": TIME,
    "expiresAt": TIME,
}  # fmt: skip
STAGES = words(
    "suspected", "confirmed", "cordoned", "drained", "fenced", "released", "replaced", "healed", "recovered", "held", "escalated"
)  # fmt: skip
SPREAD = shape(n=WHOLE, open=WHOLE, medianSeconds=either(WHOLE, NULL), p90Seconds=either(WHOLE, NULL))
EPISODE = {
    "id": TEXT, "node": TEXT, "pool": TEXT, "zone": TEXT, "stage": STAGES, "beganAt": TIME, "by": TEXT, "asked": TEXT,
    "seconds": {"type": "object", "additionalProperties": WHOLE}, "why": TEXT,
}  # fmt: skip
LINK = {"id": TEXT, "seq": WHOLE, "at": TIME, "role": TEXT, "event": TEXT}
ACTION = {
    "id": {"type": "string", "pattern": "^act-"}, "state": STATES, "agent": TEXT, "capability": TEXT, "target": TARGET, "sentence": TEXT,
    "risk": RISK,
    "reversible": FLAG, "run": TEXT, "digest": HASH, "submittedBy": TEXT, "submittedAt": TIME, "changedAt": TIME, "expiresAt": TIME,
    "note": TEXT,
}  # fmt: skip
PROPOSED = {
    "id": TEXT,
    "agent": TEXT,
    "capability": TEXT,
    "target": TARGET,
    "sentence": TEXT,
    "risk": RISK,
    "reversible": FLAG,
    "expiresAt": TIME,
} | BODY
ASSESSED: Json = {
    "run": TEXT,
    "at": TIME,
    "outcome": OUTCOME,
    "violated": many(shape(requirement=TEXT, why=TEXT)),
    "unknown": many(TEXT),
    "model": TEXT,
}
RUN = {
    "id": TEXT, "trigger": words("chat", "schedule", "alert", "api", "cli", "demo"), "by": TEXT, "text": TEXT, "startedAt": TIME,
    "finishedAt": either(TIME, NULL), "summary": OPEN,
}  # fmt: skip
AGENT = {
    "name": TEXT, "state": words("registered", "ready", "draining", "suspended", "expired"), "version": TEXT, "description": TEXT,
    "digest": HASH,
    "leaseSeconds": WHOLE, "instances": many(TEXT), "checks": many(TEXT), "capabilities": many(TEXT),
}  # fmt: skip
WINDOW = shape(days=many(words("mon", "tue", "wed", "thu", "fri", "sat", "sun")), **{"from": TEXT}, to=TEXT)
TICK = {
    **dict.fromkeys(("schedule", "runId", "askedBy", "note"), TEXT), "at": TIME, "changedAt": TIME,
    "state": words("due", "running", "ended", "failed", "skipped", "missed"),
}  # fmt: skip
FIRES = shape(utc=TIME, local=TEXT)
SCHEDULE = {
    **dict.fromkeys(("name", "when", "timeZone", "text", "source", "by"), TEXT), "state": words("active", "paused", "suspended"),
    "ceiling": words("observe", "suggest", "guarded", "auto"), "agents": many(TEXT), "namespaces": many(TEXT),
    "windows": shape(run=many(WINDOW), write=many(WINDOW)), "jitterSeconds": WHOLE, "catchUp": words("none", "last", "all"),
    "overlap": words("skip", "queue"), "budget": shape(writesPerRun=WHOLE, writesPerDay=WHOLE), "reportTo": many(TEXT),
    "paused": either(shape(by=TEXT, reason=TEXT, at=TIME), NULL), "next": many(FIRES), "last": either(shape(**TICK), NULL),
}  # fmt: skip
LINE = shape(id=TEXT, what=TEXT, state=TEXT, note=TEXT)
REPORT = {
    **dict.fromkeys(("run", "schedule", "askedBy", "note", "ceiling", "headline"), TEXT), "tick": TIME, "ended": words("ended", "failed"),
    "beganAt": TIME, "madeAt": TIME, "complete": FLAG, "asked": many(TEXT), "severities": OPEN, "missing": many(TEXT), "writes": WHOLE,
    **dict.fromkeys(("seen", "done", "refused", "left", "open"), many(LINE)), "saved": MONEY,
}  # fmt: skip
RECORD = LINK | {"place": WHOLE, "subject": TEXT, "body": OPEN, "previous": HASH, "hash": HASH}
CHAIN = shape(role=TEXT, records=WHOLE, anchors=WHOLE, head=HASH, signed=WHOLE)
SETTING = {"key": TEXT, "value": ANY, "source": TEXT, "description": TEXT, "default": ANY}
ROUTED = shape(agent=TEXT, asked=FLAG, score=WHOLE, why=TEXT)
USAGE = shape(modelCalls=WHOLE, tokens=WHOLE, amount=TEXT, currency=TEXT)
MUTE = {
    **dict.fromkeys(("id", "finding", "code", "reason", "by", "about", "endedBy"), TEXT), "namespaces": many(TEXT), "at": TIME,
    "until": TIME,
}  # fmt: skip
HOLDS = words("holds", "over")
TRIAL = {
    **dict.fromkeys(("id", "name", "by", "fault", "target"), TEXT), "startedAt": TIME, "finishedAt": either(TIME, NULL),
    "verdict": words("", "pass", "fail", "inconclusive"), "score": WHOLE, "coverage": WHOLE, "reasons": many(TEXT),
}  # fmt: skip
TALLY = shape(
    **dict.fromkeys(("probe", "last", "worst", "firstFailed"), TEXT),
    **dict.fromkeys(("passed", "failed", "missing", "row", "longest"), WHOLE),
)
UNREAD = shape(what=TEXT, reason=TEXT)
CHECK = {
    **dict.fromkeys(("code", "name", "agent", "page"), TEXT), "severity": SEVERITY, "kinds": many(TEXT), "proposes": many(TEXT),
}  # fmt: skip
LOOKED = {"context": TEXT, "cluster": TEXT, "namespaces": many(TEXT), "at": TIME, "source": TEXT, "asOf": either(TIME, NULL)}


def metadata(**more: Json) -> Json:
    return shape(schemaMinor=WHOLE, **more)


def listing(item: Json, meta: Json | None = None, **more: Json) -> Json:
    return {"metadata": meta or metadata(), "items": many(item)} | more


KINDS: dict[str, tuple[str, Json]] = {
    "FindingList": (
        "day2 scan",
        listing(
            FINDING,
            metadata(
                **LOOKED,
                score={"type": "integer", "minimum": 0, "maximum": 100},
                counts=shape(**dict.fromkeys(SEVERITY["enum"], WHOLE)),
                knownFromBaseline=WHOLE,
                selector=TEXT,
                muted=WHOLE,
                nextMuteEnds=either(TIME, NULL),
                gone=WHOLE,
            ),
            coverage=COVERAGE,
            muted=many(shape(**FINDING["properties"], mute=shape(**MUTE))),
            mutesEnded=many(shape(**MUTE)),
            gone=many(shape(id=TEXT, code=TEXT, severity=TEXT, object=TEXT, title=TEXT)),
        ),
    ),
    "Check": ("day2 explain CODE", {"metadata": metadata()} | CHECK),
    "FindingExplanation": (
        "day2 explain FINDING",
        {
            "metadata": metadata(**LOOKED),
            "finding": shape(**FINDING["properties"] | {"evidence": many(shape(**EVIDENCE["properties"], again=TEXT))}),
            "cause": either(FINDING, NULL),
            "symptoms": many(FINDING),
            "proposals": many(shape(**PROPOSED)),
            "mute": either(shape(**MUTE), NULL),
            "check": shape(**CHECK),
        },
    ),
    "MuteList": ("day2 mute list", listing(shape(**MUTE, state=HOLDS))),
    "Mute": ("day2 mute add and expire", {"metadata": metadata()} | MUTE | {"state": HOLDS}),
    "NodeList": (
        "day2 nodes list",
        listing(
            shape(name=TEXT, health=TEXT, since=either(TIME, NULL), pool=TEXT, zone=TEXT, pods=WHOLE, episode=TEXT, stage=TEXT, why=TEXT)
        ),
    ),
    "EpisodeList": ("day2 nodes episodes", listing(shape(**EPISODE), metadata(times=shape(mttd=SPREAD, mttm=SPREAD, mttr=SPREAD)))),
    "Episode": ("day2 nodes heal", {"metadata": metadata()} | EPISODE),
    "SnapshotContents": (
        "day2 snapshot save and load",
        listing(
            shape(kind=TEXT, objects=WHOLE),
            metadata(
                file=TEXT,
                form=words("snapshot", "manifests", "must-gather"),
                cluster=TEXT,
                context=TEXT,
                takenAt=either(TIME, NULL),
                namespaces=many(TEXT),
                bytes=WHOLE,
                objects=WHOLE,
            ),
            unread=many(UNREAD),
            poisoned=many(UNREAD),
        ),
    ),
    "VulnerabilityList": (
        "day2 vulnerabilities",
        listing(
            shape(
                id=TEXT,
                image=TEXT,
                packages=many(TEXT),
                fixed=many(TEXT),
                level=words("critical", "high", "medium", "low", "unknown"),
                score=NUMBER,
                exploited=FLAG,
                ransomware=FLAG,
                likelihood=either(NUMBER, NULL),
                priority=PRIORITY,
                risk=NUMBER,
                title=TEXT,
                why=TEXT,
                use=words("running", "named", "not running", "unknown"),
                exposure=words("outside", "cluster", "closed", "unknown"),
                through=TEXT,
                privileged=FLAG,
                workloads=many(TEXT),
                pods=WHOLE,
                running=many(TEXT),
            ),
            metadata(
                cluster=TEXT,
                at=either(TIME, NULL),
                sources=many(shape(file=TEXT, form=TEXT, entries=WHOLE, day=TEXT, ageDays=either(WHOLE, NULL))),
            ),
            patches=many(
                shape(
                    image=TEXT,
                    priority=PRIORITY,
                    days=WHOLE,
                    removed=NUMBER,
                    left=WHOLE,
                    vulnerabilities=many(TEXT),
                    bumps=many(TEXT),
                    workloads=many(TEXT),
                    steps=many(TEXT),
                )
            ),
            cleared=many(shape(id=TEXT, image=TEXT, package=TEXT, status=TEXT, why=TEXT, source=TEXT)),
            unusedStatements=WHOLE,
            problems=many(shape(place=TEXT, reason=TEXT)),
            skipped=WHOLE,
        ),
    ),
    "Answer": (
        "day2 ask",
        listing(
            FINDING,
            metadata(**LOOKED, question=TEXT, withoutModel=TEXT),
            coverage=COVERAGE,
            route=many(ROUTED),
            nobody=TEXT,
            explanation=shape(sentences=many(shape(text=TEXT, cites=many(TEXT))), dropped=WHOLE, without=TEXT),
            usage=USAGE,
        ),
    ),
    "ChatReply": (
        "day2 chat",
        listing(shape(title=TEXT, badge=TEXT, parts=many(shape(name=TEXT, lines=many(TEXT))), subject=TEXT, next=many(TEXT)), metadata()),
    ),
    "DemoReport": (
        "day2 demo",
        {"metadata": metadata(seed=WHOLE, run=TEXT)}
        | dict.fromkeys(("started", "scanned", "planned", "arbitrated", "judged", "alerted", "approved", "executed", "scored"), OPEN),
    ),
    "Route": ("day2 route", listing(ROUTED, metadata(question=TEXT, knownAgents=many(TEXT), withoutModel=TEXT), nobody=TEXT, usage=USAGE)),
    "Checklist": (
        "day2 doctor",
        listing(
            shape(check=TEXT, state=words("ok", "warn", "fail", "skip"), cause=TEXT, fix=TEXT),
            metadata(counts=shape(ok=WHOLE, warn=WHOLE, fail=WHOLE, skip=WHOLE)),
        ),
    ),
    "RightList": ("day2 rbac explain", listing(shape(right=TEXT, kinds=many(TEXT), agents=many(TEXT), operation=TEXT))),
    "Plan": (
        "day2 plan; what day2 apply reads",
        listing(
            shape(**PROPOSED, verdict=either(VERDICT, NULL), unjudged=TEXT),
            metadata(cluster=TEXT, context=TEXT, madeAt=TIME, expiresAt=LATER, muted=WHOLE),
            coverage=COVERAGE,
            held=many(shape(**PROPOSED, by=TEXT, reason=TEXT)),
            sealed=shape(cluster=TEXT, context=TEXT, expiresAt=TEXT, proposals=many(OPEN), digest=HASH),
        ),
    ),
    "DryRun": (
        "day2 apply and day2 action rollback with --dry-run=client or server",
        listing(
            shape(**PROPOSED, verdict=either(VERDICT, NULL), unjudged=TEXT),
            metadata(dryRun=words("client", "server"), cluster=TEXT, context=TEXT),
        ),
    ),
    "OutcomeList": ("day2 apply, day2 action watch and rollback", listing(shape(**ACTION), metadata(complete=FLAG))),
    "ActionList": ("day2 action list", listing(shape(**ACTION))),
    "Action": (
        "day2 action get and cancel",
        {"metadata": metadata()}
        | ACTION
        | {
            "proposal": shape(**BODY),
            "verdict": either(VERDICT, NULL),
            "looks": many(shape(signal=TEXT, held=either(FLAG, NULL), seen=TEXT)),
            "check": either(OPEN, NULL),
            "approvals": many(shape(**APPROVAL)),
            "way": many(shape(**LINK)),
        },
    ),
    "ActionDiff": ("day2 action diff", {"metadata": metadata(), "id": TEXT, "target": TARGET, "state": STATES, "changes": many(CHANGE)}),
    "Explanation": (
        "day2 action explain, day2 policy explain",
        listing(
            shape(
                rule=TEXT,
                pack=TEXT,
                result=RESULT,
                decision=DECISION,
                severity=TEXT,
                message=TEXT,
                why=TEXT,
                when=TEXT,
                read=OPEN,
                dry=FLAG,
                would=DECISION,
            ),
            metadata(action=TEXT, decision=DECISION, sameRules=FLAG),
            counts=COUNTS,
        ),
    ),
    "ApprovalList": (
        "day2 approvals",
        listing(
            shape(
                **ACTION, **BODY, verdict=either(VERDICT, NULL), severe=FLAG, needed=WHOLE, missing=WHOLE, approvals=many(shape(**APPROVAL))
            ),
            metadata(queued=WHOLE, perHour=WHOLE),
        ),
    ),
    "AutonomyList": (
        "day2 autonomy show",
        listing(
            shape(
                **dict.fromkeys(("capability", "namespace", "bound", "next"), TEXT),
                **dict.fromkeys(("level", "ceiling", "vouched"), words(*(level.value for level in Autonomy))),
                agents=many(TEXT),
                since=LATER,
                verified=WHOLE,
                missed=WHOLE,
            ),
            metadata(cluster=TEXT),
        ),
    ),
    "Approval": ("day2 approve, day2 deny", {"metadata": metadata()} | APPROVAL | {"sentence": TEXT, "missing": WHOLE}),
    "AlertList": (
        "day2 alerts list",
        listing(
            shape(
                **dict.fromkeys(("alertname", "summary", "description", "key"), TEXT),
                severity=words("critical", "warning"),
                grave=FLAG,
                startsAt=TIME,
                labels={"type": "object", "additionalProperties": TEXT},
                told=many(TEXT),
            )
        ),
    ),
    "ExperimentPreview": (
        "day2 chaos validate",
        {"metadata": metadata(), "name": TEXT, "fault": TEXT, "seconds": WHOLE, "refused": many(TEXT), "actions": many(shape(**PROPOSED))},
    ),
    "ExperimentList": ("day2 chaos list", listing(shape(**TRIAL))),
    "Experiment": (
        "day2 chaos run, show and stop",
        {"metadata": metadata()}
        | TRIAL
        | {
            "probes": many(TALLY),
            "ended": TEXT,
            "undoneSeconds": either(WHOLE, NULL),
            "recovered": either(FLAG, NULL),
            "recoveredSeconds": either(WHOLE, NULL),
            "leftovers": many(TEXT),
            "actions": many(shape(**ACTION)),
            "findings": many(shape(id=TEXT, code=TEXT, severity=SEVERITY, title=TEXT, matters=TEXT)),
            "proposals": many(shape(**PROPOSED)),
            "way": many(shape(**LINK, subject=TEXT)),
        },
    ),
    "AssessmentList": ("day2 eval assess", listing(shape(**ASSESSED))),
    "Assessment": (
        "day2 eval assess RUN",
        {
            "metadata": metadata(),
            "run": TEXT,
            "outcome": OUTCOME,
            "finishedAt": TIME,
            "lookedAgain": FLAG,
            "actions": many(shape(id=TEXT, sentence=TEXT, state=STATES)),
            "answers": many(
                shape(
                    requirement=TEXT,
                    says=TEXT,
                    standing=words("satisfied", "violated", "unknown"),
                    why=TEXT,
                    actions=many(TEXT),
                    cites=many(TEXT),
                    by=words("code", "model"),
                )
            ),
        },
    ),
    "RunList": ("day2 run list", listing(shape(**RUN))),
    "Run": ("day2 run get", {"metadata": metadata()} | RUN | {"actions": many(shape(**ACTION)), "way": many(shape(**LINK, subject=TEXT))}),
    "ScheduleList": ("day2 schedule list and remove", listing(shape(**SCHEDULE))),
    "ScheduleStatus": (
        "day2 schedule get, pause, resume and add",
        {"metadata": metadata()} | SCHEDULE | {"ticks": many(shape(**TICK))},
    ),
    "FireTimeList": ("day2 schedule next", listing(FIRES, metadata(schedule=TEXT))),
    "Tick": ("day2 schedule run-now", {"metadata": metadata()} | TICK),
    "ReportList": ("day2 report list", listing(shape(**REPORT))),
    "Report": ("day2 report get", {"metadata": metadata()} | REPORT),
    "WeeklyDigest": (
        "day2 report weekly",
        listing(
            shape(
                schedule=TEXT,
                saved=MONEY,
                **dict.fromkeys(("ticks", "ran", "failed", "skipped", "done", "refused", "left", "writes"), WHOLE),
            )
        )
        | {
            "since": TIME,
            "until": TIME,
            "saved": MONEY,
            "waits": many(LINE),
            "done": many(LINE),
            "failed": many(shape(**TICK)),
            "days": many(shape(date=TEXT, saved=MONEY, **dict.fromkeys(("runs", "done", "refused", "left"), WHOLE))),
        },
    ),
    "StopList": ("day2 stop, day2 resume", listing(shape(scope=TEXT, mode=words("all", "forward"), by=TEXT, reason=TEXT, at=TIME))),
    "AgentList": ("day2 agent list", listing(shape(**AGENT), metadata(source=words("registry", "this process")))),
    "Agent": (
        "day2 agent get, drain, suspend and resume",
        {"metadata": metadata()} | AGENT | {"rights": {"type": "object", "additionalProperties": many(TEXT)}},
    ),
    "AgentCard": ("day2 agent card", {"metadata": metadata(), "card": OPEN, "digest": HASH}),
    "AuditList": ("day2 audit list", listing(shape(**RECORD))),
    "AuditRecord": ("day2 audit get", {"metadata": metadata()} | RECORD),
    "AuditReport": (
        "day2 audit verify",
        {
            "metadata": metadata(),
            "whole": FLAG,
            "records": WHOLE,
            "head": TEXT,
            "chains": many(CHAIN),
            "problems": many(TEXT),
            "sink": TEXT,
            "signed": WHOLE,
        },
    ),
    "ReconcileReport": (
        "day2 audit reconcile",
        {"metadata": metadata(), "whole": FLAG, "problems": many(TEXT)} | dict.fromkeys(("writes", "matched", "uncovered"), WHOLE),
    ),
    "SettingList": ("day2 config view", listing(shape(**SETTING))),
    "Setting": ("day2 config get, set and explain", {"metadata": metadata()} | SETTING),
    "LintReport": (
        "day2 policy lint",
        listing(shape(file=TEXT, line=WHOLE, rule=TEXT, level=words("error", "note"), message=TEXT), metadata(rules=WHOLE, sound=FLAG)),
    ),
    "RuleTestReport": (
        "day2 policy test",
        listing(shape(rule=TEXT, test=TEXT, ok=FLAG, expected=TEXT, got=TEXT, said=TEXT), metadata(ok=FLAG, untested=many(TEXT))),
    ),
    "Rule": (
        "day2 policy explain RULE",
        {
            "metadata": metadata(),
            "name": TEXT,
            "pack": TEXT,
            "why": TEXT,
            "appliesTo": many(TEXT),
            "mode": MODE,
            "overrides": TEXT,
            "reason": TEXT,
            "locked": FLAG,
            "decision": EFFECT_OF_RULE,
            "approvers": WHOLE,
            "when": TEXT,
            "tests": many(shape(name=TEXT, expect=TEXT)),
        },
    ),
    "RuleList": (
        "day2 policy list",
        listing(
            shape(rule=TEXT, pack=TEXT, mode=MODE, decision=EFFECT_OF_RULE, severity=TEXT, overrides=TEXT, locked=FLAG, builtIn=FLAG),
            metadata(folder=TEXT, digest=HASH, judge=either(shape(digest=HASH, at=TIME, refused=TEXT, same=FLAG), NULL)),
        ),
    ),
    "RuleDiff": (
        "day2 policy diff",
        listing(
            shape(
                change=words("added", "removed", "changed"),
                rule=TEXT,
                mode=MODE,
                decision=EFFECT_OF_RULE,
                fields=many(TEXT),
                overrides=TEXT,
                reason=TEXT,
            ),
            metadata(before=HASH, after=HASH),
        ),
    ),
    "AgreementList": (
        "day2 policy agreement",
        listing(
            shape(
                **dict.fromkeys(("both", "modelOnly", "otherOnly", "neither"), WHOLE),
                **{"with": TEXT, "kappa": TEXT},
            )
        ),
    ),
    "Simulation": (
        "day2 policy simulate",
        listing(
            shape(
                action={"type": "string", "pattern": "^act-"},
                sentence=TEXT,
                namespace=TEXT,
                at=TIME,
                was=DECISION,
                becomes=DECISION,
                rules=many(RULE),
            ),
            metadata(digest=HASH, since=TIME, replayed=WHOLE, cut=FLAG),
            counts=many(shape(was=DECISION, becomes=DECISION, verdicts=WHOLE)),
            dry=many(shape(rule=TEXT, asked=WHOLE, denied=WHOLE)),
            notReplayed=many(shape(reason=TEXT, verdicts=WHOLE)),
        ),
    ),
    "Evaluation": ("day2 policy eval", listing(RULE, metadata(decision=DECISION, assumedFacts=many(TEXT)))),
    "EvalReport": (
        "day2 eval run, report",
        listing(
            shape(
                **dict.fromkeys(("score", "contestant", "unit", "shown", "interval", "of", "goal"), TEXT),
                **dict.fromkeys(("value", "low", "high"), either(NUMBER, NULL)),
                **dict.fromkeys(("right", "total"), NUMBER),
                met=either(FLAG, NULL),
            ),
            metadata(date=TEXT, commit=TEXT, trials=WHOLE, cases=WHOLE, passed=WHOLE),
            missed=many(shape(trial=TEXT, contestant=TEXT, misses=many(TEXT))),
        ),
    ),
    "EvalCaseList": (
        "day2 eval run --list",
        listing(shape(case=TEXT, suite=TEXT, seeds=many(WHOLE), quick=FLAG, about=TEXT)),
    ),
    "EvalComparison": (
        "day2 eval compare, gate",
        listing(
            shape(**dict.fromkeys(("trial", "suite", "contestant", "now", "why"), TEXT)),
            tests=many(shape(name=TEXT, pairs=WHOLE, worse=WHOLE, better=WHOLE, probability=NUMBER)),
            lost=many(TEXT),
            unpaired=WHOLE,
            worse=FLAG,
        ),
    ),
    "SchemaList": ("day2 schema", listing(shape(name=TEXT, about=TEXT))),
    "ExitCodeList": ("day2 help exit-codes", listing(shape(code=WHOLE, meaning=TEXT))),
    "WhoAmI": (
        "day2 whoami",
        {
            "metadata": metadata(),
            "by": TEXT,
            "account": TEXT,
            **dict.fromkeys(("groups", "roles", "rights"), many(TEXT)),
            "commands": many(shape(command=TEXT, services=many(TEXT))),
        },
    ),
    "Version": ("day2 version", {"metadata": metadata(), "version": TEXT, "python": TEXT, "system": TEXT, "writes": TEXT}),
}


def of_kind(name: str) -> Json:
    """The schema of a kind of document, of an action kind, or of `proposal` and `facts`. Raises InvalidInput with the names there are."""
    if name in KINDS:
        about, properties = KINDS[name]
        return _whole(name, about, properties)
    from core.actions import catalogue, schemas
    from core.domain.facts import Facts

    if name in catalogue.CATALOGUE:
        return {"$schema": DIALECT} | schemas.schema(name)
    if name == "proposal":
        return {"$schema": DIALECT} | schemas.proposal_schema()
    if name == "experiment":
        from core.policy import experiments

        return {"$schema": DIALECT} | experiments.schema()
    if name == "Schedule":
        from core.policy import schedules as scheduling

        return {"$schema": DIALECT} | scheduling.schema()
    if name == "facts":
        return {"$schema": DIALECT} | Facts.model_json_schema()
    raise InvalidInput(f"no kind {name[:40]!r}", mend="day2 schema lists them")


def listed() -> Json:
    from core.actions.catalogue import CATALOGUE

    rows = [{"name": name, "about": about} for name, (about, _) in KINDS.items()]
    rows += [{"name": name, "about": "action kind"} for name in CATALOGUE]
    rows += [
        {"name": "proposal", "about": "an action with who proposes it, why, and on which evidence"},
        {"name": "facts", "about": "what the judge reads by itself"},
        {"name": "Schedule", "about": "a document of what runs by itself: docs/schedules.md"},
        {"name": "experiment", "about": "the `spec` of a document of kind Experiment, for day2 chaos"},
    ]
    return envelope("SchemaList", items=rows)


def _whole(name: str, about: str, properties: Json) -> Json:
    head: dict[str, Any] = {"apiVersion": {"const": API_VERSION}, "kind": {"const": name}}
    return {"$schema": DIALECT, "title": name, "description": f"Printed by: {about}."} | shape(**head | properties)
