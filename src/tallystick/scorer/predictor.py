"""A trained task, ready to decide: features, model, calibrator and policy, whatever its kind."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tallystick.feature_extraction import FittedFeatures, RowScorer, Values, missing_of
from tallystick.models import Model, Sufficiency, TrainingRows
from tallystick.models.scores import Calibrator, Scores
from tallystick.rules.rules import Applied, Rules, combine
from tallystick.scorer.blanks import UnmetBlanks
from tallystick.scorer.decision import REASON, nulls, numbers, picked, repeated
from tallystick.tasks import FittedPolicy, Task

__all__ = ["TOP", "Predictor", "Want"]

TOP = 5  # reasons given for one decision
FEW = 64  # rows of a sparse matrix that are explained together

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
#: A reason: feature, value, effect, words.
_Reason = tuple[str, float | None, float | None, str]
_REASONS = pa.list_(REASON)
_NONE = np.zeros(0, np.int64)


@dataclass(frozen=True)
class Want:
    """What decisions should hold: reasons of all rows or of those acted on, the score of each output."""

    reasons: bool = True
    all_reasons: bool = False
    all_scores: bool = False
    threads: int = 1


@dataclass(frozen=True)
class Predictor:
    """A task with all that decides it.

    outputs: what codes of labels stand for; medians: of each dense feature over training rows, for reasons;
    reason_text: says a reason in words; name: what decisions call the model; needs: task → the name of the
    model whose scores it reads; unmet: the features that no training row lacked, where that was kept;
    sufficiency: which rows hold too little to decide, None where it cannot tell; trained_on: the rows that it
    was trained on.
    """

    task: Task
    features: FittedFeatures
    model: Model
    calibrator: Calibrator
    policy: FittedPolicy
    outputs: tuple[str, ...]
    medians: Floats
    reason_text: Callable[[str, float, float | None], str]
    name: str
    needs: Mapping[str, str] = field(default_factory=dict)
    unmet: UnmetBlanks | None = None
    sufficiency: Sufficiency | None = None
    trained_on: TrainingRows | None = None

    @cached_property
    def joined(self) -> RowScorer | None:
        """Features and model in one pass, where there is a kernel for that."""
        return self.features.joined(self.model)

    @cached_property
    def _labels(self) -> pa.Array:
        return pa.array(self.outputs, pa.string())

    @cached_property
    def _actions(self) -> pa.Array:
        return pa.array(self.task.policy.actions, pa.string())

    def scores(
        self, rows: pa.RecordBatch, threads: int = 1, columns: Mapping[str, pa.Array] | None = None
    ) -> Scores:
        """Score clean rows that hold something to look at; columns: further ones, such as scores of tasks.

        The score of a row with a blank that training never met is NaN.
        """
        if self.joined is not None:
            raw, support, _ = self.joined.explained(rows, 0, threads)
            return self._weighed(self.calibrator.apply(raw), support)[0]
        values = self.features.values(rows, None, columns)
        X = self.features.matrix(rows, values, threads)
        support = None if self.sufficiency is None else self.features.support(rows, threads)
        scores = self._weighed(self.calibrator.apply(self.model.raw(X, threads)), support)[0]
        unmet = None if self.unmet is None else self.unmet.rows(self._dense(X, values))
        return scores if unmet is None else replace(scores, score=np.where(unmet, np.nan, scores.score))

    def _dense(self, X: Any, values: Values) -> Floats:
        """Return the dense features of rows, whose features are X."""
        return X if isinstance(X, np.ndarray) else self.features.dense(values)

    def _weighed(self, scores: Scores, support: Floats | None) -> tuple[Scores, Codes, Codes]:
        """Return scores in the light of how much is known of each row.

        And which rows hold too little, with the code of the measure that says so.
        """
        if self.sufficiency is None or support is None:
            return scores, _NONE, _NONE
        probability, worst = self.sufficiency.apply(support)
        short = probability < self.sufficiency.cutoff
        rows = np.flatnonzero(short)
        return self.task.target.weigh(scores, probability, short), rows, worst[rows]

    def decide(
        self,
        clean: pa.RecordBatch,
        want: Want,
        *,
        rules: Rules | None = None,
        window_features: Floats | None = None,
        columns: Mapping[str, pa.Array] | None = None,
    ) -> dict[str, pa.Array]:
        """Decide clean rows; the columns of the decisions that are this task's own.

        window_features: of the rows, float64 (rows, features), where they have no column of them; columns:
        those of the rows that are at hand, and scores of other tasks.
        """
        missing, reason = missing_of(self.task.features, clean)
        if missing is None:
            return self._decide(clean, want, rules, window_features, columns)
        seen = pa.array(~missing)
        few = None if window_features is None else window_features[~missing]
        at_hand = None if columns is None else {name: column.filter(seen) for name, column in columns.items()}
        made = self._decide(clean.filter(seen), want, rules, few, at_hand)
        # Where each row's result stands among the rows that could be looked at.
        place = pa.array(np.cumsum(~missing) - 1, mask=missing)
        return self._spread(made, place, reason)

    def _decide(
        self,
        clean: pa.RecordBatch,
        want: Want,
        rules: Rules | None,
        window_features: Floats | None,
        columns: Mapping[str, pa.Array] | None,
    ) -> dict[str, pa.Array]:
        rows, X, fused, support = len(clean), None, None, None
        values = self.features.values(clean, window_features, columns)
        if self.joined is None:
            X = self.features.matrix(clean, values, want.threads)
            raw = self.model.raw(X, want.threads)
            if self.sufficiency is not None:
                support = self.features.support(clean, want.threads)
        else:
            raw, support, fused = self.joined.explained(clean, TOP if want.reasons else 0, want.threads)
        scores, short, worst = self._weighed(self.calibrator.apply(raw), support)
        action = self.policy.act(scores.score, scores.label)
        if len(short):
            action[short] = np.maximum(action[short], self.policy.unsure)
        unmet = None
        if self.unmet is not None and X is not None:
            unmet = self.unmet.rows(self._dense(X, values))
        if unmet is not None:
            action = np.where(unmet, self.policy.unsure, action)
        label = self.task.target.label(scores, self.policy, action)
        ruled = None if rules is None else rules.apply(values)
        acted = action if ruled is None else combine(action, ruled)
        actions = self.task.policy.actions
        made = {
            "task": repeated(self.task.name, rows),
            "label": nulls(pa.string(), rows) if label is None else picked(self.outputs, self._labels, label),
            "score": numbers(scores.score),
            "action": picked(actions, self._actions, acted) if actions else nulls(pa.string(), rows),
            "model": repeated(self.name, rows),
        }
        if want.reasons and fused is not None:
            made["reasons"] = _with_rules(
                self._with_short(fused, short, worst, support), rules, ruled, values
            )
        elif want.reasons:
            explained = self._explained(rows, acted, label, want)
            found = self._explain(X, explained, scores, rules, ruled, values, unmet, want.threads)
            made["reasons"] = self._with_short(found, short, worst, support)
        if want.all_scores:
            made["scores"] = self._all_scores(scores)
        if unmet is not None:  # not scored, as what holds nothing to look at
            known = pa.array(np.arange(rows), mask=unmet)
            made |= {name: made[name].take(known) for name in ("label", "score", "scores") if name in made}
        return made

    def _with_short(self, reasons: pa.Array, short: Codes, worst: Codes, support: Floats | None) -> pa.Array:
        """Put first why a row holds too little; the features that moved its score say little then."""
        if self.sufficiency is None or support is None or not len(short):
            return reasons
        said = {
            row: self.sufficiency.reason(code, support[row])
            for row, code in zip(short.tolist(), worst.tolist(), strict=True)
        }
        return _put_first(reasons, said)

    def _explained(self, rows: int, action: Codes, label: Codes | None, want: Want) -> Codes:
        """Return the rows that are explained: all, or those on which something is done or said."""
        if want.all_reasons or self.task.target.explains_all or not self.task.policy.actions:
            return np.arange(rows)
        return np.flatnonzero(action if label is None else action | label)

    def _explain(
        self,
        X: Any,
        explained: Codes,
        scores: Scores,
        rules: Rules | None,
        ruled: Applied | None,
        values: Values,
        unmet: NDArray[np.bool_] | None,
        threads: int,
    ) -> pa.Array:
        """Return reasons: those of rules first, then the features that moved each score most.

        The effects are the model's own contributions, which add up to its score. unmet: rows that are not
        scored for what they lack, which is their reason.
        """
        said: dict[int, list[_Reason]] = {}
        if unmet is not None and self.unmet is not None:
            dense = self._dense(X, values)
            for row in np.flatnonzero(unmet).tolist():
                lacks = self.unmet.words(dense, values, row)
                said[row] = [(code, None, None, words) for code, words in lacks.items()]
            explained = explained[~unmet[explained]]
        said |= {row: [] for row in explained.tolist()}
        for row, reason in _rule_reasons(rules, ruled, values).items():
            said.setdefault(row, []).append(reason)
        step = len(explained) if isinstance(X, np.ndarray) else FEW
        for start in range(0, len(explained), step or 1):
            self._add_reasons(X, explained[start : start + step], scores, said, threads)
        return _listed(said, len(values.rows))

    def _add_reasons(
        self, X: Any, explained: Codes, scores: Scores, said: dict[int, list[_Reason]], threads: int
    ) -> None:
        names, medians = self._named
        rows = X[explained]
        direction = self.calibrator.direction(scores.take(explained))
        parts = self.model.contributions(rows, direction, threads)
        if not isinstance(rows, np.ndarray):
            rows, parts = rows.toarray(), parts.toarray()
        parts = parts[:, :-1]
        both = self.task.target.signed_reasons
        # Else only what speaks for the score explains it.
        best = np.argsort(-(np.abs(parts) if both else parts), axis=1, kind="stable")[:, :TOP]
        for row, top, effects, given in zip(
            explained.tolist(), best.tolist(), parts.tolist(), rows.tolist(), strict=True
        ):
            for i in top:
                if effects[i] == 0 or not (both or effects[i] > 0):
                    break
                value = given[i] if i < len(given) else math.nan
                known = None if math.isnan(value) else value
                said[row].append((names[i], known, effects[i], self.reason_text(names[i], value, medians[i])))

    @cached_property
    def _named(self) -> tuple[tuple[str, ...], list[float | None]]:
        """The features by name, and their medians.

        A model may add columns of its own, such as an anomaly score; their values are not shown.
        """
        added = tuple(getattr(self.model, "added", ()))
        medians = [None if math.isnan(one) else one for one in self.medians.tolist()]
        unknown = [None] * (len(self.features.names) - len(medians) + len(added))
        return (*self.features.names, *added), [*medians, *unknown]

    def _all_scores(self, scores: Scores) -> pa.Array:
        """Return the score of each output by name; of a yes/no task both, of an amount the amount."""
        values = scores.values
        if values.shape[1] == 1 and len(self.outputs) == 2:
            values = np.concatenate([1 - values, values], axis=1)
        names = self.outputs if len(self.outputs) == values.shape[1] else (self.task.name,)
        rows, count = values.shape
        offsets = pa.array(np.arange(rows + 1, dtype=np.int32) * count)
        keys: Any = pa.array(names, pa.string()).take(pa.array(np.tile(np.arange(count), rows)))
        return pa.MapArray.from_arrays(offsets, keys, pa.array(np.ascontiguousarray(values).ravel()))

    def _spread(self, made: dict[str, pa.Array], place: pa.Array, reason: str) -> dict[str, pa.Array]:
        """Put results back to their rows; rows that hold nothing to look at go to a person, with a reason."""
        rows, actions = len(place), self.task.policy.actions
        spread: dict[str, pa.Array] = {
            name: made[name].take(place) for name in ("label", "score", "scores") if name in made
        }
        spread |= {
            name: repeated(value, rows) for name, value in (("task", self.task.name), ("model", self.name))
        }
        action = made["action"].take(place)
        spread["action"] = action.fill_null(actions[self.policy.unsure]) if actions else action
        if "reasons" in made:
            why = {
                "feature": reason,
                "value": None,
                "effect": None,
                "words": f"{reason.replace('_', ' ')} to read",
            }
            every = pa.concat_arrays([made["reasons"], pa.array([[why]], _REASONS)])
            spread["reasons"] = every.take(place.fill_null(len(made["reasons"])))
        return spread


def _rule_reasons(rules: Rules | None, ruled: Applied | None, values: Values) -> dict[int, _Reason]:
    """Return the reason of each row that a rule decides."""
    if rules is None or ruled is None:
        return {}
    return {
        row: (f"rule:{rules.names[ruled.first[row]]}", None, None, words)
        for row, words in rules.say(values, ruled).items()
    }


def _with_rules(reasons: pa.Array, rules: Rules | None, ruled: Applied | None, values: Values) -> pa.Array:
    """Put the reasons of rules before those of a model."""
    return _put_first(reasons, _rule_reasons(rules, ruled, values))


def _put_first(reasons: pa.Array, said: Mapping[int, _Reason]) -> pa.Array:
    """Put a reason before the others of a row."""
    if not said:
        return reasons
    names = REASON.names
    listed = reasons.to_pylist()
    for row, reason in said.items():
        listed[row].insert(0, dict(zip(names, reason, strict=True)))
    return pa.array(listed, _REASONS)


def _listed(said: dict[int, list[_Reason]], rows: int) -> pa.Array:
    """Spread reasons over all rows; those without any have an empty list."""
    if not said:
        return _empty(rows)
    if rows == 1:
        return pa.array([said[0]], _REASONS)
    sizes = np.zeros(rows + 1, np.int32)
    order = sorted(said)
    for row in order:
        sizes[row + 1] = len(said[row])
    flat = pa.array([one for row in order for one in said[row]], REASON)
    return pa.ListArray.from_arrays(pa.array(np.cumsum(sizes, dtype=np.int32)), flat)


@lru_cache(maxsize=8)
def _empty(rows: int) -> pa.Array:
    return pa.ListArray.from_arrays(pa.array(np.zeros(rows + 1, np.int32)), pa.array([], REASON))
