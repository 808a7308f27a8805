"""The words by which the supervisor knows whose business a question is. A table: per domain, stems by weight.

A stem matches the start of a word after folding case; with `=` behind it, the whole word only; several words match as they stand, and
what a phrase has matched no shorter stem of it counts again. Weights: 3 names the domain, 2 is typical of it, 1 is a hint. Written from
the vocabulary of the trade, English and some German; the sentences that score it are kept apart in `evals/routing/`.
"""

FINOPS, RELIABILITY, SECURITY, SCALING = "finops", "reliability", "security", "scaling"
DOMAINS = (FINOPS, RELIABILITY, SECURITY, SCALING)
ELSEWHERE = "elsewhere"
"""What belongs to nobody here: desks, offices, other tools. It outweighs hints, never a word that names a domain."""

_WORDS: dict[str, dict[int, str]] = {
    FINOPS: {
        3: """cost, spend, spent, bill=, bills=, billed, billing=, budget, money, cheap, expens, price, pricing, sav, waste, wasting,
            dollar, euro=, euros=, usd=, invoice, finops, finance, financ, chargeback, charge back, showback, overprovision, over
            provision, oversize, too big, too large, right siz, rightsiz, underus, under used, underutil, under util, afford,
            discount, economi, unused, not used, not in use, nobody uses, no one uses, reserved instance, savings plan, committed use,
            off hours, turn off, turned off, switch off, switched off, shut off, power off, zombie, orphan, abandon, unattached,
            unmounted, unclaimed, dangling, left over, leftover, pay less, pay for, paying for, pays for, opex, credits=, kosten,
            kostet, teuer, teure, geld, sparen, spart, rechnung, verschwend, billig, guenstig, günstig, barely used, hardly used,
            rarely used, no longer used, not needed, unneeded, obsolete, decommission, retire, for nothing, get rid of, abschalten,
            ausschalten, ungenutzt, leerlauf, scale to zero""",
        2: """half empty, idle, spot=, preemptible, on demand, efficien, utilis, utiliz, consolidat,
            shrink, trim, reclaim, surplus, pay=, pays=, paid=, paying=, paying, generous, downsiz, bin pack, binpack, empty nodes,
            credit=, cut=, forgotten, forgot, nothing uses, zero traffic, no traffic, tco=, roi=, unit economics, cleanup, clean up,
            garbage, belong to nothing, belongs to nobody, stale volume, snapshots, disks, per tenant, breakdown, real usage, actual
            usage, actually use, really use, really uses, way higher, requests and uses, much more than, more than it needs, node
            type, instance type, machine type, unattended, allocat, overspend, fiscal""",
        1: """only uses, uses only, empty, requests, slack=, burning, usage, uses=, volumes, load balancer, month, gpu, utilization""",
    },
    RELIABILITY: {
        3: """instab, unstable, frozen, freez, stall, troubleshoot, investigat, crash, restart, broken, broke=, breaks=, fail, error,
            outage, incident, unhealthy, oom, out of memory, rollback, roll back, rolling back, rolled back, rollout, roll out,
            revert, undo=, notready, not ready, readiness, liveness, startup probe, probe, imagepull, image pull, pull the image, pull
            image, pulled, 5xx, unavailable, unreachable, cordon, drain, backoff, degrad, dying, dies=, die=, heal=, healing, sick,
            diagnos, root cause, reliab, uptime, panic, postmortem, post mortem, bad gateway, misbehav, is down, are down, went down,
            goes down, gone down, go down, was down, be down, down again, node down, offline, stuck in terminating, terminating,
            deadlock, livelock, segfault, exit code, exits, exited, exit=, evicted, eviction, disk pressure, memory pressure, pid
            pressure, can't reach, cannot reach, can not reach, can t reach, not reachable, not respond, no response, does not answer,
            doesn't answer, doesn t come up, doesn't come up, does not come up, won't start, won t start, not start, doesn't start,
            does not start, doesn t start, never starts, not run=, did not run, didn't run, didn t run, never complete, never finish,
            doesn't work, doesn t work, does not work, not working, stopped working, chaos, fault injection, failover, fail over,
            resilien, survive, zone failure, zone loss, loss of, lose a, pdb=, pdbs, disruption budget, slo=, slos=, sli=, slis=,
            error budget, sev1, sev2, sev 1, mttr, hangs, hung, unresponsive, flaky, corrupt, not found, does not exist, doesn't
            exist, missing configmap, missing secret, 500s, 502, 503, 504, timing out, times out, time out, dns=, won't attach, won t
            attach, not attach, won't mount, mount fail, multi attach, pagerduty, paged, kaputt, absturz, abgestürzt, stürzt, ausfall,
            ausgefallen, störung, gestört, fehler, antwortet nicht, startet nicht, geht nicht, läuft nicht, funktioniert nicht, nicht
            erreichbar, nicht mehr, neustart, neu starten, hängt, zurückrollen, since the update, since the deploy, since the upgrade,
            after the upgrade, after the update, after the deploy, after deploy, last release, last deploy, after the release, new
            version, latest version""",
        2: """doing nothing, wrong, worse, strange, weird, trouble, stuck, hang=, hanging, health, down=, timeout,
            slow=, slowly, slower, fixed, mend=, dead=, availab, exception, alert, killed, kills=, kill=, recover,
            responding, latency, p99, p95, evict, 500=, deployed, upgrade, upgraded, replace, faulty, maintenance, disappear, vanish,
            lost=, gone=, bug=, regression, hotfix, canary, outlier, volume won, page=, last night, terminated, cronjob, backup,
            restore, user impact, customers, langsam, warum, redeploy, bounce, reboot, config change, symptom, reschedul,
            loop=, loops, looping, single point""",
        1: """issue, problem, why, deploy, deployment, release, flap, pending, version, node=, job=, fix, broken, login, serving""",
    },
    SECURITY: {
        3: """secur, risk, privileg, vulnerab, cve, exploit, attack, hack=, hacked, hacker, breach, rbac, cluster admin, secret=,
            secrets=, credential, password, passwords, passwort, harden, complian, cis=, pod security, pss=, psa=, networkpolic,
            network polic, host network, hostnetwork, hostpath, host path, hostpid, host pid, hostipc, host namespace, unsafe,
            insecure, compromis, malicious, malware, intruder, intrusion, lock down, lockdown, lock it down, threat, leaked,
            dangerous, break out, broke out, breakout, escape, permission, least priv, run as root, running as root, runs as root, as
            root, non root, nonroot, root user, uid 0, dropped root, drop root, docker socket, containerd socket, read only root, root
            filesystem, capabilities, cap_sys, sys_admin, net_admin, seccomp, apparmor, selinux, trivy, kyverno, gatekeeper, opa=,
            falco, image sign, signed, unsigned, sbom, supply chain, untrusted, trusted registr, service account, serviceaccount,
            token=, tokens, automount, impersonat, wildcard, access to, access control, has access, have access, who can, who could,
            who may, who is allowed, allowed to, too many rights, admin rights, too much rights, unauthori, anonymous,
            unauthenticated, authenticat, authoriz, authoris, mtls, tls=, certificate, certs=, cert=, encrypt, plaintext, plain text,
            egress, ingress traffic, exposed, expose, public internet, from the internet, to the internet, internet facing, publicly,
            from outside, pentest, pen test, penetration, red team, crypto min, cryptomin, miner=, miners=, suspicious, anomalous,
            backdoor, rootkit, log4, log4shell, heartbleed, zero day, 0day, soc2, soc 2, iso 27001, iso27001, pci, hipaa, gdpr, dsgvo,
            nist=, auditor, isolation, isolated, isolate, lateral, exec into, kubeconfig, sicher, unsicher, rechte=, rechten, zugriff,
            berechtig, lücke, schwachstelle, angriff, angreif, darf, dürfen, cluster role, clusterrole, role binding, rolebinding""",
        2: """expos, role=, roles=, admin, audit, baseline, restricted, escalat, sandbox, capabilit, tighten, isolat, leak, root=,
            tenan, cleartext, outdated image, base image, old images, image scan, scan images, firewall, internet, public=, critical
            cve, patched, patch=, unpatched, rights=, bound to, can read, can talk, may talk, talk to, reach the database, owasp,
            exfiltrat, contractor, filesystem""",
        1: """least, policy, policies, restrict, can do, namespace enforce, default namespace""",
    },
    SCALING: {
        3: """scale, scaling, scaler, skalier, hochskalier, replica, replicas, hpa, vpa=, autoscal, auto scal, keda, karpenter,
            capacity, kapazit, peak, traffic, forecast, predict, prognose, surge, spike, gang=, gangs, gang schedul, black friday,
            cyber monday, rush=, overload, more pods, more instances, more nodes, more machines, additional nodes, copies, campaign,
            enough pods, enough room, enough nodes, enough capacity, not enough, enough space, keep up, headroom, saturat, training
            job, distributed training, waits for gpu, waiting for gpu, wait for gpu, pending, unschedul, not scheduled, get scheduled,
            no room, room for, insufficient, nodes are available, undersized, underprovision, under provision, too small, throttl,
            queue depth, queue length, backlog, consumers, consumer lag, load test, loadtest, stress test, rps, qps, requests per
            second, resize, vertically, horizontally, bigger, double the, 10x, 2x, 3x, 5x, visitors, concurrent users, growth, big
            enough, large enough, strong enough, will it hold, will hold, hold up, run out of, running out, ansturm, lastspitze,
            auslastung, reicht, genug, besucher, wait for resources, needs more, need more, more memory, more cpu, more cores, more
            ram, quota, elastic, warm up, warmup, max replicas, min replicas, how big, how many nodes, how many replicas, how many
            pods, absorb, handle the""",
        2: """load=, loads=, burst, throughput, schedul, queue, grow, growing, busy, demand, upcoming, bottleneck, waiting for, waits
            for, waiting, prepare, users, doubl, tripl, sale=, seasonal, handle, limits=, limit=, increase, raise, add more, metrics
            server, custom metrics, horizontal, vertical, size=, sizing, next quarter, next year, q1, q2, q3, q4, starv, slots, room=,
            more=""",
        1: """gpu, tomorrow, ahead, tonight, weekend, slow=, idle, utilis, utiliz, requests, flap, flapping, stuck, next week, next
            month, expect, latency""",
    },
    ELSEWHERE: {
        3: """lunch, dinner, breakfast, coffee, recipe, joke, poem, song, movie, weather, wetter, football, jira, confluence, wiki,
            slack channel, outlook, calendar, meeting, holiday, vacation, urlaub, translate, übersetz, summaris, summariz,
            presentation, präsentation, slides, powerpoint, excel, printer, drucker, laptop, keyboard, mouse, monitor for, vpn, wifi,
            wlan, email address, pull request, code review, merge request, regex, stand for, stands for, definition of, meaning of,
            history of, capital of, schulung, onboarding, salary, gehalt, travel, flight, hotel, birthday, congratul, who are you, how
            old are you""",
        2: """hello, hi=, thanks, thank=, danke, hallo, good morning, good night, write me, tell me a""",
    },
}  # fmt: skip

STEMS: dict[str, dict[str, int]] = {}
for _domain, _by_weight in _WORDS.items():
    for _weight, _text in sorted(_by_weight.items()):
        for _stem in (" ".join(part.split()) for part in _text.split(",")):
            STEMS.setdefault(_stem, {})[_domain] = _weight

NAME_PARTS = frozenset(
    {"api", "ui", "svc", "service", "db", "web", "app", "worker", "server", "frontend", "backend", "gateway", "prod", "staging", "dev",
     "test", "job"}
)  # fmt: skip
"""A hyphenated word with one of these parts is what somebody called a thing (`billing-ui`): it says nothing about the question."""

EVERYTHING = (
    "scan", "overview", "status", "everything", "anything", "all findings", "checkup", "check up", "check-up", "whole cluster", "report",
)  # fmt: skip
"""Words that ask for the whole picture: without a domain's own words, every agent is asked."""
