"""How an event is decided: a probability, two thresholds, rules beside the model, and reasons for alerts."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tallystick.evaluation import Thresholds
from tallystick.models import EventCalibration, Model, RankCalibration
from tallystick.rules.rules import Rules, combine
from tallystick.scorer.decision import WORDED, numbers, picked, repeated
from tallystick.scorer.policy import act
from tallystick.scorer.solution import EventTask
from tallystick.scorer.table import FittedTable

__all__ = ["TOP", "EventModel"]

TOP = 5  # reasons given for one alert
YES_NO = ("no", "yes")

Floats = NDArray[np.float64]
#: A reason: feature, value, effect, words.
_Said = tuple[str, float | None, float | None, str]
_SAID = pa.list_(WORDED)


@dataclass(frozen=True)
class EventModel:
    """An event or anomaly task with all that decides it.

    usual: the median of each feature over the training rows, for reasons; in_words: says a reason.
    """

    task: EventTask
    features: FittedTable
    model: Model
    calibration: EventCalibration | RankCalibration
    thresholds: Thresholds
    usual: Floats
    in_words: Callable[[str, float, float | None], str]
    name: str

    @cached_property
    def actions(self) -> pa.Array:
        """What is done, by code: nothing, a person looks, refused."""
        return pa.array(self.task.actions)

    @cached_property
    def labels(self) -> pa.Array:
        """No and yes."""
        return pa.array(YES_NO)

    def chance(self, clean: pa.RecordBatch, threads: int = 1) -> Floats:
        """Return the probability of the event (how odd a row is, for an anomaly): float64 (rows,)."""
        return self.calibration.apply(self.model.raw(self.features.matrix(clean), threads)[:, 0])

    def decide(
        self,
        clean: pa.RecordBatch,
        *,
        reasons: bool,
        all_scores: bool,
        threads: int,
        rules: Rules | None = None,
        behaviour: Floats | None = None,
        columns: Mapping[str, pa.Array] | None = None,
    ) -> dict[str, pa.Array]:
        """Decide clean rows; the columns of the decisions that are this task's own.

        behaviour: window features of the rows, float64 (rows, features), where they have no column of them;
        columns: those of the rows that are at hand.
        """
        rows, values = len(clean), self.features.values(clean, behaviour, columns)
        X = self.features.matrix(clean, values)
        chance = self.calibration.apply(self.model.raw(X, threads)[:, 0])
        action = act(self.thresholds, chance)
        label = np.minimum(action, 1)
        ruled = None
        if rules is not None:
            ruled = rules.apply(values)
            action = combine(action, ruled)
        made = {
            "task": repeated(self.task.name, rows),
            "label": picked(YES_NO, self.labels, label),
            "score": numbers(chance),
            "action": picked(self.task.actions, self.actions, action),
            "model": repeated(self.name, rows),
        }
        if reasons:
            alerts = np.flatnonzero(action | label)
            said: dict[int, list[_Said]] = {row: [] for row in alerts.tolist()}
            if rules is not None and ruled is not None:
                for row, words in rules.say(values, ruled).items():
                    name = f"rule:{rules.names[ruled.first[row]]}"
                    said.setdefault(row, []).append((name, None, None, words))
            self._explain(X, alerts, said, threads)
            made["reasons"] = _listed(said, rows)
        if all_scores:
            made["scores"] = _both(chance)
        return made

    def _explain(
        self, X: Floats, alerts: NDArray[np.int64], said: dict[int, list[_Said]], threads: int
    ) -> None:
        """Add the features that moved each alert most, from the model itself; they add up to its score."""
        if not len(alerts):
            return
        names, usual = self._told
        seen = np.ascontiguousarray(X[alerts])
        parts = self.model.contributions(seen, threads=threads)[:, :-1]
        # What pulled the score up: an alert is explained by what speaks for it.
        best = np.argsort(-parts, axis=1, kind="stable")[:, :TOP]
        for row, top, effects, values in zip(
            alerts.tolist(), best.tolist(), parts.tolist(), seen.tolist(), strict=True
        ):
            for i in top:
                if not effects[i] > 0:
                    break
                value = values[i] if i < len(values) else math.nan
                given = None if math.isnan(value) else value
                said[row].append((names[i], given, effects[i], self.in_words(names[i], value, usual[i])))

    @cached_property
    def _told(self) -> tuple[tuple[str, ...], list[float | None]]:
        """The features by name, and what is usual.

        A model may add columns of its own, such as an anomaly score; their values are its secret.
        """
        added = getattr(self.model, "added", ())
        usual = [None if math.isnan(one) else one for one in self.usual.tolist()]
        return (*self.features.names, *added), [*usual, *[None] * len(added)]


def _listed(said: dict[int, list[_Said]], rows: int) -> pa.Array:
    """Spread reasons over all rows; those without any have an empty list."""
    if not said:
        return _empty(rows)
    if rows == 1:
        return pa.array([said[0]], _SAID)
    sizes = np.zeros(rows + 1, np.int32)
    order = sorted(said)
    for row in order:
        sizes[row + 1] = len(said[row])
    flat = pa.array([one for row in order for one in said[row]], WORDED)
    return pa.ListArray.from_arrays(pa.array(np.cumsum(sizes, dtype=np.int32)), flat)


@lru_cache(maxsize=8)
def _empty(rows: int) -> pa.Array:
    return pa.ListArray.from_arrays(pa.array(np.zeros(rows + 1, np.int32)), pa.array([], WORDED))


def _both(chance: Floats) -> pa.Array:
    """The probabilities of no and of yes, for each row."""
    rows = len(chance)
    offsets = pa.array(np.arange(rows + 1, dtype=np.int32) * 2)
    keys: Any = pa.array(YES_NO * rows, pa.string())
    return pa.MapArray.from_arrays(offsets, keys, pa.array(np.stack([1 - chance, chance], axis=1).ravel()))
