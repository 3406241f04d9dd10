"""How a class is decided: what scores the rows, how sure the label is, and when a person decides instead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tallystick.models import Calibration
from tallystick.scorer.decision import REASON, picked, repeated
from tallystick.scorer.policy import Abstention
from tallystick.scorer.solution import ClassTask, RowScorer

__all__ = ["TOP", "ClassModel"]

TOP = 5  # reasons given for one decision


@dataclass(frozen=True)
class ClassModel:
    """A class task with all that decides it."""

    task: ClassTask
    scorer: RowScorer
    calibration: Calibration
    classes: tuple[str, ...]
    abstention: Abstention
    name: str

    @cached_property
    def names(self) -> pa.Array:
        """The classes as an array that codes can pick from."""
        return pa.array(self.classes, pa.string())

    @cached_property
    def actions(self) -> pa.Array:
        """What is done when a person decides, and what when none does."""
        sure, unsure = self.task.actions
        return pa.array([unsure, sure])

    def decide(
        self, clean: pa.RecordBatch, *, reasons: bool, all_scores: bool, threads: int
    ) -> dict[str, pa.Array]:
        """Decide clean rows; the columns of the decisions that are this task's own."""
        rows, features = len(clean), self.task.features
        missing = features.missing(clean)
        seen, place = clean, None
        if missing.any():
            seen = clean.filter(pa.array(~missing))
            # Where each row's result stands among the rows that could be looked at.
            place = pa.array(np.cumsum(~missing) - 1, mask=missing)
        if reasons:
            logits, why = self.scorer.logits_and_reasons(seen, TOP, threads)
        else:
            logits, why = self.scorer.logits(seen, threads), None
        decided = self.calibration.decide(logits)
        score = decided.sure
        automatic = np.zeros(rows, np.int64)
        automatic[~missing] = self.abstention.automatic(score)
        made = {
            "task": repeated(self.task.name, rows),
            "label": _spread(picked(self.classes, self.names, decided.label), place),
            "score": _spread(pa.array(score), place),
            "action": picked(self.task.actions[::-1], self.actions, automatic),
            "model": repeated(self.name, rows),
        }
        if why is not None:
            made["reasons"] = _explain(why, place, features.missing_reason)
        if all_scores:
            made["scores"] = _spread(_scores(self.classes, decided.chance), place)
        return made


def _spread(values: pa.Array, place: pa.Array | None) -> pa.Array:
    """Put results back to their rows; rows that could not be looked at are null."""
    return values if place is None else values.take(place)


def _explain(why: pa.Array, place: pa.Array | None, code: str) -> pa.Array:
    """Give rows that could not be looked at the one reason that says so."""
    if place is None:
        return why
    known = pa.concat_arrays(
        [why, pa.array([[{"feature": code, "value": None, "effect": None}]], pa.list_(REASON))]
    )
    return known.take(place.fill_null(len(why)))


def _scores(classes: Sequence[str], chance: NDArray[np.float64]) -> pa.Array:
    """All classes with their probability, for each row."""
    rows, count = chance.shape
    names = pa.array(np.tile(np.arange(count), rows))
    offsets = pa.array(np.arange(rows + 1, dtype=np.int32) * count)
    keys: Any = pa.array(classes, pa.string()).take(names)
    return pa.MapArray.from_arrays(offsets, keys, pa.array(chance.ravel()))
