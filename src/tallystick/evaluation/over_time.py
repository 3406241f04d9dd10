"""Events over time: the figures of each day, and how long an entity goes on before it is found."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tallystick.evaluation.binary_metrics import Curve, ratio

__all__ = ["detection", "over_time"]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Ints = NDArray[np.int64]

MOST = 400  # at most so many points; more days are taken several at a time
HOUR = 3_600_000_000


def over_time(
    day: Ints,
    truth: Flags,
    score: Floats,
    flagged: Flags,
    declined: Flags,
    daily: Mapping[str, Mapping[int, float]] | None = None,
) -> list[dict[str, Any]]:
    """Give the figures of each day with rows (of several days together where there are more than 400).

    `alerts` are flagged and not declined. `daily` are further figures: by name the value of each day number;
    several days together have their mean, a day without one None. `average_precision` and `recall` are None
    on days without an event.

    >>> flags = np.array([True, False])
    >>> over_time(np.array([0, 1]), flags, np.array([0.9, 0.1]), flags, ~flags)[0]["recall"]
    1.0
    """
    if not len(day):
        return []
    first = int(day.min())
    width = (int(day.max()) - first) // MOST + 1
    part = (day - first) // width
    order = np.argsort(part, kind="stable")
    names, begins = np.unique(part[order], return_index=True)
    ends = np.append(begins[1:], len(order))
    further: dict[str, dict[int, list[float]]] = {}
    for figure, values in (daily or {}).items():
        by_point = further.setdefault(figure, {})
        for number, value in values.items():
            by_point.setdefault((number - first) // width, []).append(value)
    points = []
    for name, begin, end in zip(names.tolist(), begins.tolist(), ends.tolist(), strict=True):
        rows = order[begin:end]
        events = int(truth[rows].sum())
        hits, flags = int((truth[rows] & flagged[rows]).sum()), int(flagged[rows].sum())
        stopped = int(declined[rows].sum())
        points.append(
            {
                "day": str(date(1970, 1, 1) + timedelta(days=first + name * width)),
                "days": width,
                "rows": end - begin,
                "events": events,
                "alerts": flags - stopped,
                "declined": stopped,
                "found": hits,
                "precision": ratio(hits, flags),
                "recall": ratio(hits, events),
                "average_precision": Curve.of(truth[rows], score[rows]).average_precision(),
                **{
                    figure: float(np.mean(by_point[name])) if name in by_point else None
                    for figure, by_point in further.items()
                },
            }
        )
    return points


def detection(
    truth: Flags, flagged: Flags, entity: Ints, time: Ints, amount: Floats | None
) -> dict[str, Any]:
    """Measure how long entities go on, from their first event to their first flagged one.

    Of entities with an event (`cards`): how many were `detected`; for those the `hours` until then and the
    events before (`frauds_before`; median, mean, and the ninth decile), and the `amount_before` in all.
    `frauds_undetected` are the events of entities never found, `amount_undetected` their amount. Times are
    int64 microseconds.

    >>> flags = np.array([True, True])
    >>> found = detection(flags, np.array([False, True]), np.array([0, 0]), np.array([0, HOUR]), None)
    >>> found["detected"], found["hours"]["median"], found["frauds_before"]["mean"]
    (1, 1.0, 1.0)
    """
    rows = np.flatnonzero(truth & (entity >= 0))
    rows = rows[np.lexsort((time[rows], entity[rows]))]
    codes = entity[rows]
    starts = np.flatnonzero(np.append(True, codes[1:] != codes[:-1])[: len(codes)])
    if not len(starts):
        empty = {"median": None, "mean": None, "p90": None}
        return {
            "cards": 0,
            "detected": 0,
            "share": None,
            "hours": empty,
            "frauds_before": dict(empty),
            "amount_before": None if amount is None else 0.0,
            "amount_undetected": None if amount is None else 0.0,
            "frauds_undetected": 0,
        }
    place = np.arange(len(rows))
    found = np.minimum.reduceat(np.where(flagged[rows], place, len(rows)), starts)
    sizes = np.diff(np.append(starts, len(rows)))
    hit = found < len(rows)
    before = (found - starts)[hit]
    waited = (time[rows[found[hit]]] - time[rows[starts[hit]]]) / HOUR
    before_flag = undetected = None
    if amount is not None:
        sums = np.maximum(np.nan_to_num(amount[rows]), 0.0)
        detected = np.repeat(hit, sizes)
        before_flag = float(sums[detected & (place < np.repeat(found, sizes))].sum())
        undetected = float(sums[~detected].sum())
    return {
        "cards": len(starts),
        "detected": int(hit.sum()),
        "share": float(hit.mean()),
        "hours": _spread(waited),
        "frauds_before": _spread(before.astype(np.float64)),
        "amount_before": before_flag,
        "amount_undetected": undetected,
        "frauds_undetected": int(sizes[~hit].sum()),
    }


def _spread(values: Floats) -> dict[str, float | None]:
    if not len(values):
        return {"median": None, "mean": None, "p90": None}
    return {
        "median": float(np.median(values)),
        "mean": float(values.mean()),
        "p90": float(np.quantile(values, 0.9)),
    }
