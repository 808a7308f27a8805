"""What every help screen says besides its own sentence and options: examples, variables, exit codes, where to read and to complain.

Tables, so that one look shows what is missing; a test parses every example.
"""

from typing import Any

from interfaces.cli.exits import MEANINGS, Exit

EXAMPLES: dict[str, tuple[str, ...]] = {
    "demo": ("day2 demo", "day2 demo --serve", "day2 demo --fast --no-input", "day2 demo -o json 2>/dev/null"),
    "init": (
        "day2 init",
        "day2 init --no-input --context prod-eu --prometheus http://127.0.0.1:9090",
        "day2 init --file ops/day2.yaml --force",
    ),
    "doctor": ("day2 doctor", "day2 doctor --context prod-eu -o json", "day2 doctor --as jane --as-group sre"),
    "scan": (
        "day2 scan -n shop",
        "day2 scan reliability security -A --fail-on high",
        "day2 scan -A -l team=payments -o html > report.html",
        "day2 scan --from manifests/ -o sarif",
        "day2 scan --baseline yesterday.json --show-muted",
        "day2 scan -A -w",
    ),
    "explain": ("day2 explain REL-101", "day2 explain fnd-3fa9c2d1e0 -n shop", "day2 explain fnd-3fa9c2d1e0 --from prod.snap -o json"),
    "mute add": (
        'day2 mute add fnd-3fa9c2d1e0 --reason "known, ticket 4711" --for 7d',
        'day2 mute add REL-103 -n shop --reason "moving to new nodes" --for 12h',
        'day2 mute add SEC-102 -n build --reason "the builder needs it" --for 30d -o json',
    ),
    "mute list": ("day2 mute list", "day2 mute list --ended", "day2 mute list -o wide"),
    "mute expire": ("day2 mute expire mute-3fa9c2d1e0", "day2 mute expire mute-3fa9c2d1e0 -o json", "day2 mute expire mute-3fa9c2d1e0 -q"),
    "snapshot save": ("day2 snapshot save prod.snap -A", "day2 snapshot save shop.snap -n shop", "day2 snapshot save prod.snap -A -o json"),
    "snapshot load": ("day2 snapshot load prod.snap", "day2 snapshot load must-gather/", "day2 snapshot load cluster.json -o json"),
    "network policies": (
        "day2 network policies -n shop > shop.yaml",
        "day2 network policies -n shop,web --from prod.snap",
        "day2 network policies -A -o json",
    ),
    "eval assess": ("day2 eval assess", "day2 eval assess run-3fa9c2d1e0", "day2 eval assess run-3fa9c2d1e0 -o json"),
    "eval capture": (
        "day2 eval capture run-3fa9c2d1e0 --to cases/",
        "day2 eval capture run-3fa9c2d1e0 --snapshot prod.snap --to cases/",
        'day2 eval capture run-3fa9c2d1e0 --label flawed --violates whole --note "one of three replicas stayed down"',
    ),
    "schedule list": ("day2 schedule list", "day2 schedule list -o wide", "day2 schedule list -o json"),
    "schedule get": ("day2 schedule get nightly", "day2 schedule get nightly -o yaml", "day2 schedule get nightly -o json"),
    "schedule next": ("day2 schedule next nightly", "day2 schedule next nightly --count 20", "day2 schedule next nightly -o json"),
    "schedule run-now": ("day2 schedule run-now nightly", "day2 schedule run-now nightly -o json", "day2 schedule run-now nightly -q"),
    "schedule pause": (
        'day2 schedule pause nightly --reason "the shop moves tonight"',
        'day2 schedule pause nightly --reason "too many cards" -o json',
        'day2 schedule pause nightly --reason "ticket 4711" -q',
    ),
    "schedule resume": ("day2 schedule resume nightly", "day2 schedule resume nightly -o json", "day2 schedule resume nightly -q"),
    "schedule add": (
        "day2 schedule add -f nightly.yaml",
        "day2 schedule add -f nightly.yaml --dry-run=client",
        "day2 schedule add -f nightly.yaml -o json",
    ),
    "schedule remove": ("day2 schedule remove nightly", "day2 schedule remove nightly -o json", "day2 schedule remove nightly -q"),
    "report list": ("day2 report list", "day2 report list --schedule nightly", "day2 report list -o md"),
    "report get": ("day2 report get run-3fa9c2d1e0", "day2 report get run-3fa9c2d1e0 -o json", "day2 report get run-3fa9c2d1e0 -o yaml"),
    "report weekly": ("day2 report weekly", "day2 report weekly -o html > week.html", "day2 report weekly -o md"),
    "nodes list": ("day2 nodes list", "day2 nodes list -o wide", "day2 nodes list -o json"),
    "nodes heal": (
        'day2 nodes heal node-7 --reason "its fan is loud"',
        'day2 nodes heal node-7 --reason "does not answer to ping" -o json',
        'day2 nodes heal gpu-3 --reason "XID 79 in the log" --context prod-eu',
    ),
    "nodes episodes": ("day2 nodes episodes", "day2 nodes episodes -o wide", "day2 nodes episodes -o json"),
    "vulnerabilities": (
        "day2 vulnerabilities --report trivy.json --kev kev.json --epss epss.csv.gz",
        "day2 vulnerabilities --report grype.json --report reports.json --vex ours.openvex.json --from prod.snap",
        "day2 vulnerabilities --report scan.sarif --alone -o json",
    ),
    "mcp tools": ("day2 mcp tools", "day2 mcp tools -o wide", "day2 mcp tools -o json"),
    "mcp serve": ("day2 mcp serve", "day2 mcp serve --context prod-eu", "day2 mcp serve --data-dir ./day2-data"),
    "ask": (
        'day2 ask "why does checkout restart?"',
        'day2 ask -n shop "what could be cheaper?" -o json',
        "day2 ask -A what waits for a GPU",
    ),
    "chat": ("day2 chat", 'day2 chat "why does checkout restart?"', "day2 chat approve act-3fa9c2d1e0", "day2 chat approvals -o json"),
    "route": (
        'day2 route "the GPU job never starts"',
        "day2 route what could be cheaper -o json",
        "day2 route who watches privileged pods",
    ),
    "plan": (
        "day2 plan -n shop",
        "day2 plan fnd-3fa9c2d1e0 -O plan.json",
        "day2 plan --agent finops -l tier=web -o html > plan.html",
        "day2 plan --bump registry.example/app:1.2=registry.example/app@sha256:... -O plan.json",
    ),
    "apply": (
        "day2 apply plan.json",
        "day2 apply plan.json --dry-run=server",
        "day2 apply plan.json --no-wait",
        "day2 apply act-3fa9c2d1e0 --timeout 10m",
    ),
    "chaos validate": (
        "day2 chaos validate experiment.yaml",
        "day2 chaos validate experiment.yaml -o json",
        "day2 chaos validate experiment.yaml --context staging",
    ),
    "chaos run": (
        "day2 chaos run experiment.yaml",
        "day2 chaos run experiment.yaml -o json > report.json",
        "day2 chaos run experiment.yaml --context staging -q",
    ),
    "chaos list": ("day2 chaos list", "day2 chaos list -o wide", "day2 chaos list -o json"),
    "chaos show": ("day2 chaos show exp-3fa9c2d1e0", "day2 chaos show exp-3fa9c2d1e0 -o json", "day2 chaos show exp-3fa9c2d1e0 --plain"),
    "chaos stop": (
        'day2 chaos stop exp-3fa9c2d1e0 --reason "customers complain"',
        'day2 chaos stop exp-3fa9c2d1e0 --reason "wrong cluster" -o json',
        'day2 chaos stop exp-3fa9c2d1e0 --reason "seen enough" -q',
    ),
    "approve": (
        'day2 approve act-3fa9c2d1e0 --reason "checked with the team"',
        'day2 approve act-3fa9c2d1e0 --confirm=debug-shell --reason "left over from the incident"',
        'day2 approve act-3fa9c2d1e0 --reason "as discussed" -o json',
    ),
    "deny": (
        'day2 deny act-3fa9c2d1e0 --reason "not during the sale"',
        'day2 deny act-3fa9c2d1e0 --reason "by hand next week" -o json',
        'day2 deny act-3fa9c2d1e0 --reason "wrong cluster" -q',
    ),
    "approvals": ("day2 approvals", "day2 approvals --mine -o json", "day2 approvals -w"),
    "stop": ('day2 stop --reason "incident 4711"', 'day2 stop --scope namespace=shop --mode forward --reason "sale"', "day2 stop --status"),
    "resume": (
        'day2 resume --reason "incident 4711 is over"',
        'day2 resume --scope namespace=shop --reason "the sale is over"',
        'day2 resume --scope agent=finops --reason "fixed" -o json',
    ),
    "serve": ("day2 serve", "day2 serve --role judge --role executor", "day2 serve --role executor --prepare"),
    "schema": ("day2 schema", "day2 schema FindingList", "day2 schema scale_workload"),
    "version": ("day2 version", "day2 version -o json", "day2 version -o jsonpath={.version}"),
    "help": ("day2 help exit-codes", "day2 help scan", "day2 help action rollback"),
    "action list": ("day2 action list --state needs_approval", "day2 action list --since 24h -o csv", "day2 action list -w"),
    "action get": (
        "day2 action get act-3fa9c2d1e0",
        "day2 action get act-3fa9c2d1e0 -o yaml",
        "day2 action get act-3fa9c2d1e0 -o jsonpath={.state}",
    ),
    "action diff": (
        "day2 action diff act-3fa9c2d1e0",
        "day2 action diff act-3fa9c2d1e0 -o json",
        "day2 action diff act-3fa9c2d1e0 --plain",
    ),
    "action explain": (
        "day2 action explain act-3fa9c2d1e0",
        "day2 action explain act-3fa9c2d1e0 -o json",
        "day2 action explain act-3fa9c2d1e0 -o md",
    ),
    "action watch": (
        "day2 action watch act-3fa9c2d1e0",
        "day2 action watch act-3fa9c2d1e0 act-81b2c3d4e5 --timeout 10m",
        "day2 action watch act-3fa9c2d1e0 -q -o name",
    ),
    "action cancel": (
        "day2 action cancel act-3fa9c2d1e0",
        'day2 action cancel act-3fa9c2d1e0 --reason "planned again"',
        "day2 action cancel act-3fa9c2d1e0 -o json",
    ),
    "action edit": (
        "day2 action edit act-3fa9c2d1e0 --set to_replicas=3",
        "day2 action edit act-3fa9c2d1e0 --set sizings.0.to_sizes.requests_cpu_milli=600",
        "day2 action edit act-3fa9c2d1e0 --set to_min=2 --set to_max=8 -o json",
    ),
    "action rollback": (
        "day2 action rollback act-3fa9c2d1e0",
        "day2 action rollback act-3fa9c2d1e0 --dry-run=server",
        "day2 action rollback act-3fa9c2d1e0 --no-wait -o json",
    ),
    "autonomy show": (
        "day2 autonomy show",
        "day2 autonomy show scale_workload -n shop",
        "day2 autonomy show -o wide",
    ),
    "agent list": ("day2 agent list", "day2 agent list -o wide", "day2 agent list -o custom-columns=NAME:.name,STATE:.state"),
    "agent get": ("day2 agent get finops", "day2 agent get finops -o json", "day2 agent get finops -o jsonpath={.rights}"),
    "agent card": ("day2 agent card finops", "day2 agent card finops -o yaml", "day2 agent card finops -o name"),
    "agent drain": ("day2 agent drain finops", "day2 agent drain finops -o json", "day2 agent drain finops --data-dir ./data"),
    "agent suspend": ("day2 agent suspend finops", "day2 agent suspend finops -o json", "day2 agent suspend finops --data-dir ./data"),
    "agent resume": ("day2 agent resume finops", "day2 agent resume finops -o json", "day2 agent resume finops --data-dir ./data"),
    "agent serve": ("day2 agent serve finops", "day2 agent serve finops --profile prod", "day2 agent serve finops --data-dir ./data"),
    "alerts list": ("day2 alerts list", "day2 alerts list -o wide", "day2 alerts list -o json"),
    "alerts rules": ("day2 alerts rules > day2-rules.yaml", "day2 alerts rules -o json", "day2 alerts rules -o yaml"),
    "incident list": ("day2 incident list", "day2 incident list --state open", "day2 incident list -o json"),
    "incident get": (
        "day2 incident get inc-3fa9c2d1e0",
        "day2 incident get inc-3fa9c2d1e0 -o json",
        "day2 incident get inc-3fa9c2d1e0 -o yaml",
    ),
    "token add": (
        "day2 token add alertmanager --role sender",
        "day2 token add grafana --role viewer --for 30d",
        "day2 token add ci --role operator --for 12h -o json",
    ),
    "token list": ("day2 token list", "day2 token list -o wide", "day2 token list -o json"),
    "token revoke": ("day2 token revoke grafana", "day2 token revoke grafana -o json", "day2 token revoke ci --data-dir ./data"),
    "audit list": ("day2 audit list", "day2 audit list --event approval --since 7d", "day2 audit list --subject act-3fa9c2d1e0 -o json"),
    "audit get": ("day2 audit get 17", "day2 audit get 17 -o json", "day2 audit get 17 -o jsonpath={.hash}"),
    "audit verify": ("day2 audit verify", "day2 audit verify -o json", "day2 audit verify --data-dir ./data"),
    "audit reconcile": (
        "day2 audit reconcile --kube-audit /var/log/kubernetes/audit.log",
        "day2 audit reconcile --kube-audit audit.log -o json",
        "day2 audit reconcile --kube-audit audit.log --data-dir ./data",
    ),
    "audit export": ("day2 audit export", "day2 audit export --format csv -O chain.csv", "day2 audit export --format jsonl"),
    "config view": ("day2 config view", "day2 config view --profile prod", "day2 config view -o csv"),
    "config get": ("day2 config get flow.consult_seconds", "day2 config get prometheus.url", "day2 config get store.data_dir -o json"),
    "config explain": (
        "day2 config explain prometheus.url",
        "day2 config explain kubernetes.context --profile prod",
        "day2 config explain store.data_dir -o json",
    ),
    "config set": (
        "day2 config set prometheus.url http://prometheus:9090",
        "day2 config set flow.approval_hours 8",
        "day2 config set kubernetes.context prod-eu --file day2.yaml",
    ),
    "policy list": ("day2 policy list", "day2 policy list --rules rules/", "day2 policy list -o json"),
    "policy diff": ("day2 policy diff rules/", "day2 policy diff rules/ --detailed-exitcode", "day2 policy diff rules/ -o json"),
    "policy agreement": ("day2 policy agreement", "day2 policy agreement -o json", "day2 policy agreement -o wide"),
    "policy simulate": (
        "day2 policy simulate --since 30d",
        "day2 policy simulate --rules rules/ --detailed-exitcode",
        "day2 policy simulate --since 7d -o json",
    ),
    "policy lint": ("day2 policy lint", "day2 policy lint rules/", "day2 policy lint rules/ -o json"),
    "policy test": ("day2 policy test", "day2 policy test rules/", "day2 policy test -o csv"),
    "policy explain": (
        "day2 policy explain gpu-allowance",
        "day2 policy explain act-3fa9c2d1e0",
        "day2 policy explain gpu-allowance -o json",
    ),
    "policy eval": (
        "day2 policy eval -f action.json",
        "day2 policy eval -f action.json -o json",
        "day2 policy eval --file action.json -o md",
    ),
    "rbac generate": (
        "day2 rbac generate -n shop,web > rbac.yaml",
        "day2 rbac generate -A",
        "day2 rbac generate --legacy -n shop",
    ),
    "rbac narrow": (
        "day2 rbac narrow shop/deployer --kube-audit audit.log > narrowed.yaml",
        "day2 rbac narrow shop/deployer --kube-audit audit.log --from snapshot.jsonl.gz -o json",
        "day2 rbac narrow ci@example.com --kube-audit audit.log",
    ),
    "rbac explain": ("day2 rbac explain scale_workload", "day2 rbac explain finops", "day2 rbac explain finops -o json"),
    "gate manifests": (
        "day2 gate manifests --ca-file webhook-ca.crt > guard.yaml",
        "day2 gate manifests --ca-file webhook-ca.crt --url https://10.0.0.5:9443",
        "day2 gate manifests --ca-file webhook-ca.crt --profile prod",
    ),
    "gate static": (
        "day2 gate static -O day2-static --url https://10.0.0.5:9443 --ca-file webhook-ca.crt",
        "day2 gate static -O /etc/kubernetes/day2 --url https://10.0.0.5:9443 --ca-file webhook-ca.crt",
        "day2 gate static --help",
    ),
    "eval run": (
        "day2 eval run --quick",
        "day2 eval run cases/ --jobs 4 -O results.json",
        "day2 eval run --suite finops --against all --html report.html",
    ),
    "eval compare": (
        "day2 eval compare before.json after.json",
        "day2 eval compare before.json after.json -o json",
        "day2 eval compare a.json b.json --detailed-exitcode",
    ),
    "eval gate": ("day2 eval gate", "day2 eval gate results.json --baseline main.json", "day2 eval gate results.json -o json"),
    "eval report": (
        "day2 eval report",
        "day2 eval report old.json new.json --html report.html",
        "day2 eval report results.json --junit report.xml -o md",
    ),
    "sim": ("day2 sim --seed 4711 --steps", "day2 sim --count 200", "day2 sim --seed 4711 -o json"),
    "whoami": ("day2 whoami", "day2 whoami -o json", "day2 whoami --context prod-eu"),
    "run list": ("day2 run list", "day2 run list --since 24h -o json", "day2 run list -w"),
    "run get": ("day2 run get run-3fa9c2d1e0", "day2 run get run-3fa9c2d1e0 -o json", "day2 run get run-3fa9c2d1e0 -o yaml"),
}
_FOLLOWED = (Exit.DENIED, Exit.ROLLED_BACK, Exit.ROLLBACK_INCOMPLETE, Exit.EXPIRED, Exit.WAITING, Exit.STOPPED)
ENDS: dict[str, tuple[Exit, ...]] = {
    "scan": (Exit.DIFFERS, Exit.EXPIRED),
    "plan": (Exit.DIFFERS,),
    "apply": _FOLLOWED,
    "chaos validate": (Exit.DENIED,),
    "chaos run": (Exit.DIFFERS, Exit.ROLLBACK_INCOMPLETE, Exit.STOPPED),
    "action watch": _FOLLOWED,
    "action rollback": _FOLLOWED,
    "approve": (Exit.DENIED,),
    "policy eval": (Exit.DENIED,),
    "policy diff": (Exit.DIFFERS,),
    "policy simulate": (Exit.DIFFERS,),
    "eval run": (Exit.DIFFERS,),
    "eval compare": (Exit.DIFFERS,),
    "stop": (Exit.STOPPED,),
    **dict.fromkeys(("approvals", "action list", "run list"), (Exit.EXPIRED,)),
}
"""Exit codes beside those that every command may end with."""

