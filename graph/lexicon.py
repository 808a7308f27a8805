"""The words by which the supervisor knows whose business a question is. A table: per domain, stems by weight.

A stem matches the start of a word after folding case; with `=` behind it, the whole word only; several words match as they stand, and
what a phrase has matched no shorter stem of it counts again. Apostrophes are left out on both sides. Weights: 3 names the domain,
2 is typical of it, 1 is a hint. Written from the vocabulary of the trade and of `evals/routing/development.yaml`, English and some German;
the sentences that score it are kept apart in `evals/routing/`.
"""

FINOPS, RELIABILITY, SECURITY, SCALING = "finops", "reliability", "security", "scaling"
DOMAINS = (FINOPS, RELIABILITY, SECURITY, SCALING)
ELSEWHERE = "elsewhere"
"""What belongs to nobody here: desks, offices, other tools. It outweighs hints, never a word that names a domain."""

_WORDS: dict[str, dict[int, str]] = {
    FINOPS: {
        3: """cost, spend, spent, bill=, bills=, billed, billing=, budget, money, cheap, expens, price, pricing, sav, waste, wasting,
            dollar, euro=, euros=, usd=, invoice, finops, finance, financ, chargeback, charge back, showback, overprovision, over
            provision, oversize, too big, too large, right siz, rightsiz, underus, under used, underutil, under util, afford, discount,
            economi, unused, not used, not in use, nobody uses, no one uses, reserved instance, savings plan, committed use, off hours,
            turn off, turned off, switch off, switched off, shut off, power off, zombie, orphan, abandon, unattached, unmounted,
            unclaimed, dangling, left over, leftover, pay less, pay for, paying for, pays for, opex, credits=, kosten, kostet, teuer,
            teure, geld, sparen, spart, rechnung, verschwend, billig, guenstig, günstig, barely used, hardly used, rarely used, no
            longer used, not needed, unneeded, obsolete, decommission, retire, for nothing, get rid of, abschalten, ausschalten,
            ungenutzt, leerlauf, scale to zero, cash=, overspent, nobody touches, nobody needs, no one needs, never deleted, never
            cleaned, without any pod, without an owner, no owner, nobody owns, smaller machine, smaller node, smaller instance, fewer
            nodes, fewer machines, fewer cores, fewer replicas, around the clock, 24/7, 24 7, worth its, worth it, licence cost, license
            cost, cfo=, accounting, procurement, too generous, generously, too much memory, too much cpu, too many replicas, too many
            nodes, too much headroom, bigger than needed, larger than needed, sits idle, sit idle, sitting idle, mostly idle, scale
            down, einspar, zahlen wir, bezahl, zu gross, zu groß, grosszügig, großzügig, überdimension, noch gebraucht, brauchen wir
            noch, braucht niemand, braucht keiner, nicht mehr gebraucht, niemand nutzt, niemand benutzt, keiner nutzt, ausmachen, lohnt,
            cost center, cost centre, gathering dust, runs empty, hourly rate, price tag, nearly empty, almost empty, mostly empty, left
            running, lying around, anybody using, anyone using, still used, still using, still need, do we still, more than twice, twice
            as much as, way more than, far more than, bigger number, asleep, sleeping, rent=, rented, pricey, overpay, bucks, used at
            all, even used, actually used, really used, really need, still needed, needed anymore, hängen an nichts, ausgaben, ausgeben,
            pro monat, überflüssig, unnötig, leer steh, verwaist, herumlieg, rumlieg, sparpot, preis, etat=, wirtschaftlich, schlecht
            ausgelastet, kaum ausgelastet, kaum genutzt, wenig genutzt, anyone noticing, called since""",
        2: """half empty, idle, spot=, preemptible, on demand, efficien, utilis, utiliz, consolidat, shrink, trim, reclaim, surplus, pay=,
            pays=, paid=, paying=, paying, generous, downsiz, bin pack, binpack, empty nodes, credit=, cut=, forgotten, forgot, nothing
            uses, zero traffic, no traffic, tco=, roi=, unit economics, cleanup, clean up, garbage, belong to nothing, belongs to
            nobody, stale volume, snapshots, disks, per tenant, breakdown, real usage, actual usage, actually use, really use, really
            uses, way higher, requests and uses, much more than, more than it needs, node type, instance type, machine type, unattended,
            allocat, overspend, fiscal, allowance, requested, justify, license, licence, pack=, packed, packing, barely, hardly, bored,
            boring, data transfer, cross zone, office hours, do nothing, does nothing, doing nothing, dev cluster, dev environment, test
            environment, preview env, sandbox env, asks for, slim, unnecess, necessary, nötig, nachts, wochenende, aufräum, leere,
            fewer, smaller, tidy, top spender, owner=, turn the, tighter, hungry, over its, prune, stopped using, no longer need, years
            ago, months ago, shut down, cleaned, cleaning, older than, add to the bill, big spender, reserved, nobody has, no one has,
            per month, cents, in use, do we need, monatlich, burn=, zu viele""",
        1: """only uses, uses only, empty, requests, slack=, burning, usage, uses=, volumes, load balancer, month, gpu, utilization,
            night, nights, weekend, storage, snapshot, kleiner, delete, twice, percent, worth, zero requests, biggest, largest, hardly
            any traffic, big=, replicaset, monthly, annual, löschen, vs=""",
    },
    RELIABILITY: {
        3: """instab, unstable, frozen, freez, stall, troubleshoot, investigat, crash, restart, broken, broke=, breaks=, fail, error,
            outage, incident, unhealthy, oom, out of memory, rollback, roll back, rolling back, rolled back, rollout, roll out, revert,
            undo=, notready, not ready, readiness, liveness, startup probe, probe, imagepull, image pull, pull the image, pull image,
            pulled, 5xx, unavailable, unreachable, cordon, drain, backoff, degrad, dying, dies=, die=, heal=, healing, sick, diagnos,
            root cause, reliab, uptime, panic, postmortem, post mortem, bad gateway, misbehav, is down, are down, went down, goes down,
            gone down, go down, was down, be down, down again, node down, offline, stuck in terminating, terminating, deadlock,
            livelock, segfault, exit code, exits, exited, exit=, evicted, eviction, disk pressure, memory pressure, pid pressure, cant
            reach, cannot reach, can not reach, can t reach, not reachable, not respond, no response, does not answer, doesnt answer,
            doesn t come up, doesnt come up, does not come up, wont start, won t start, not start, doesnt start, does not start, doesn t
            start, never starts, not run=, did not run, didnt run, didn t run, never complete, never finish, doesnt work, doesn t work,
            does not work, not working, stopped working, chaos, fault injection, failover, fail over, resilien, survive, zone failure,
            zone loss, loss of, lose a, pdb=, pdbs, disruption budget, slo=, slos=, sli=, slis=, error budget, sev1, sev2, sev 1, mttr,
            hangs, hung, unresponsive, flaky, corrupt, not found, does not exist, doesnt exist, missing configmap, missing secret, 500s,
            502, 503, 504, timing out, times out, time out, dns=, wont attach, won t attach, not attach, wont mount, mount fail, multi
            attach, pagerduty, paged, kaputt, absturz, abgestürzt, stürzt, ausfall, ausgefallen, störung, gestört, fehler, antwortet
            nicht, startet nicht, geht nicht, läuft nicht, funktioniert nicht, nicht erreichbar, nicht mehr, neustart, neu starten,
            hängt, zurückrollen, since the update, since the deploy, since the upgrade, after the upgrade, after the update, after the
            deploy, after deploy, last release, last deploy, after the release, new version, latest version, falling over, falls over,
            fell over, fall over, acting up, acts up, playing up, plays up, something is off, somethings off, is off with, put back,
            version back, previous version, previous image, previous release, earlier version, older version, last known good, last
            good, deadline exceeded, no endpoints, become ready, becomes ready, gets ready, get ready, nothing happens, reset by peer,
            connection refused, blank page, white page, not load=, wont load, stack trace, stacktrace, traceback, packet loss, split
            brain, quorum, wedged, bricked, what changed, cannot be mounted, not mounted, no space left, disk full, disk is full, unable
            to, startet neu, startet dauernd, startet ständig, ständig neu, dauernd neu, was ist los, was ist da los, ist los mit, los
            mit, spinnt, geht nichts, läuft nichts, laufen nicht, nicht bereit, bricht ab, abgebrochen, fällt aus, ausfäll, vorherige
            version, letzte version, alte version, zurücknehmen, zurücksetz, rückgängig, tut nicht, wont come, dont come, does not
            become, doesnt become, mttd, oncall, on call, woke me, woken, keeps losing, lost its, loses its, lose its, intermittent,
            sporadic, 4xx, http 5, status code, healthcheck, health check, not running, is burning, on fire, since we, target down,
            returns garbage, returns nonsense, is gone, half of the pods, not all pods, lost leader, nicht gefunden, abstürz, hängen,
            crasht, crashen, rebootet, ging nicht, gehen nicht, keine antwort, wieso geht, not answer, vanish, lädt nicht, collaps, no
            longer works, not connect, cant connect, nothing works, empty response, out of sync, heartbeat, data loss, lost data, hakt=,
            klemmt, reagiert nicht, kommt nicht, kommen nicht, defekt, fehlgeschlag, schlägt fehl, schlagen fehl, wiederherstell, repar,
            ist weg, sind weg, verschwunden, instabil, unerreichbar, zickt, bleibt hängen""",
        2: """doing nothing, wrong, worse, strange, weird, trouble, stuck, hang=, hanging, health, down=, timeout, slow=, slowly, slower,
            fixed, mend=, dead=, availab, exception, alert, killed, kills=, kill=, recover, responding, latency, p99, p95, evict, 500=,
            deployed, upgrade, upgraded, replace, faulty, maintenance, disappear, lost=, gone=, bug=, regression, hotfix, canary,
            outlier, volume won, page=, last night, terminated, cronjob, backup, restore, user impact, customers, langsam, warum,
            redeploy, bounce, reboot, config change, symptom, reschedul, loop=, loops, looping, single point, doesnt=, doesn=, wont=,
            isnt=, arent=, wasnt=, didnt=, cannot=, couldnt, unable, worked, works=, complain, refused, connection, loading, logs=,
            log=, lose=, loses, losing, zurück, startet, gestartet, tot=, image name, wrong image, changed, endpoints, every few
            minutes, every minute, all the time, constantly, again and again, spinning, jitter, leader election, blocked, denied,
            forbidden, meldet, seit dem, seit gestern, seit heute, los=, versagt, ready=, weirdly, typo, suddenly, plötzlich, unhappy,
            mounted, mounting, went wrong, rescue, stops=, stopped, crashed, dauernd, ständig, warnung, alarm=, alarme, fehlt=, failing
            over, glitch, hiccup, odd=, oddly, messed, silent, connect=, connects, 404, stale, missed, skipped, delayed, dead letter,
            throws, throwing, behaves, behaving, fliegt, rot=, warnings""",
        1: """issue, problem, why, deploy, deployment, release, flap, pending, version, node=, job=, fix, login, serving, off=, endpoint,
            event=, events=, daemonset, statefulset, mount, previous, back=, cant=, red=, again=, reason, since=, seit=, fehlen, while=,
            meanwhile, nicht=, late=, sync, duplicate, funny""",
    },
    SECURITY: {
        3: """secur, risk, privileg, vulnerab, cve, exploit, attack, hack=, hacked, hacker, breach, rbac, cluster admin, secret=,
            secrets=, credential, password, passwords, passwort, harden, complian, cis=, pod security, pss=, psa=, networkpolic, network
            polic, host network, hostnetwork, hostpath, host path, hostpid, host pid, hostipc, host namespace, unsafe, insecure,
            compromis, malicious, malware, intruder, intrusion, lock down, lockdown, lock it down, threat, leaked, dangerous, break out,
            broke out, breakout, escape, permission, least priv, run as root, running as root, runs as root, as root, non root, nonroot,
            root user, uid 0, dropped root, drop root, docker socket, containerd socket, read only root, root filesystem, capabilities,
            cap_sys, sys_admin, net_admin, seccomp, apparmor, selinux, trivy, kyverno, gatekeeper, opa=, falco, image sign, signed,
            unsigned, sbom, supply chain, untrusted, trusted registr, service account, serviceaccount, automount, impersonat, wildcard,
            access to, access control, has access, have access, who can, who could, who may, who is allowed, allowed to, too many
            rights, admin rights, too much rights, unauthori, anonymous, unauthenticated, authenticat, authoriz, authoris, mtls,
            encrypt, plaintext, plain text, ingress traffic, exposed, expose, public internet, from the internet, to the internet,
            internet facing, publicly, from outside, pentest, pen test, penetration, red team, crypto min, cryptomin, miner=, miners=,
            suspicious, anomalous, backdoor, rootkit, log4, log4shell, heartbleed, zero day, 0day, soc2, soc 2, iso 27001, iso27001,
            pci, hipaa, gdpr, dsgvo, nist=, auditor, isolation, isolated, isolate, lateral, exec into, kubeconfig, sicher, unsicher,
            rechte=, rechten, zugriff, berechtig, lücke, schwachstelle, angriff, angreif, darf, dürfen, cluster role, clusterrole, role
            binding, rolebinding, security, safely, safe from, unencrypt, openssl, unknown registr, unknown image, allowprivilege, api key,
            apikey, private key, ssh key, access key, anyone can, anybody can, everyone can, everybody can, anyone could, whole world,
            entire world, to the world, open port, can reach=, could reach, may reach, can access, could access, break in=, breaks in,
            broke in=, broken into, breaking in, ausbrech, ausbruch, von aussen, von außen, öffentlich, aus dem internet, als root,
            verschlüssel, klartext, zertifikat, stolen, steal, ex employee, ex colleague, former employee, former colleague, left the
            company, offboard, sniff, tamper, injection, metadata service, instance metadata, sudo, setuid, rogue, ransom, phish, ciso,
            data protection, personal data, pii=, take over, takeover, kubectl exec, too broad, too powerful, more power, overprivileg,
            zero trust, ddos, waf=, only what it uses, only what it needs, only what they need, env variable, environment variable,
            hardcoded, hard coded, world readable, god mode, superuser, super user, impersonate, eavesdrop, spoof, datenschutz,
            sicherheit, angreifer, gehackt, einbruch, rollen=, geheimnis, known holes, holes=, mining, got into, gets into, get into,
            gain access, pid namespace, netzwerkrichtlinie, talk straight, talk directly, speak to, unpatched, outdated image, outdated
            package, old packages, old librar, outdated librar, stale image, compliance, share the host, hosts network, hosts pid, run
            without root, rights than, power than, exposure, without need, netpol, psp=, admin account, accounts of, people who left,
            vuln, sensitive, confidential, privacy, login attempts, brute, bypass, violat, accessible, unprotected, sso=, oidc, saml,
            mfa=, 2fa, forensic, log4j, patch level, absicher, härten, härtung, verwundbar, anfällig, administrator, zugang,
            vertraulich, einbrecher, too much access, anonymer""",
        2: """token=, tokens, tls=, certificate, certs=, cert=, egress, expos, role=, roles=, admin, audit, baseline, restricted, escalat,
            sandbox, capabilit, tighten, isolat, leak, root=, tenan, cleartext, base image, old images, image scan, scan images,
            firewall, internet, public=, critical cve, patched, patch=, rights=, bound to, can read, can talk, may talk, talk to, reach
            the database, owasp, exfiltrat, contractor, filesystem, outbound, third party, can delete, can modify, can change, cant
            delete, can do anything, open to, ports=, only what, keys=, exec=, shell=, who did, who created, who changed, who accessed,
            who has, latest tag, allow=, allows, allowed, deny=, denies, forbidden, segment, trust, kernel, regulat, provenance, attest,
            stranger, weak=, rotate, sysctl, customer data, ungeschützt, offen=, schutz, schütz, protect, loadbalancer without, straight
            to the, customer database, talks to, sicherer, admins, pasted, doors, identity, identities, guardrail, signature, end of
            life, eol=, erlaubt, verboten, schlüssel, einseh, image scanner""",
        1: """least, policy, policies, restrict, can do, namespace enforce, default namespace, nobody knows, without a reason, reach=,
            host=, default=, unknown, registries, registry, open=, touch=, touches, fehlen, missing, straight, key=, door=, guest,
            admission""",
    },
    SCALING: {
        3: """scale, scaling, scaler, skalier, hochskalier, hpa, vpa=, autoscal, auto scal, keda, karpenter, capacity, kapazit, peak,
            predict, prognose, surge, spike, gang=, gangs, gang schedul, black friday, cyber monday, rush=, overload, more pods, more
            instances, more nodes, more machines, additional nodes, campaign, enough pods, enough room, enough nodes, enough capacity,
            not enough, enough space, keep up, saturat, training job, distributed training, waits for gpu, waiting for gpu, wait for
            gpu, pending, unschedul, not scheduled, get scheduled, no room, room for, insufficient, nodes are available, undersized,
            underprovision, under provision, too small, throttl, queue depth, queue length, backlog, consumer lag, stress test, rps,
            qps, requests per second, resize, vertically, horizontally, double the, 10x, 2x, 3x, 5x, visitors, concurrent users, growth,
            big enough, large enough, strong enough, will it hold, will hold, hold up, run out of, running out, ansturm, lastspitze,
            auslastung, reicht, genug, besucher, wait for resources, needs more, need more, more memory, more cpu, more cores, more ram,
            elastic, warm up, warmup, max replicas, min replicas, how big, how many nodes, how many replicas, how many pods, absorb,
            handle the, nothing fits, doesnt fit, not fit=, fits nowhere, add nodes, add a node, add machines, add pods, another node,
            another replica, another pod, extra replicas, extra pods, extra nodes, resourcequota, no place, no space, voll=, maxed, max
            out, at its max, at max=, at the limit, at their limit, many people, lots of people, many users, more users, more people,
            more customers, more load, more visitors, cold start, cope=, copes, coping, overwhelm, swamped, choke, too few, too little,
            under load, cpu target, target util, stabilization window, stabilisation window, zu wenig, zu klein, zu knapp, erwarten,
            mehr pods, mehr replik, mehr instanz, mehr knoten, mehr speicher, mehr kunden, mehr nutzer, mehr last, mehr leistung,
            warteschlange, wartet auf, warten auf, hochfahr, hochzieh, hochdreh, raufsetz, erhöh, unter last, hoher last, hohe last,
            wachstum, kampagne, christmas, easter, prime day, singles day, viewers, attendees, subscribers, ticket sale, concurrency,
            warm pool, kueue, volcano, coschedul, pytorchjob, needs gpu, need gpu, falling behind, falls behind, fall behind, hinterher,
            are we ready, prescale, pre scale, scale out, scale up, in time for, never gets its, gets its gpus, get its gpus, spin up,
            outgrow, room to grow, how far can, how long until, at capacity, big event, cluster full, nodes full, nodes are full, is
            full=, contention, compete for, oversubscri, overcommit, step scaling, weihnacht, take the load, take the traffic, handle
            the traffic, stand the load, bear the load, carry the load, serve everyone, at full, beefier, undersize, out of capacity,
            capacity plan, right number of, keep pace, keeps pace, pegged, 100 percent, scalab, busiest, crunch, rush hour, shortage,
            short of, short on, ramp, number of replicas, anticipat, projection, sustain, withstand, heavy load, high load, peak load,
            engpass, überlast, ausgelastet, andrang, verdoppel, verdreifach, vergrößer, aufstock, kein platz, platz=, passt nicht mehr,
            vorhersage, rabattaktion, schafft, verkraft, aushalten, hält das, standhalten, one more pod, genug luft""",
        2: """consumers, replica, replicas, traffic, forecast, copies, headroom, load test, loadtest, bigger, quota, load=, loads=, burst,
            throughput, schedul, queue, grow, growing, busy, demand, upcoming, bottleneck, waiting for, waits for, waiting, prepare,
            users, doubl, tripl, sale=, seasonal, handle, limits=, limit=, increase, raise, add more, metrics server, custom metrics,
            horizontal, vertical, size=, sizing, next quarter, next year, q1, q2, q3, q4, starv, slots, room=, more=, fits=, fit=, fit
            on, full=, million, wave, launch, promo, promotion, tv=, commercial, fragment, big job, people=, lag=, lags=, lagging,
            behind=, ready for, node pool, nodepool, node group, worker pool, training, affinity, priority class, knapp, spitzen,
            wachsen, wächst, season, month end, year end, quarter end, free gpu, never gets, hits the, cpu limit, memory limit, tips
            over, tight=, arrives, crowd, steigt, newsletter, go live, goes live, going live, onboard new, new customers, rollout to
            all, volume of orders, orders per, sold out, cores=, extra=, another=, people use, waits=, wait=, capacit, instances,
            exhaust, busier, squeez, lack of, lacks, provision, trend, only gets, voraussicht, träge, verkehr, jahresende""",
        1: """gpu, tomorrow, ahead, tonight, weekend, slow=, idle, utilis, utiliz, requests, flap, flapping, stuck, next week, next month,
            expect, latency, thousand, target=, taint, tolerat, topology, partition, streaming, match=, add=, nodes=, cpu=, min=, max=,
            enough, friday, saturday, sunday, monday, morning, mornings, evening, evenings, december, holidays in, at once, instead of,
            mehr=, nächste woche, nächsten monat, estimate, größer""",
    },
    ELSEWHERE: {
        3: """lunch, dinner, breakfast, coffee, recipe, joke, poem, song, movie, weather, wetter, football, jira, confluence, wiki, slack
            channel, outlook, calendar, meeting, holiday, vacation, urlaub, translate, übersetz, summaris, summariz, presentation,
            präsentation, slides, powerpoint, excel, printer, drucker, laptop, keyboard, mouse, monitor for, vpn, wifi, wlan, email
            address, pull request, code review, merge request, regex, stand for, stands for, definition of, meaning of, history of,
            capital of, schulung, onboarding, salary, gehalt, travel, flight, hotel, birthday, congratul, who are you, how old are you,
            kitchen, fridge, restaurant, pizza, bike, parking, garage, passport, tax return, dentist, haircut, gym=, netflix,
            revolution, photoshop, figma, cover letter, payday, payroll, expense report, reisekosten, spesen, kantine, mittagessen,
            farewell, headset, my computer, my phone, my email, my car, zoom call, standup, protokoll, landing page, font=, essay,
            riddle, haiku, homework, stock price, bitcoin, hire=, hiring, engineers=, interview, candidate, recruit, conference,
            konferenz, teammeeting, linkedin, tweet, blog post, vim=, emacs, vscode, typescript, css=, mailing list, parental leave,
            sick leave, work from home, home office, homeoffice, elevator, my badge, name my, restaurants, vacation days, feiertag,
            geburtstag, kino, witz, gedicht, rezept, horoscope, lottery, soccer, olympics, bus stop, train late, the train, taxi, my
            flight, dog=, my trip, my holidays, guard at, office door, commute, windows password, reset my, my password, conversion
            rate, with sales, call with, supermarket, bakery, see you, cake=, chair, vegan, unsubscribe, miles=, flug, besprechung,
            insurance, timesheet, time tracking, training course, exam=, okr=, story points, product backlog, sprint backlog,
            brainstorm, slogan, hr department, proofread, president, phone number, who invented, how old""",
        2: """hello, hi=, thanks, thank=, danke, hallo, good morning, good night, write me, tell me a, office=, python, javascript, rename
            files, git=, merge=, party, gift, agenda, minutes of, colour of, color of, logo=, music, email, mailbox, retro=, book=, book
            a, draft a, letter, article, grammar, spelling, spell, bye=, goodbye, ok=, okay=, cheers, tschüss, gute nacht, guten morgen,
            how tall, how far is, who won, what day, capital, country, city=, teammates, robot, windows update, quote of, convert,
            termin, krank, workshop, tutorial, course, roadmap, sprint=, survey, bahn=, zug=, who wrote, what language""",
        1: """my=, explain, acronym, recommend, learn, write, name=""",
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

NAMES = frozenset(
    {"alert", "alerts", "auth", "audit", "backup", "billing", "budget", "campaign", "credit", "finance", "forecast", "invoice", "invoices",
     "invoicing", "login", "pay", "payment", "payments", "pricing", "prices", "queue", "quota", "report", "reporting", "sale", "sales",
     "search", "scheduler", "ticket", "token", "traffic", "user", "users"}
)  # fmt: skip
THINGS = frozenset(
    {"api", "app", "backend", "container", "database", "db", "deployment", "frontend", "gateway", "job", "jobs", "namespace", "pod",
     "pods", "server", "service", "services", "team", "ui", "worker", "workers"}
)  # fmt: skip
OWNERS = frozenset({"namespace", "ns", "team", "deployment", "service"})
"""Words of a domain that are also what people call their services: before a thing, or behind its kind, they are names."""

GERMAN = frozenset(
    {"aber", "auf", "aus", "bei", "bitte", "das", "der", "den", "dem", "ein", "eine", "es", "für", "haben", "hat", "ich", "im", "ist",
     "kann", "kein", "keine", "mehr", "mit", "nach", "nicht", "nur", "oder", "seit", "sind", "und", "uns", "von", "vom", "wann",
     "warum", "wer", "wie", "wieso", "wir", "wird", "wo", "zu", "zum", "zur"}
)  # fmt: skip
"""Words that English lacks: one of them makes a sentence German."""

EVERYTHING = (
    "scan", "overview", "status", "everything", "anything", "all findings", "checkup", "check up", "check-up", "whole cluster", "report",
)  # fmt: skip
"""Words that ask for the whole picture: without a domain's own words, every agent is asked."""
