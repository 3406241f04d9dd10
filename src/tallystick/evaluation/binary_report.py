"""The report on a binary task as plain values, as `evaluate --json` writes it.

Beside the figures of ranking with their intervals it holds what the thresholds do (per day, in money, for
each entity), by scenario and over time, and how many outcomes are unknown because records were declined.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tallystick.evaluation.binary_intervals import event_intervals
from tallystick.evaluation.binary_metrics import Curve, confusion, decided, probability_figures, ratio
from tallystick.evaluation.costs import Costs, outcome
from tallystick.evaluation.measures import Measure, Measured
from tallystick.evaluation.over_time import detection, over_time
from tallystick.evaluation.reliability import reliability_curve, score_distribution
from tallystick.evaluation.scored_rows import ScoredRows
from tallystick.evaluation.thresholds import Thresholds
from tallystick.report import Nouns

__all__ = ["event_report"]

Flags = NDArray[np.bool_]

RATES = (0.001, 0.01)  # false-positive rates at which recall is reported
BINS = 50


def event_report(
    task: str,
    truth: ArrayLike,
    score: ArrayLike,
    *,
    time: ArrayLike | None = None,
    zone: str = "UTC",
    entity: ArrayLike | None = None,
    amount: ArrayLike | None = None,
    currency: ArrayLike | str = "USD",
    scenario: ArrayLike | None = None,
    thresholds: Thresholds | None = None,
    costs: Costs | None = None,
    yes_from: float | None = None,
    probability: bool = True,
    groups: ArrayLike | None = None,
    split: Mapping[str, Any] | None = None,
    seed: int = 0,
    rounds: int = 1000,
    level: float = 0.95,
    declined: ArrayLike | None = None,
    oracle: Mapping[str, Any] | None = None,
    measures: Sequence[Measure] = (),
    nouns: Nouns | None = None,
) -> dict[str, Any]:
    """Report on scores of a binary task: a dict of plain values; the same arguments give the same bytes.

    One value a row: `truth` bool; `score` float64 (the probability of the event; `probability=False` for
    other scores between 0 and 1, whose losses are None); `time` int64 microseconds UTC, cut into days of
    `zone`; `entity` codes from 0 (-1: none), or anything that tells entities apart; `amount` float64 in major
    units; `currency` one code or one a row (money is never added over currencies); `scenario` names, read
    where `truth`; `declined` True where the record was stopped when it happened. `groups` are drawn together
    in the intervals, the entities unless given. `measures` are the solution's own figures, `nouns` its words.

    The label is yes from `yes_from` on (the thresholds' own, else .5); `precision`, `recall`, `f1`, the macro
    and weighted figures and `confusion` are of that label. `thresholds` has each threshold alone and both
    together, `money` what both do in each currency. Rows that were `declined` are left out of every figure,
    since their outcome was never seen; `selective_labels` counts them. `intervals` are drawn
    `rounds` times, fewer where there are many rows. `oracle` and `split` are passed through. Raises DataError
    when there is no row or the columns do not fit.

    >>> report = event_report("fraud", [True, False, False, True], [0.9, 0.2, 0.1, 0.4], rounds=20)
    >>> report["average_precision"], report["recall"], report["baseline"]["share"]
    (1.0, 0.5, 0.5)
    """
    rows = ScoredRows.of(
        truth,
        score,
        time=time,
        zone=zone,
        entity=entity,
        amount=amount,
        currency=currency,
        scenario=scenario,
        groups=groups,
        declined=declined,
    )
    chosen = thresholds or Thresholds(None, None)
    if yes_from is None:
        yes_from = chosen.flags_from if np.isfinite(chosen.flags_from) else 0.5
    prices = costs or Costs()
    yes = rows.score >= yes_from
    stopped = rows.score >= (np.inf if chosen.decline is None else chosen.decline)
    curve = Curve.of(rows.truth, rows.score)
    counts = confusion(rows.truth, yes)
    found = {measure: measure.on(rows) for measure in measures}
    measured = {measure.name: one for measure, one in found.items() if one is not None}
    words = nouns or Nouns()
    figures = {
        **decided(counts),
        "roc_auc": curve.roc_auc(),
        "average_precision": curve.average_precision(),
        **_probabilities(rows, probability),
        **{measure.name: None if one is None else one.value() for measure, one in found.items()},
    }
    drawn = event_intervals(
        rows, yes, measured, seed=seed, rounds=rounds, level=level, probability=probability
    )
    flagged = yes if thresholds is None else rows.score >= chosen.flags_from
    return {
        "task": task,
        "target": "binary",
        "rows": len(rows.truth),
        "events": curve.events,
        **figures,
        "yes_from": float(yes_from),
        "confusion": {"classes": ["no", "yes"], "counts": counts.astype(np.int64).tolist()},
        "recall_at": [curve.recall_at(rate) for rate in RATES],
        "intervals": drawn["intervals"],
        "level": level,
        "rounds": drawn["rounds"],
        "groups": None if rows.groups is None else len(np.unique(rows.groups)),
        "baseline": _baseline(rows, curve),
        "thresholds": _thresholds(rows, chosen, prices) if thresholds is not None else None,
        "costs": prices.to_dict(),
        "money": _money(rows, chosen, prices) if thresholds is not None else None,
        "by_scenario": _by_scenario(rows, flagged, stopped),
        **_in_time(rows, flagged, stopped, found),
        "distribution": _distribution(rows),
        "reliability": reliability_curve(rows.score, rows.truth)["bins"] if probability else None,
        "curves": {"precision_recall": curve.precision_recall(), "roc": curve.roc()},
        "selective_labels": _selective(rows, stopped, words),
        "oracle": None if oracle is None else dict(oracle),
        "split": None if split is None else dict(split),
    }


def _probabilities(rows: ScoredRows, probability: bool) -> dict[str, float | None]:
    if not probability:
        return {"log_loss": None, "brier": None, "ece": None}
    return probability_figures(rows.truth, rows.score)


def _baseline(rows: ScoredRows, curve: Curve) -> dict[str, float]:
    """Say what scores that know nothing reach: the base rate, and always no."""
    share = curve.events / len(rows.truth)
    return {
        "share": share,
        "accuracy": max(share, 1 - share),
        "average_precision": share,
        "roc_auc": 0.5,
    }


def _in_time(
    rows: ScoredRows, flagged: Flags, stopped: Flags, measures: Mapping[Measure, Measured | None]
) -> dict[str, Any]:
    """Follow the dated rows over time, and their entities until they are found."""
    held = rows.dated
    if rows.day is None or rows.time is None or not held.any():
        return {"over_time": None, "detection": None}
    entity = None if rows.entity is None else rows.entity[held]
    daily = {measure.daily: {} if one is None else one.by_day() for measure, one in measures.items()}
    amount = None if rows.one_currency is None else rows.one_currency[held]
    truth, flags = rows.truth[held], flagged[held]
    return {
        "over_time": over_time(rows.day[held], truth, rows.score[held], flags, stopped[held], daily),
        "detection": None if entity is None else detection(truth, flags, entity, rows.time[held], amount),
    }


def _thresholds(rows: ScoredRows, chosen: Thresholds, costs: Costs) -> dict[str, Any]:
    """Say what each threshold would do alone, and both together."""
    amount, days = rows.one_currency, rows.days
    result: dict[str, Any] = {}
    for name, (threshold, wanted) in chosen.by_action.items():
        review, decline = (threshold, None) if name == chosen.actions[0] else (None, threshold)
        flags = rows.score >= (np.inf if threshold is None else threshold)
        counts = confusion(rows.truth, flags)
        did = outcome(rows.truth, rows.score, days, amount, review, decline, costs)
        figures = decided(counts)
        result[name] = {
            "threshold": threshold,
            "wanted": wanted or None,
            "confusion": counts.astype(np.int64).tolist(),
            "flagged": int(flags.sum()),
            "flagged_per_day": ratio(int(flags.sum()), did["days"]),
            **{key: figures[key] for key in ("precision", "recall", "f1", "false_positive_rate")},
            "money": did["money"],
        }
    together = outcome(rows.truth, rows.score, days, amount, chosen.review, chosen.decline, costs)
    return {**result, "together": together, "expected": chosen.expected or None, "notes": list(chosen.notes)}


def _money(rows: ScoredRows, chosen: Thresholds, costs: Costs) -> dict[str, Any] | None:
    """Say what both thresholds do in each currency."""
    if rows.amount is None:
        return None
    if isinstance(rows.currency, str):
        parts: dict[str, Any] = {rows.currency: slice(None)}
    else:
        names = rows.currency
        parts = {
            str(name): names == name for name in sorted({str(n) for n in names.tolist() if n is not None})
        }
    return {
        name: outcome(
            rows.truth[part], rows.score[part], None, rows.amount[part], chosen.review, chosen.decline, costs
        )["money"]
        for name, part in parts.items()
    }


def _by_scenario(rows: ScoredRows, flagged: Flags, stopped: Flags) -> list[dict[str, Any]] | None:
    """Give each scenario's recall, and its average precision beside all that is no event."""
    if rows.scenario is None:
        return None
    events = np.flatnonzero(rows.truth)
    names = [None if name is None else str(name) for name in rows.scenario[events].tolist()]
    others = rows.score[~rows.truth]
    result = []
    for name in sorted({name for name in names if name is not None}):
        mine = events[[each == name for each in names]]
        truth = np.zeros(len(mine) + len(others), np.bool_)
        truth[: len(mine)] = True
        curve = Curve.of(truth, np.concatenate((rows.score[mine], others)))
        result.append(
            {
                "scenario": name,
                "events": len(mine),
                "found": int(flagged[mine].sum()),
                "recall": float(flagged[mine].mean()),
                "declined": int(stopped[mine].sum()),
                "average_precision": curve.average_precision(),
                "roc_auc": curve.roc_auc(),
            }
        )
    return result


def _distribution(rows: ScoredRows) -> dict[str, Any]:
    """Count the scores of events and of the others in bins of equal width."""
    spread = score_distribution(rows.score, rows.truth, bins=BINS)
    return {"edges": spread["edges"], "no": spread["wrong"], "yes": spread["right"]}


def _selective(rows: ScoredRows, stopped: Flags, nouns: Nouns) -> dict[str, Any]:
    """Name what has no outcome: records stopped then, and those that these thresholds would stop."""
    would, hidden, known = int(stopped.sum()), rows.hidden, rows.hidden is not None
    good = int((stopped & ~rows.truth).sum())
    if known:
        note = (
            f"{hidden} {nouns.records} were {nouns.stopped} when they happened. What would have become of "
            f"them was never seen, so they are left out of every figure here; {nouns.event} is rarer among "
            "what was let through."
        )
    else:
        note = (
            f"The rows do not say which {nouns.records} were {nouns.stopped} when they happened. If some "
            "were, their labels say nothing, and the figures hold only for what was let through."
        )
    note += (
        f" With these thresholds {would} of the {nouns.records} here would be {nouns.stopped} and have no "
        "outcome later."
    )
    return {
        "known": known,
        "declined_before": hidden,
        "measured": len(rows.truth),
        "would_decline": would,
        "would_decline_good": good,
        "note": note,
    }