EVERYWHERE = (Exit.DONE, Exit.ERROR, Exit.NOT_AUTHORISED, Exit.USAGE, Exit.INTERRUPTED)


def complete(group: Any, above: str = "") -> None:
    """Adds the tables' lines to every command below the group."""
    for name, command in group.commands.items():
        path = f"{above} {name}".strip()
        if hasattr(command, "commands"):
            complete(command, path)
            continue
        examples = "\n".join(f"  {line}" for line in EXAMPLES.get(path, ()))
        if examples:
            command.help = f"{command.help}\n\n\b\nExamples:\n{examples}"
        command.epilog = _last_words(path)


def _last_words(path: str) -> str:
    codes = "; ".join(f"{int(code)} {MEANINGS[code].partition(' (')[0]}" for code in sorted({*EVERYWHERE, *ENDS.get(path, ())}))
    return (
        "\b\nGlobal flags (-n, -A, --context, --as, -o, -q, -v, --profile and others): day2 --help\n\n"
        "Environment: DAY2_<GROUP>__<NAME> for every setting (day2 config view), KUBECONFIG, NO_COLOR, COLUMNS.\n\n"
        f"Exit codes: {codes}. All: day2 help exit-codes.\n\n"
        "Documentation: docs/cli.md. Bugs: the project's issue tracker."
    )
