"""Ruling: what all built-in rules cost on one action, call by call; of every hundred calls the slowest but one counts."""

import time

from benchmarks.judging import cases
from core.policy import engine

GOAL_MS = 5.0
CALLS = 4000


def run() -> list[str]:
    """One line. Each call is the engine's whole judgement of one action and its facts."""
    rules, work = engine.builtin(), cases()
    for action, facts in work:
        rules.judge(action, facts)
    costs = []
    for number in range(CALLS):
        action, facts = work[number % len(work)]
        begun = time.process_time()
        rules.judge(action, facts)
        costs.append((time.process_time() - begun) * 1000)
    costs.sort()
    median, slow, worst = costs[CALLS // 2], costs[CALLS * 99 // 100], costs[-1]
    word = "met" if slow <= GOAL_MS else "short"
    told = f"ours {slow:.2f} (median {median:.2f}, worst {worst:.2f}), goal <= {GOAL_MS:g}: {word}"
    return [f"RULES_P99 ({len(rules.rules)} rules, CPU-ms): {told}"]
