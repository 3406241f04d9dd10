"""The report on a class task as plain values, as `evaluate --json` writes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from tallystick.evaluation.automation import automation_outcome, by_size
from tallystick.evaluation.bootstrap import counted_intervals, percentiles, weights
from tallystick.evaluation.coverage import Coverage
from tallystick.evaluation.metrics import HEADLINE, Classified, Codes, Floats, losses, measure, prepare
from tallystick.evaluation.proportions import widened
from tallystick.evaluation.ranking import Ranking
from tallystick.evaluation.reliability import reliability_curve, score_distribution

__all__ = ["classification_report"]

# A round of ranking figures passes over every row and class, so large reports take fewer of them: as many
# as this number of probabilities allows (about a second): 400 rounds for 5,000 rows of 20 classes.
RANKED = 40_000_000
LEAST_ROUNDS = 50
FEW = 20  # rows of a class, below which nothing can be said of it


def classification_report(
    task: str,
    truth: ArrayLike,
    probabilities: ArrayLike,
    classes: Sequence[str],
    *,
    predicted: ArrayLike | None = None,
    confidence: ArrayLike | None = None,
    threshold: float | Literal["find"] | None = "find",
    accuracy: float | None = None,
    automation: float | None = None,
    by_class: Sequence[float | None] | None = None,
    automatic: ArrayLike | None = None,
    sizes: ArrayLike | None = None,
    size_unit: str = "",
    groups: ArrayLike | None = None,
    split: Mapping[str, Any] | None = None,
    seed: int = 0,
    rounds: int = 1000,
    level: float = 0.95,
) -> dict[str, Any]:
    """Report on a classifier: everything of `classify` under the same names, and more.

    The arrays are those of `classify`. `threshold` is the score from which on no person looks at a decision,
    None for nowhere; "find" finds it on these rows for the aim: `automation` where given, else `accuracy`,
    else nowhere. With a threshold from elsewhere (a bundle's) the aim is only kept, to be shown beside it.
    `by_class` are the thresholds of the classes, where each has its own; `automatic` (n,) says which rows
    were decided without a person, where that is not what these thresholds say of them, because they were
    chosen on these rows. `sizes` (n,) say how much each row holds, in `size_unit`, for figures by size.
    `groups` names similar rows (near copies), so that the intervals do not count them as independent.
    `split` says in plain values how the rows were held out, and is passed through.

    Added to the figures: `intervals` ({figure: [low, high]}; none for `ece`, whose resamples lie above it;
    ranking figures from fewer rounds where there are many rows),
    `baseline` (always the most frequent class), `threshold` (aim and outcome), `reliability`, `coverage`
    (at most 200 points), `distribution`, `split`, `few` (classes with too few rows to say much of them). The
    same arguments give the same bytes. Raises DataError when there are no rows or the shapes do not fit.

    >>> report = classification_report("product", [0, 1], [[0.9, 0.1], [0.2, 0.8]], ["card", "loan"])
    >>> report["task"], report["rows"], report["accuracy"], report["threshold"]["automation"]
    ('product', 2, 1.0, 0.0)
    """
    rows = prepare(truth, probabilities, classes, predicted=predicted, confidence=confidence)
    figures = measure(rows)
    coverage = Coverage.of(rows.confidence, rows.right)
    wanted: dict[str, float] = {}
    if automation is not None:
        wanted = {"automation": automation}
    elif accuracy is not None:
        wanted = {"accuracy": accuracy}
    if threshold == "find":
        threshold = coverage.threshold_for(**wanted) if wanted else None
    taken = rows.confidence >= _lowest(threshold, by_class, rows.predicted)
    if automatic is not None:
        taken = np.asarray(automatic, bool)
    decided: dict[str, Any] = automation_outcome(
        taken, rows.right, rows.truth, rows.predicted, rows.classes, groups=groups, level=level
    )
    decided["held_out"] = automatic is not None
    if by_class is not None:
        for one, own in zip(decided["per_class"], by_class, strict=False):
            one["threshold"] = own
    if sizes is not None:
        decided |= {"by_size": by_size(sizes, taken, rows.right, groups, level), "size_unit": size_unit}
    support = np.bincount(rows.truth, minlength=len(classes))
    return {
        "task": task,
        "target": "classes",
        **figures,
        "intervals": _intervals(rows, seed, rounds, level, groups),
        "level": level,
        "baseline": {
            "class": rows.classes[int(support.argmax())],
            "accuracy": float(support.max() / len(rows.truth)),
        },
        "threshold": {"wanted": wanted or None, "threshold": threshold, **decided},
        "few": {
            rows.classes[code]: int(support[code]) for code in range(len(classes)) if support[code] < FEW
        },
        "reliability": reliability_curve(rows.confidence, rows.right)["bins"],
        "coverage": coverage.curve(),
        "distribution": score_distribution(rows.confidence, rows.right, rows.predicted, rows.classes),
        "groups": None if groups is None else len(set(np.asarray(groups).tolist())),
        "split": None if split is None else dict(split),
    }


def _lowest(
    threshold: float | None, by_class: Sequence[float | None] | None, predicted: Codes
) -> float | Floats:
    """Return the score from which on each decision needs no person."""
    if by_class is None:
        return np.inf if threshold is None else threshold
    lowest: Floats = np.array([np.inf if one is None else one for one in by_class])
    return lowest[predicted]


def _intervals(
    rows: Classified, seed: int, rounds: int, level: float, groups: ArrayLike | None
) -> dict[str, list[float | None]]:
    """Draw the interval of each headline figure."""
    found = counted_intervals(
        rows.truth, rows.predicted, seed=seed, rounds=rounds, level=level, groups=groups
    )
    lost, ranking = losses(rows), Ranking.of(rows.truth, rows.probabilities)
    few = max(LEAST_ROUNDS, RANKED // rows.probabilities.size)
    drawn: dict[str, list[float]] = {name: [] for name in (*lost, "roc_auc", "average_precision")}
    for i, times in enumerate(weights(len(rows.truth), seed=seed, rounds=rounds, groups=groups)):
        for name, numbers in lost.items():
            drawn[name].append(float((numbers * times).sum() / times.sum()))
        if i < few:
            ranked = ranking.measure(times)
            drawn["roc_auc"].append(ranked.roc_auc_macro)
            drawn["average_precision"].append(ranked.average_precision_macro)
    found |= {name: percentiles(np.array(values), level) for name, values in drawn.items()}
    units = len(rows.truth) if groups is None else len(np.unique(np.asarray(groups)))
    found = {name: widened(ends, units, level) if name not in lost else ends for name, ends in found.items()}
    return {name: [found[name]["low"], found[name]["high"]] for name in HEADLINE if name in found}
