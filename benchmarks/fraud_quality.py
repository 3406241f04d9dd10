"""How well fraud is found on the Fraud Detection Handbook's simulated payments, by its own protocol.

The peer is what the Handbook trains, in the same run on the same rows: XGBoost and a random forest of
scikit-learn with their defaults on its 15 features (its published best of each column is AP .658, AUC .871,
CP@100 .291). Test rows leave out cards that are known to be compromised; card precision drops cards once
detected, as its code does. The oracle knows how the simulator works and all that the label delay does not
hide.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tallystick.jobs.event_fitting import Design, fit_only
from tallystick.jobs.event_measure import oracle_of
from tallystick.jobs.event_rows import EventRows, declared, with_behaviour
from tallystick.jobs.past import Events, columns_of, gather_events

from _claims import claim, data, say
from tallystick import registry
from tallystick.contracts.times import DAY
from tallystick.evaluation import average_precision, day_numbers, roc_auc
from tallystick.jobs.options import work
from tallystick.learners import Sample
from tallystick.scorer import Values
from tallystick.solutions.fraud.card_precision import card_precision
from tallystick.solutions.fraud.protocols import Part, handbook, prequential
from tallystick.windows import Windows

FRAUD = registry.solution("fraud")
JOB = work("evaluate")
CENTURY = 36_500 * DAY
WEEKS = ("2018-08-08", "2018-08-15", "2018-08-22")
FIGURES = ("average precision", "ROC-AUC", "card precision@100")
WANTED = {
    "single": (0.675, 0.875, 0.29),
    "history": (0.765, 0.885, 0.30),
    "prequential": (0.75, 0.88, 0.295),
    "anomaly, label windows": (0.48, None, None),
    "anomaly, no label": (0.27, None, None),
}
# Few trees a round are left to chance alone: a forest is grown in each, as the labels of a week are few.
SINGLE = {
    "n_estimators": 150, "num_parallel_tree": 8, "max_depth": 4, "learning_rate": 0.1, "subsample": 0.9,
    "colsample_bytree": 1.0, "colsample_bynode": 0.4, "reg_lambda": 0.5, "min_child_weight": 0.3,
    "max_bin": 4096, "rising": "amount",
}  # fmt: skip

Figures = tuple[float, ...]


def replayed(events: Events, windows: Windows) -> EventRows:
    return with_behaviour(FRAUD, events, windows, events.given, JOB)


def figures(rows: EventRows, test: NDArray[np.int64], score: NDArray[np.float64]) -> Figures:
    """Average precision, ROC-AUC, card precision@100."""
    assert rows.entity is not None
    day, truth = day_numbers(rows.time[test]), rows.fraud[test]
    cards = card_precision(day, rows.entity[test], truth, score)["value"]
    return average_precision(truth, score), roc_auc(truth, score), cards


def fifteen(rows: EventRows, windows: Windows) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """The Handbook's 15 features: night is up to 6:59, as it has it."""
    values = Values(rows.table, "UTC", "USD", windows.names)
    columns = {
        "amount": values.number("amount"),
        "weekend": values.number("weekend"),
        "night": (values.number("hour") <= 6).astype(float),
    }
    matrix = np.column_stack([*columns.values(), values.behaviour])
    return np.nan_to_num(matrix), (*columns, *windows.names)


def peers() -> dict[str, Any]:
    from sklearn.ensemble import RandomForestClassifier
    from xgboost import XGBClassifier

    return {
        "XGBoost": XGBClassifier(random_state=0, n_jobs=1),
        "random forest": RandomForestClassifier(random_state=0, n_jobs=1),
    }


def report(name: str, ours: Figures, peer: Figures | None, oracle: Figures | None, what: str) -> None:
    for i, figure in enumerate(FIGURES):
        wanted = WANTED[name][i]
        if wanted is None:
            continue
        claim(
            f"fraud: {figure}, {name}",
            ours[i],
            None if peer is None else peer[i],
            unit=figure,
            what=what,
            wanted=f"{wanted:g}",
            met=bool(ours[i] >= wanted),
            oracle=None if oracle is None else round(oracle[i], 4),
        )


