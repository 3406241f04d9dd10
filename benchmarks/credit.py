"""How well a solution of 49 lines tells who will not pay back, on Taiwan's public card customers.

The solution is the plug-in `tests/plugins/credit.py`, found as an installed one is. The peer is xgboost with
the same hyperparameters on the same columns and five stratified folds, its scores as they come. Calibration
errors have 15 bins; what chance alone gives is that of outcomes drawn from the scores themselves.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from _claims import claim, data
from _labelled import Labelled, labelled
from tallystick.evaluation import average_precision, roc_auc
from tallystick.evaluation.reliability import expected_calibration_error
from tallystick.learners.gradient_boosting import DEFAULTS, PASSED
from tallystick.learning import cross_fit, folds_of
from tallystick.tasks import Fold

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "plugins"))

DRAWS = 1_000
Floats = NDArray[np.float64]


def ours(rows: Labelled, parts: Sequence[Fold]) -> Floats:
    """Score each row by a model and a calibration that did not see it."""
    held = cross_fit(rows.spec(), rows.dataset, rows.truth, parts)
    return rows.task.target.calibrate(held).scores.score


def theirs(source: Path, rows: Labelled, parts: Sequence[Fold]) -> Floats:
    """Score each row by xgboost on the table as it is read."""
    import xgboost

    table = pl.read_csv(source, infer_schema_length=None)
    X, y = table.drop("ID", "default.payment.next.month").to_numpy(), rows.truth.values
    params = DEFAULTS | rows.spec().params
    chosen: dict[str, Any] = {name: params[name] for name in PASSED}
    score = np.full(len(y), np.nan)
    for part in parts:
        train = xgboost.QuantileDMatrix(X[part.train], y[part.train], max_bin=chosen["max_bin"])
        booster = xgboost.train(
            {**chosen, "objective": "binary:logistic", "seed": 0}, train, params["n_estimators"]
        )
        score[part.test] = booster.predict(xgboost.DMatrix(X[part.test]))
    return score


def mean_auc(truth: NDArray[np.bool_], score: Floats, tests: Sequence[NDArray[np.int64]]) -> float:
    """Return the mean over folds: scores of two models are not ranked against each other."""
    return float(np.mean([roc_auc(truth[rows], score[rows]) for rows in tests]))


def interval(
    truth: NDArray[np.bool_], mine: Floats, peer: Floats, tests: Sequence[NDArray[np.int64]]
) -> tuple[float, float]:
    """Return the 95 % interval of the difference over draws of the rows of each fold."""
    rng, found = np.random.default_rng(0), []
    for _ in range(DRAWS):
        drawn = [rng.choice(rows, len(rows)) for rows in tests]
        found.append(mean_auc(truth, mine, drawn) - mean_auc(truth, peer, drawn))
    low, high = np.quantile(found, [0.025, 0.975])
    return float(low), float(high)


def by_chance(score: Floats) -> float:
    """Return the calibration error that a perfect model of these scores has in 19 of 20 samples at most."""
    rng = np.random.default_rng(0)
    drawn = [expected_calibration_error(score, rng.random(len(score)) < score) for _ in range(200)]
    return float(np.quantile(drawn, 0.95))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="of the folds")
    given = parser.parse_args(arguments)
    source = data() / "customers" / "taiwan_default.csv.gz"
    rows = labelled("credit", "default", source)
    parts = folds_of(rows.task, rows.dataset, rows.truth, "stratified", given.seed)
    truth = rows.truth.values == 1
    mine, peer = ours(rows, parts), theirs(source, rows, parts)
    what = f"{len(rows):,} customers, {truth.mean():.1%} default, 5 stratified folds"
    tests = [part.test for part in parts]
    low, high = interval(truth, mine, peer, tests)
    claim(
        "credit default, ROC-AUC, mean of folds", mean_auc(truth, mine, tests), mean_auc(truth, peer, tests),
        unit="ROC-AUC", what=what,
        interval=[round(low, 5), round(high, 5)], wanted="difference's interval reaches 0 or above",
        met=high >= 0,
    )  # fmt: skip
    claim(
        "credit default, average precision", average_precision(truth, mine), average_precision(truth, peer),
        unit="average precision", what=what,
    )  # fmt: skip
    error, other = (expected_calibration_error(one, truth) for one in (mine, peer))
    chance = by_chance(mine)
    claim(
        "credit default, expected calibration error", error, other, unit="share", what=what,
        by_chance=round(chance, 4), wanted="at most the peer's or chance's", met=error <= max(other, chance),
    )  # fmt: skip


if __name__ == "__main__":
    main()
