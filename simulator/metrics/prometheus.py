"""The Prometheus HTTP API over the load model: instant and range queries of the closed table, and plain selectors.

Answers have Prometheus' own form (values as text, vectors and matrices); what is not served is 422 with the sentence that says what is.
Reference: https://prometheus.io/docs/prometheus/latest/querying/api/
"""

import re
from collections import OrderedDict
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

import numpy as np
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from core.cluster.queries import Query
from simulator.clock import VirtualClock
from simulator.metrics import answers, selectors, shapes
from simulator.metrics.answers import MOST_POINTS, Row
from simulator.metrics.model import Fleet
from simulator.metrics.noise import Floats
from simulator.metrics.numbers import number
from simulator.store import Store

Json = dict[str, Any]
KEPT_ANSWERS = 64
_DURATION = re.compile(r"[0-9]+(ms|[smhdwy])")
VERSION = "3.16.0"


class RefusedError(Exception):
    """A request that Prometheus would refuse: HTTP code, its errorType, the sentence."""

    def __init__(self, code: int, kind: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.kind = kind


class Prometheus:
    """One metrics source. Answers are kept until the timeline changes."""

    def __init__(self, fleet: Fleet, store: Store, clock: VirtualClock) -> None:
        self._fleet = fleet
        self._store = store
        self._clock = clock
        self._kept: OrderedDict[tuple[int, Query, tuple[float, ...]], list[Row]] = OrderedDict()

    # -- evaluation ---------------------------------------------------------------------------------------------------

    def instant(self, text: str, at: float) -> list[Json]:
        """The result of an instant query: a vector. Raises UnservedError."""
        asked = shapes.parse(text)
        if isinstance(asked, shapes.Selector):
            found = selectors.select(self._fleet, self._store, asked, at)
            return [{"metric": labels, "value": [at, number(value)]} for labels, value in found]
        rows = self._rows(asked, np.array([at]))
        return [{"metric": row.labels, "value": [at, number(float(row.values[0]))]} for row in rows]

    def ranged(self, text: str, times: Floats) -> list[Json]:
        """The result of a range query: a matrix. Raises UnservedError, for plain selectors too."""
        asked = shapes.parse(text)
        if isinstance(asked, shapes.Selector):
            raise shapes.UnservedError("plain selectors are served at an instant only")
        return [{"metric": row.labels, "values": _points(times, row.values)} for row in self._rows(asked, times)]

    def _rows(self, query: Query, times: Floats) -> list[Row]:
        place = (self._fleet.timeline.version, query, (float(times[0]), float(times[-1]), float(len(times))))
        if place not in self._kept:
            self._kept[place] = answers.answer(self._fleet, query, times)
            if len(self._kept) > KEPT_ANSWERS:
                self._kept.popitem(last=False)
        return self._kept[place]

    # -- routes -------------------------------------------------------------------------------------------------------

    async def query(self, request: Request) -> Response:
        given = await _parameters(request)
        at = self._time(given.get("time"), "time")
        return _ok({"resultType": "vector", "result": self.instant(_required(given, "query"), at)})

    async def query_range(self, request: Request) -> Response:
        given = await _parameters(request)
        start, end = self._time(_required(given, "start"), "start"), self._time(_required(given, "end"), "end")
        step = _step(_required(given, "step"))
        if end < start:
            raise RefusedError(400, "bad_data", 'invalid parameter "end": end timestamp must not be before start time')
        if (end - start) / step > MOST_POINTS:
            raise RefusedError(
                400,
                "bad_data",
                "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)",
            )
        times = start + step * np.arange(int((end - start) // step) + 1, dtype=np.float64)
        return _ok({"resultType": "matrix", "result": self.ranged(_required(given, "query"), times)})

    async def labels(self, _: Request) -> Response:
        names = [
            "__name__",
            "code",
            "container",
            "instance",
            "job",
            "namespace",
            "node",
            "owner_kind",
            "owner_name",
            "phase",
            "pod",
            "service",
            "uid",
        ]
        return _ok(names)

    async def metric_names(self, _: Request) -> Response:
        return _ok(sorted(selectors.METRICS))

    async def series(self, request: Request) -> Response:
        given = await _parameters(request)
        asked = shapes.parse(_required(given, "match[]"))
        if not isinstance(asked, shapes.Selector):
            raise shapes.UnservedError("series takes a plain selector")
        found = selectors.select(self._fleet, self._store, asked, self._clock.now().timestamp())
        return _ok([labels for labels, _ in found])

    async def build_info(self, _: Request) -> Response:
        return _ok({"version": VERSION, "revision": "simulated", "branch": "", "buildUser": "", "buildDate": "", "goVersion": ""})

    async def ready(self, _: Request) -> Response:
        return PlainTextResponse("Prometheus Server is Ready.\n")

    def _time(self, text: str | None, name: str) -> float:
        if text is None:
            return self._clock.now().timestamp()
        try:
            return float(text) if re.fullmatch(r"-?[0-9.]+([eE][+-]?[0-9]+)?", text) else datetime.fromisoformat(text).timestamp()
        except ValueError:
            raise RefusedError(400, "bad_data", f'invalid parameter "{name}": cannot parse {text[:60]!r} to a valid timestamp') from None


def build(fleet: Fleet, store: Store, clock: VirtualClock) -> Starlette:
    """The ASGI application, to be mounted at /prometheus."""
    source = Prometheus(fleet, store, clock)
    both = ["GET", "POST"]
    return Starlette(
        routes=[
            Route("/api/v1/query", source.query, methods=both),
            Route("/api/v1/query_range", source.query_range, methods=both),
            Route("/api/v1/labels", source.labels, methods=both),
            Route("/api/v1/label/__name__/values", source.metric_names),
            Route("/api/v1/series", source.series, methods=both),
            Route("/api/v1/status/buildinfo", source.build_info),
            Route("/-/ready", source.ready),
            Route("/-/healthy", source.ready),
        ],
        exception_handlers={RefusedError: _refused, shapes.UnservedError: _unserved},
    )


# -- form -------------------------------------------------------------------------------------------------------------


def _points(times: Floats, values: Floats) -> list[list[Any]]:
    known = ~np.isnan(values)
    return [[at, number(value)] for at, value in zip(times[known].tolist(), values[known].tolist(), strict=True)]


def _ok(data: Any) -> Response:
    return JSONResponse({"status": "success", "data": data})


async def _parameters(request: Request) -> dict[str, str]:
    """Query parameters and, for POST, the form."""
    given = dict(request.query_params)
    if request.method == "POST":
        body = (await request.body())[:65_536].decode("utf-8", "replace")
        given |= dict(parse_qsl(body))
    return given


def _required(given: dict[str, str], name: str) -> str:
    if not given.get(name):
        raise RefusedError(400, "bad_data", f'invalid parameter "{name}": missing')
    return given[name]


def _step(text: str) -> float:
    """Seconds: a number, or a duration like 5m."""
    try:
        if _DURATION.fullmatch(text):
            unit = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800, "y": 31_536_000}
            digits = re.match("[0-9]+", text)
            step = float(digits[0]) * unit[text[len(digits[0]) :]] if digits else 0.0
        else:
            step = float(text)
    except ValueError:
        step = 0.0
    if not 0 < step < 1e9:
        raise RefusedError(400, "bad_data", f'invalid parameter "step": {text[:60]!r} is no positive duration')
    return step


async def _refused(_: Request, error: Exception) -> Response:
    code, kind = (error.code, error.kind) if isinstance(error, RefusedError) else (500, "internal")
    return JSONResponse({"status": "error", "errorType": kind, "error": str(error)}, status_code=code)


async def _unserved(_: Request, error: Exception) -> Response:
    return JSONResponse({"status": "error", "errorType": "execution", "error": str(error)}, status_code=422)
