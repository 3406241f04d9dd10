"""What windows say, the slow and obvious way: lists of everything that happened, looked through again and
again.

Written from the text that defines windows, time and order; it shares nothing with the kernel but names.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

US = {"s": 10**6, "m": 60 * 10**6, "h": 3600 * 10**6, "d": 86400 * 10**6, "w": 7 * 86400 * 10**6}
DECIMALS = {"USD": 2, "EUR": 2, "JPY": 0, "KWD": 3}
NAN = math.nan

Row = Mapping[str, Any]
Conditions = Mapping[str, Callable[[Row, bool], bool]]


def microseconds(text: str) -> int:
    return int(text[:-1]) * US[text[-1]]


def local(row: Row, zone: str) -> datetime:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=row["event_time"])).astimezone(
        ZoneInfo(zone)
    )


@dataclass
class Event:
    """Something that was applied to an entity."""

    row: Row
    time: int
    label: bool

    def meets(self, condition: Callable[[Row, bool], bool] | None) -> bool:
        """Say whether it counts: a payment by what was known then, a label where it now holds and did not."""
        if condition is None:
            return not self.label
        if self.label:
            return condition(self.row, True) and not condition(self.row, False)
        return condition(self.row, False)


@dataclass
class Entity:
    events: list[Event] = field(default_factory=list)
    sequence: int = 0
    frontier: int | None = None
    first: int | None = None


def text_of(row: Row, columns: Sequence[str]) -> tuple[str, ...] | None:
    values = tuple(row.get(column) for column in columns)
    return None if None in values else values  # type: ignore[return-value]


class Reference:
    def __init__(self, document: dict[str, Any], conditions: Conditions, currency: str = "USD") -> None:
        self.document, self.conditions, self.currency = document, conditions, currency
        self.entities: dict[tuple[tuple[str, ...], tuple[str, ...]], Entity] = {}
        groups = document["features"]
        self.singles = list(dict.fromkeys(part for g in groups for part in listed(g["entity"])))
        self.columns = [(one,) for one in self.singles]
        self.columns += [t for t in dict.fromkeys(tuple(listed(g["entity"])) for g in groups) if len(t) > 1]

    def apply(self, row: Row, label: bool) -> tuple[dict[str, float], list[int], bool]:
        """Return features, sequence numbers and lateness of one row."""
        features: dict[str, float] = {}
        sequence, late = [0] * len(self.singles), False
        time = row["event_time"]
        now = Event(row, time, label)
        for columns in self.columns:
            key = text_of(row, columns)
            entity = None if key is None else self.entities.setdefault((columns, key), Entity())
            if entity is not None and len(columns) == 1:
                entity.sequence += 1
                sequence[self.singles.index(columns[0])] = entity.sequence
                late |= not label and None not in (time, entity.frontier) and time < entity.frontier
            horizon = self.horizon(columns)
            dead = entity is None or time is None
            if not dead and (entity.frontier is None or time - entity.frontier > horizon):
                entity.first = None
            for group in self.document["features"]:
                if tuple(listed(group["entity"])) != columns:
                    continue
                for name, kind, column, window in features_of(group):
                    if dead or label:
                        features[name] = NAN
                    elif kind == "first_seen":
                        seen = entity.first is not None and entity.first <= time
                        features[name] = (time - entity.first) / 1e6 if seen else NAN
                    else:
                        features[name] = self.value(entity, group, kind, column, window, now)
            if dead:
                continue
            if not label and (entity.frontier is None or time > entity.frontier - horizon):
                entity.first = time if entity.first is None else min(entity.first, time)
            entity.frontier = time if entity.frontier is None else max(entity.frontier, time)
            entity.events.append(now)
        return features, sequence, late

    def horizon(self, columns: tuple[str, ...]) -> int:
        found = [0]
        for g in self.document["features"]:
            if tuple(listed(g["entity"])) == columns:
                delay = microseconds(g["delay"]) if g.get("delay") else 0
                found += [microseconds(w) + delay for w in listed(g["windows"])]
        return max(found)

    def value(
        self, entity: Entity, group: dict[str, Any], kind: str, column: str, window: str, now: Event
    ) -> float:
        get = {**self.document, **group}.get
        trimmed = kind in ("trimmed_mean", "ratio_trimmed")
        exact = get("mode", "tiled") == "exact" or trimmed
        length = microseconds(window)
        delay = microseconds(group["delay"]) if group.get("delay") else 0
        frontier = now.time if entity.frontier is None else max(entity.frontier, now.time)
        where = self.conditions[group["where"]] if group.get("where") else None
        fraud = where
        if kind == "risk":
            fraud = (lambda row, known: known and where(row, known)) if where else (lambda row, known: known)
        events = entity.events + ([now] if get("include_current", False) else [])
        if exact:
            counted = (None, fraud) if kind == "share" else (where, fraud) if kind == "risk" else (where,)
            kept = [e for e in events if any(e.meets(c) for c in counted)]
            if kind == "distinct":
                kept = [e for e in kept if e.row[column] is not None]
            kept = sorted(kept, key=lambda e: e.time)[-get("cap", 1024) :]
            seen = [e for e in kept if frontier - delay - length < e.time <= now.time - delay]
        else:
            tile = length // get("tiles", 30)
            last, reach = (now.time - delay) // tile, (frontier - delay) // tile
            first = max(last, reach) - get("tiles", 30) + 1
            seen = [e for e in events if first <= e.time // tile <= last]
            seen.sort(key=lambda e: e.time)
        mine = [e for e in seen if e.meets(fraud)]
        everyone = [e for e in seen if e.meets(where if kind == "risk" else None)]
        if kind == "count":
            return float(len(mine))
        if kind in ("share", "risk"):
            return len(mine) / len(everyone) if everyone else NAN
        if kind == "distinct":
            return float(len({e.row[column] for e in mine if e.row[column] is not None}))
        if kind.startswith("since"):
            return since(kind, [e.time for e in mine], now.time, microseconds(get("gap", "7d")),
                         1 if exact else length // get("tiles", 30))  # fmt: skip
        return self.of_values(kind, column, mine, now, get("trim", 0.1))

    def of_values(self, kind: str, column: str, mine: list[Event], now: Event, trim: float) -> float:
        money = column in self.document.get("money", ["amount"])
        currency = now.row.get("currency") or self.currency
        if money:
            mine = [e for e in mine if (e.row.get("currency") or self.currency) == currency]
        values = [Fraction(e.row[column]) for e in mine if e.row[column] is not None]
        scale = 10.0 ** DECIMALS[currency] if money else 1.0
        n = len(values)
        if kind == "sum":
            return float(sum(values)) / scale
        if n == 0:
            return NAN
        if kind in ("min", "max"):
            return float(min(values) if kind == "min" else max(values)) / scale
        if kind == "std":
            if n < 2:
                return NAN
            spread = n * sum(v * v for v in values) - sum(values) ** 2
            return math.sqrt(float(spread) / float(n * (n - 1))) / scale
        if kind in ("trimmed_mean", "ratio_trimmed"):
            cut = n * round(trim * 1_000_000) // 1_000_000
            values = sorted(values)[cut : n - cut]
        mean = float(sum(values)) / (len(values) * scale)
        if kind in ("mean", "trimmed_mean"):
            return mean
        if mean == 0.0 or now.row[column] is None:
            return NAN
        return float(now.row[column]) / scale / mean


def since(kind: str, times: list[int], now: int, gap: int, tile: int) -> float:
    if not times:
        return NAN
    moment = min(times)
    if kind == "since_last":
        moment = max(times)
    if kind == "since_run_start":
        moment = max(times)
        for time in sorted(times, reverse=True):
            if moment - time > gap and moment // tile != time // tile:
                break
            moment = time
    return max(now - moment, 0) / 1e6


def listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def features_of(group: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    found = []
    for text in listed(group["aggregates"]):
        kind, _, column = text.partition(" ")
        for window in ["ever"] if kind == "first_seen" else listed(group["windows"]):
            parts = ["+".join(listed(group["entity"])), f"{kind}_{column}" if column else kind, window]
            parts += [group[word] for word in ("where", "suffix") if group.get(word)]
            found.append(("__".join(parts), kind, column, window))
    return found
