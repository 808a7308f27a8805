"""Spending a day: what a whole day of a cluster of two hundred pods costs, with its traffic and what is asked of its metrics.

Twenty-one services of ten pods on twelve nodes; one calls another, a CronJob runs each hour. At the end of the day the requests, failures
and latencies of all services are asked for in steps of a minute, and the quantiles of what pods used. Once more with two of the services
autoscaled: each of their 5,760 looks a day costs, and so does whatever their pods' coming and going moves.
"""

import asyncio
import time
from typing import Any

import httpx

from core.cluster.queries import Query, Shape
from simulator.controllers.cluster import PODS
from simulator.worlds.running import Running, start

GOAL = 5.0
"""CPU-seconds."""
ROUNDS = 2
DAY = 86_400
SERVICES, PODS_EACH = 21, 10
STEP_SECONDS = 60
_ASKED = (Shape.REQUEST_RATE, Shape.ERROR_RATIO, Shape.LATENCY_P99)


def run() -> list[str]:
    """Two lines: the least of some rounds, and how much of it the questions were; the same once with autoscalers."""
    passed, asked, pods = min((_round(seed) for seed in range(ROUNDS)), key=lambda found: found[0] + found[1])
    total = passed + asked
    what = f"a day of {pods} pods, CPU-s; of it {asked:.2f} for the day's metrics"
    scaled = sum(_round(0, autoscaled=2)[:2])
    met, met_scaled = ("met" if cost <= GOAL else "short" for cost in (total, scaled))
    return [
        f"DAY ({what}): {total:.2f}, goal <= {GOAL:g}: {met}",
        f"DAY_AUTOSCALED (the same with two services autoscaled, CPU-s): {scaled:.2f}, goal <= {GOAL:g}: {met_scaled}",
    ]


def _round(seed: int, autoscaled: int = 0) -> tuple[float, float, int]:
    running = start(world(autoscaled), seed=seed)
    began = time.process_time()
    running.clock.advance(DAY)
    passed = time.process_time()
    asyncio.run(_metrics(running))
    return passed - began, time.process_time() - passed, len(running.store.list(PODS))


def world(autoscaled: int = 0) -> dict[str, Any]:
    """The document of that cluster; so many of its services are autoscaled."""
    workloads = [_service(number) for number in range(SERVICES)]
    for scaled in workloads[:autoscaled]:
        scaled["hpa"] = {"min_replicas": 6, "max_replicas": 14}
    workloads[2]["calls"] = [{"to": workloads[3]["name"], "per_request": 0.2}]
    hourly = {"name": "tidy", "namespace": "apps", "kind": "CronJob", "schedule": "0 * * * *", "run_seconds": 60, "probes": False}
    return {
        "name": "day",
        "start": "2026-11-23T00:00:00Z",
        "nodes": [
            {
                "names": [f"node-{number}" for number in range(1, 13)],
                "cpu_milli": 16_000,
                "memory_mib": 65_536,
                "instance_type": "m6.4xlarge",
            }
        ],
        "namespaces": [{"name": "apps", "age_hours": 2160}],
        "workloads": [*workloads, {**hourly, "cpu_request_milli": 100}],
    }


def _service(number: int) -> dict[str, Any]:
    return {
        "name": f"service-{number}",
        "namespace": "apps",
        "replicas": PODS_EACH,
        "cpu_request_milli": 300,
        "service": True,
        "pdb_min_available": 5,
        "traffic": {"base_rps": 300, "night_rps": 130},
        "cpu": {"idle_milli": 10, "per_rps_milli": 6},
        "memory": {"base_mib": 207, "wave_mib": 10},
        "latency": {"p99_ms": 80, "rps_per_core": 300},
    }


async def _metrics(running: Running) -> None:
    end = running.clock.now().timestamp()
    texts = [Query(shape, "apps", rate_seconds=STEP_SECONDS).promql() for shape in _ASKED]
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=running.metrics_app), base_url="http://prometheus") as http:
        spans = [{"query": text, "start": end - DAY, "end": end, "step": str(STEP_SECONDS)} for text in texts]
        answers = [await http.post("/api/v1/query_range", data=span) for span in spans]
        answers.append(await http.post("/api/v1/query", data={"query": Query(Shape.CPU_QUANTILE, "apps", window_seconds=DAY).promql()}))
    for answer in answers:
        answer.raise_for_status()
        if len(answer.json()["data"]["result"]) < SERVICES:
            raise RuntimeError("the simulator answered too few series: nothing was measured")
