"""What `docs/assessing.md` says between its tables."""

BEFORE = """After a run has ended, an assessor reads all that is stored of it as one value, a *trajectory*
(`core/assessing/trajectory.py`): the request, the findings with their evidence and its age, causes, proposals, the judge's facts and
verdict, approvals, every move of the audit chains, what the verifier saw, what was reported, and a later look at the same cluster. It
answers requirement by requirement: satisfied, violated, or unknown where what is stored does not tell, each with the ids that show it.
Code answers first and for all of them; a model may be asked for those that words decide, and can only tighten. A run is *sound* where
every requirement is satisfied, *flawed* by one violation, and *unknown* otherwise.

```console
$ day2 eval assess                    # what was said of the runs of this data folder
$ day2 eval assess run-1a2b3c         # one run, requirement by requirement, by code
$ day2 eval capture run-1a2b3c --to cases/  # the run as a labelled, redacted case
```"""

HOW = """An assessor may be used where its outcome is the label in at least {aligned} % of the runs, at most {alarms} % of sound ones
are called flawed, and at most {silent} % of flawed ones are called sound. `unknown` is neither: it is shown, and counts against
alignment.

**Where the labels come from.** `evals/assessing` injects a fault into a simulated cluster, lets the agents find it and judge and
executor mend it the whole way, looks again, and keeps only runs that the oracle of the faults calls whole. Into these it plants one
error each, drawn from the run's seed; most are subtle: all else stays as it was. The label is what was planted, never what a check
says. The day2ops project wrote errors, checks and the scripted models below, so this shows that planted errors of these kinds are seen,
not that errors of every kind would be. Seeds 1 and 2 served to make the checks; the held-out seeds were simulated before, and scored
once the checks were done. The good runs are `evals/assessing/runs.jsonl`, one a line; `python -m evals.assessing --simulate` lives
through them anew.

Code reads no meaning: a boast in a report, or a wrong motive behind a right first sentence, it does not see. These are its silent
misses."""

MODELS = """A model gets the texts of a run, each with an id, and a closed list of statements. It answers satisfied, violated or
unknown, and for a violation names ids and copies words from one of them; code looks them up. Two of the statements are controls of
which code knows that one holds and the other does not; an answer that gets one of them wrong, or rests all its violations on the same
words, is left aside as a whole. What it says against a run counts as a violation; what it says for a run changes nothing.

The models here are scripts (`evals/assessing/readers.py`), run in process here and behind a real endpoint in the tests. `attentive`
compares words and was written by who wrote the errors: its figures show what a model that reads could add, and say nothing of any model
that one can buy. `hasty` misreads one run in six with true quotes, which no code can notice: the calibration does, and it may not be
used. All others
answer without having read: they add nothing and take nothing away. A model may be asked where the assessor passes with it and tells more
runs right than code alone, so none of them may. `python -m evals.assessing --ask 40` asks the model of your settings, about so many of
the runs."""

OTHERS = "And those that assess nothing: always the same, nothing at all, or an echo of what the run says of itself."

PRODUCTION = """## In production

The controller assesses every run that `day2 serve` finished: when all its actions have ended and a later run has looked again, or
`assess.wait_minutes` after. What was said is a record of its audit chain (`assessment.done`); `day2 eval assess` lists it,
`day2_runs_assessed_total` counts it. `assess.sample_percent` of the runs, chosen by their ids, are also shown to the model of
`model.*`, within its budget.

**It can lower what is trusted, and never raise it.** Each action in which a requirement is violated is a record of the chain `assessor`
(`assessment.missed`). The judge counts such an action as a miss when it works out [autonomy](autonomy.md): one step down at once, and
earned again only by verified outcomes, or by people who vouch. No record of an assessment makes a hit of anything. Who could write that
chain could lower levels, and no more. `assess.lowers: false` leaves autonomy alone.

**Alerts.** `Day2RunFlawed` names a run in which a requirement is violated. `Day2AssessmentDrift` stands where the latest 20 runs are
flawed more often than those before them, beyond what chance explains (Wilson's intervals at 95 % lie apart), or where at least half of
the last ten answers of the model were left aside.

**Cases.** `day2 eval capture RUN` writes a `kind: Case` document: the request, the causes, findings and actions of the run, its
verdicts and outcome as expectations, the label with who gave it, and the trajectory. Secrets are out, people are `person-1`,
`person-2`; names of objects stay. `--label` and `--note` are a person's word; without them the label is the assessor's, and says so.
`--snapshot FILE` names a saved snapshot of that time with its digest, so that the case can be run again."""