def single(events: Events, seeds: Sequence[int]) -> None:
    """One week of training, the Handbook's features, its test week."""
    windows = declared(FRAUD, FRAUD.windows.with_name("handbook.yaml"), events.held())
    rows = replayed(events, windows)
    matrix, names = fifteen(rows, windows)
    part = handbook(day_numbers(rows.time), rows.entity, rows.fraud, "2018-07-25")
    say(f"single split: {len(part.train):,} rows learned from, {len(part.test):,} tested, "
        f"{int(rows.fraud[part.test].sum())} frauds")  # fmt: skip
    truth = rows.fraud[part.train].astype(np.int64)
    found = []
    for seed in seeds:
        sample = Sample(
            matrix[part.train], truth, 2, None, seed, dict(SINGLE), names, JOB.settings.cores(), "binary"
        )
        model = registry.learner("gradient_boosting").fit(sample)
        found.append(figures(rows, part.test, model.raw(matrix[part.test])[:, 0]))
        say(f"  seed {seed}: {' '.join(f'{one:.4f}' for one in found[-1])}")
    best = None
    for name, peer in peers().items():
        score = peer.fit(matrix[part.train], truth).predict_proba(matrix[part.test])[:, 1]
        theirs = figures(rows, part.test, score.astype(np.float64))
        say(f"  peer {name}: {' '.join(f'{one:.4f}' for one in theirs)}")
        best = theirs if best is None else tuple(map(max, best, theirs))
    oracle = oracle_of(events, rows, JOB)
    ceiling = None if oracle is None else figures(rows, part.test, oracle[part.test])
    report("single", tuple(np.mean(found, axis=0)), best, ceiling,
           f"one training week, 15 features, mean of {len(seeds)} seeds; peer: the better one")  # fmt: skip


def by_weeks(
    name: str, rows: EventRows, windows: Windows, parts: Sequence[Part], oracle: NDArray[np.float64] | None
) -> None:
    """All history before each week, our own features, the task's own learner."""
    task = FRAUD.task("fraud")
    learner = registry.learner(task.learner)
    design = Design(task, learner, dict(task.learner_settings(learner.name)), windows.names)
    found, best = [], []
    for part in parts:
        fitted = fit_only(design, rows.take(part.train), part.seen(rows.fraud, rows.known), JOB)
        found.append(figures(rows, part.test, fitted.chance(rows.take(part.test).table)))
        say(f"  {name}, week of {part.describe()['first']}: {' '.join(f'{one:.4f}' for one in found[-1])}")
        if oracle is not None:
            best.append(figures(rows, part.test, oracle[part.test]))
    ceiling = tuple(np.mean(best, axis=0)) if best else None
    report(name, tuple(np.mean(found, axis=0)), None, ceiling,
           f"{len(parts)} test week{'s' * (len(parts) > 1)}, all history before, our features")  # fmt: skip


def anomalies(events: Events, rows: EventRows, windows: Windows) -> None:
    """The default detector and columns on the single split: with the window on labels, and without.

    The oracle of the second knows how the simulator works, and never a label.
    """
    task = FRAUD.task("anomaly")
    learner = registry.learner(task.learner)
    settings = dict(task.learner_settings(learner.name))
    part = handbook(day_numbers(rows.time), rows.entity, rows.fraud, "2018-07-25")
    train, test = rows.take(part.train), rows.take(part.test)
    never = oracle_of(replace(events, known=events.time + CENTURY), rows, JOB)
    whole = task.usual_of(windows.names)
    for name, only, oracle in (
        ("anomaly, label windows", whole, None),
        ("anomaly, no label", tuple(one for one in whole if "__risk__" not in one), never),
    ):
        features = Design(task, learner, settings, windows.names, only).features(train)
        found = []
        for seed in range(5):
            sample = Sample(
                features.matrix(train.table), np.zeros(len(train), np.int64), 2, None, seed, settings,
                features.names,
            )  # fmt: skip
            found.append(figures(rows, part.test, learner.fit(sample).raw(features.matrix(test.table))[:, 0]))
            say(f"  {name}, seed {seed}: {' '.join(f'{one:.4f}' for one in found[-1])}")
        best = None if oracle is None else figures(rows, part.test, oracle[part.test])
        what = f"{learner.title} on {', '.join(features.names)}; one training week, mean of 5 seeds"
        report(name, tuple(np.mean(found, axis=0)), None, best, what)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5, help="how many seeds of the single split")
    parser.add_argument("--only", choices=("single", "history", "prequential", "anomaly"))
    given = parser.parse_args()
    source = data() / "fraud" / "handbook.parquet"
    events = gather_events(FRAUD, source, JOB, columns_of(FRAUD, FRAUD.tasks))
    if given.only in (None, "single"):
        single(events, range(given.seeds))
    if given.only == "single":
        return
    windows = declared(FRAUD, None, events.held())
    rows = replayed(events, windows)
    oracle = oracle_of(events, rows, JOB)
    day = day_numbers(rows.time)
    parts = prequential(day, WEEKS, protocol="published", card=rows.entity, fraud=rows.fraud)
    if given.only in (None, "history"):
        by_weeks("history", rows, windows, parts[:1], oracle)
    if given.only in (None, "prequential"):
        by_weeks("prequential", rows, windows, parts, oracle)
    if given.only in (None, "anomaly"):
        anomalies(events, rows, windows)


if __name__ == "__main__":
    main()
