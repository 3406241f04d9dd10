"""Rows as a published prototype's: each for itself, of known probability, so what can be reached is known.

A payment is ordinary or of one kind of fraud; its amount, place, device, channel, hour and weekday are then
drawn one by one from that kind's tables. Bayes' rule over the same tables says how probable fraud is for each
row, and no model can on average do better than that: customers tell nothing, and neither does the order.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tallystick.errors import DataError, UsageError, did_you_mean
from tallystick.solutions.fraud.simulator.chance import Draws, Weighted
from tallystick.solutions.fraud.simulator.payments import SCENARIOS
from tallystick.solutions.fraud.simulator.preset import MILLION, read
from tallystick.solutions.fraud.simulator.table import cents, named, numbered, times

__all__ = ["Design", "Reachable", "posterior", "reachable"]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

FEATURES: Final = ("amount", "place", "device", "channel", "hour", "weekday")
#: The kind of fraud that looks as an ordinary payment does.
DISGUISED: Final = "disguised"
_BATCH: Final = 65_536
#: Rows of one week; more rows are more weeks.
_WEEK_ROWS: Final = 500_000
_AN_HOUR, _A_DAY = 3_600, 86_400


@dataclass(frozen=True)
class Design:
    """Tables of weights by feature: `values`, and `weights` int64 (kinds, values), ordinary first."""

    seed: int
    start: date
    weeks: int
    customers: int
    fraud_share: float
    kinds: tuple[str, ...]
    kind_weights: tuple[int, ...]
    values: Mapping[str, tuple[Any, ...]]
    weights: Mapping[str, Ints]

    @classmethod
    def of(cls, words: Mapping[str, Any], where: str) -> Design:
        """Check what a file says; UsageError names what is wrong."""
        plain = {"about", "seed", "start", "weeks", "customers", "fraud_share", "ordinary", "frauds"}
        _known(where, words, plain, "setting of this preset")
        counts = {
            "seed": 0,
            **{name: words[name] for name in ("seed", "weeks", "customers") if name in words},
        }
        for name, value in counts.items():
            if not isinstance(value, int) or isinstance(value, bool) or value < (name != "seed"):
                raise UsageError(f'{where}: {name} is "{value}".', "Write a whole number above nought.")
        share, start = words["fraud_share"], words["start"]
        if not isinstance(share, int | float) or isinstance(share, bool) or not 0 < share < 1:
            raise UsageError(f'{where}: fraud_share is "{share}".', "Write a number between 0 and 1.")
        if not isinstance(start, date) or isinstance(start, datetime):
            raise UsageError(f'{where}: start is "{start}".', "Write a date such as 2025-01-06.")
        ordinary, frauds = words["ordinary"], words["frauds"]
        if not isinstance(ordinary, Mapping) or not isinstance(frauds, Mapping) or not frauds:
            raise UsageError(f"{where}: ordinary and frauds are tables of weights.", _SHAPE)
        _known(where, ordinary, set(FEATURES), "feature")
        missing = [name for name in FEATURES if name not in ordinary]
        if missing:
            raise UsageError(f"{where}: ordinary lacks {', '.join(missing)}.", _SHAPE)
        values = {name: tuple(_table(where, name, ordinary[name])) for name in FEATURES}
        for kind, table in frauds.items():
            _known(where, {kind: 0}, {one for one in SCENARIOS if one} | {DISGUISED}, "kind of fraud")
            if not isinstance(table, Mapping):
                raise UsageError(f"{where}: {kind} is a table of weights.", _SHAPE)
            _known(where, table, {"weight", *FEATURES}, "feature")
            if not isinstance(table.get("weight"), int) or table["weight"] < 1:
                raise UsageError(f"{where}: {kind} has no whole weight above nought.", "Write weight: 20.")
        tables = [ordinary, *({**ordinary, **table} for table in frauds.values())]
        weights = {name: _weights(where, name, values[name], tables) for name in FEATURES}
        return cls(
            **counts, start=start, fraud_share=float(share),
            kinds=tuple(frauds), kind_weights=tuple(table["weight"] for table in frauds.values()),
            values=values, weights=weights,
        )  # fmt: skip

    @property
    def priors(self) -> Floats:
        """How often a payment is ordinary, and of each kind of fraud."""
        shares = np.array(self.kind_weights, np.float64) / sum(self.kind_weights)
        return np.concatenate([[1 - self.fraud_share], self.fraud_share * shares])

    def chances(self, name: str) -> Floats:
        """Give the probability of each value of a feature: float64 (kinds, values)."""
        weights = self.weights[name]
        return np.asarray(weights / weights.sum(axis=1, keepdims=True), np.float64)

    def batches(self, rows: int, seed: int) -> Iterator[pa.RecordBatch]:
        """Yield rows week by week, in order of time."""
        weeks = max(self.weeks, -(-rows // _WEEK_ROWS))
        number = 0
        for week in range(weeks):
            size = rows * (week + 1) // weeks - rows * week // weeks
            batch = self._week(week, size, number, seed)
            number += size
            for start in range(0, size, _BATCH):
                yield batch.slice(start, _BATCH)

    def _week(self, week: int, size: int, number: int, seed: int) -> pa.RecordBatch:
        draws = Draws(seed, 5, week)
        fraud = draws.happens(round(self.fraud_share * MILLION), size)
        kind = np.where(fraud, 1 + Weighted(self.kind_weights).draw(draws, size), 0)
        drawn = {name: np.zeros(size, np.int64) for name in FEATURES}
        for one in range(len(self.kinds) + 1):
            here = np.flatnonzero(kind == one)
            for name in FEATURES:
                drawn[name][here] = Weighted(self.weights[name][one].tolist()).draw(draws, len(here))
        second = (week * 7 + drawn["weekday"]) * _A_DAY + drawn["hour"] * _AN_HOUR
        second += draws.below(_AN_HOUR, size)
        ends = np.array(self.values["amount"]) * 100
        low = np.concatenate([[100], ends[:-1]])[drawn["amount"]]
        amount = low + draws.below(ends[drawn["amount"]] - low, size)
        customer = draws.below(self.customers, size)
        order = np.argsort(second, kind="stable")
        return pa.RecordBatch.from_pydict(
            {
                "transaction_id": numbered("T", np.arange(number, number + size), 9),
                "event_time": times(self.start, second[order]),
                "customer_id": numbered("C", customer[order], 7),
                "amount": cents(amount[order]),
                **{name: named(self.values[name], drawn[name][order]) for name in FEATURES[1:4]},
                "is_fraud": pa.array(fraud[order]),
            }
        )


_SHAPE: Final = "See the built-in preset: each feature has its values, each with a whole weight."


def _known(where: str, words: Mapping[str, Any], known: set[str], what: str) -> None:
    for name in words:
        if name not in known:
            raise UsageError(f'{where}: "{name}" is no {what}.', did_you_mean(str(name), known))


def _table(where: str, name: str, table: Any) -> dict[Any, int]:
    """Read values and weights; hours and weekdays are a list, amounts are upper ends."""
    size = {"hour": 24, "weekday": 7}.get(name)
    if size is not None and isinstance(table, list) and len(table) == size:
        table = dict(enumerate(table))
    elif size is not None or not isinstance(table, Mapping) or not table:
        raise UsageError(f"{where}: {name} is no table of weights.", _SHAPE)
    if any(not isinstance(weight, int) or weight < 0 for weight in table.values()) or not any(table.values()):
        raise UsageError(f"{where}: {name} has a weight that is no whole number.", _SHAPE)
    if name == "amount":
        ends = list(table)
        if any(not isinstance(end, int) for end in ends) or ends != sorted({*ends}) or ends[0] < 2:
            raise UsageError(f"{where}: the ends of amounts do not ascend from 2.", _SHAPE)
        return dict(table)
    return dict(table) if size is not None else {str(value): weight for value, weight in table.items()}


def _weights(where: str, name: str, values: tuple[Any, ...], tables: list[Mapping[str, Any]]) -> Ints:
    out = np.zeros((len(tables), len(values)), np.int64)
    for row, table in enumerate(tables):
        for value, weight in _table(where, name, table[name]).items():
            if value not in values:
                raise UsageError(
                    f'{where}: ordinary payments have no {name} "{value}".',
                    "Add it there, if need be with 0.",
                )
            out[row, values.index(value)] = weight
    return out


@dataclass(frozen=True)
class Reachable:
    """What a perfect model reaches on average; F1 at its best threshold, accuracy at a half."""

    fraud_share: float
    disguised: float
    average_precision: float
    roc_auc: float
    f1: float
    precision: float
    recall: float
    threshold: float
    accuracy: float


def reachable(preset: str = "prototype") -> Reachable:
    """Compute what no model can pass on average, over all rows that there can be.

    Every combination of values has its probability of being drawn, ordinary and as a fraud. Sorted by the
    probability of fraud they give each measure exactly. Rows of one probability, as nine in ten are, stand in
    any order: average precision is the mean over all of them.
    """
    design = _design(preset)
    joint = np.zeros((2, int(np.prod([len(design.values[name]) for name in FEATURES]))))
    for kind, prior in enumerate(design.priors):
        cells = np.array([prior])
        for name in FEATURES:
            cells = np.outer(cells, design.chances(name)[kind]).ravel()
        joint[min(kind, 1)] += cells
    joint = joint[:, joint.sum(axis=0) > 0]
    probability = joint[1] / joint.sum(axis=0)
    # What is left of rounding must not part cells of one probability.
    ranks = np.unique(-np.round(probability, 12), return_inverse=True)[1].ravel()
    bad, good = (np.bincount(ranks, weights=side).astype(np.float64) for side in (joint[1], joint[0]))
    caught, flagged = np.cumsum(bad), np.cumsum(bad + good)
    f1 = 2 * caught / (flagged + bad.sum())
    best = int(np.argmax(f1))
    falsely = np.cumsum(good)
    return Reachable(
        fraud_share=float(bad.sum()),
        disguised=_disguised(design),
        average_precision=_average_precision(bad, good),
        roc_auc=float((good * (caught - bad / 2)).sum() / (bad.sum() * falsely[-1])),
        f1=float(f1[best]),
        precision=float(caught[best] / flagged[best]),
        recall=float(caught[best] / bad.sum()),
        threshold=float(bad[best] / (bad[best] + good[best])),
        accuracy=float(np.maximum(joint[0], joint[1]).sum()),
    )


def _average_precision(bad: Floats, good: Floats) -> float:
    """Integrate precision over recall, group by group; within one, precision moves as a hyperbola."""
    size = bad + good
    caught, flagged = np.cumsum(bad) - bad, np.cumsum(size) - size
    rate = bad / size
    # The integral of (caught + rate x) / (flagged + x) over the group's size, times its rate.
    grown = np.log1p(np.divide(size, flagged, out=np.zeros_like(size), where=flagged > 0))
    return float((rate * (rate * size + (caught - rate * flagged) * grown)).sum() / bad.sum())


def posterior(rows: pa.RecordBatch | pa.Table, preset: str = "prototype") -> Floats:
    """Say how probable fraud is for rows that the preset made: float64 (rows,), 0 … 1.

    Reads event_time, amount, place, device and channel; DataError for rows that the preset cannot have made.
    """
    design = _design(preset)
    when = rows["event_time"]
    found = {
        "amount": np.searchsorted(
            np.array(design.values["amount"]), rows["amount"].cast(pa.float64()), "right"
        ),
        "hour": pc.hour(when).to_numpy(),
        "weekday": pc.day_of_week(when).to_numpy(),
    }
    for name in ("place", "device", "channel"):
        found[name] = pc.fill_null(pc.index_in(rows[name], pa.array(design.values[name])), -1).to_numpy()
    likelihood = np.repeat(design.priors[:, None], rows.num_rows, axis=1)
    for name in FEATURES:
        at = found[name]
        if len(at) and not 0 <= at.min() <= at.max() < len(design.values[name]):
            raise DataError(
                f"A row has a {name} that this preset never draws.", "Give the rows as simulated."
            )
        likelihood *= design.chances(name)[:, at]
    # Rounded, so that rows of one probability have one number.
    return np.asarray(np.round(likelihood[1:].sum(axis=0) / likelihood.sum(axis=0), 12), np.float64)


def _disguised(design: Design) -> float:
    weights = dict(zip(design.kinds, design.kind_weights, strict=True))
    return weights.get(DISGUISED, 0) / sum(weights.values())


def _design(preset: str) -> Design:
    like, words = read(preset)
    if like != "prototype":
        raise UsageError(f'What is reachable is known for "prototype" alone, not for "{preset}".')
    return Design.of(words, preset)
