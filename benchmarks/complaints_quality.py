"""How often the default model of complaints is right, and how well it knows when it is, on public narratives.

The peer is scikit-learn's TfidfVectorizer and LinearSVC on the same rows and folds; it is as sure as its best
decision is above its second. Folds keep near copies of one letter together; differences are drawn by groups.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from _claims import claim, data, say, sklearn_peer
from _labelled import Labelled, labelled
from tallystick.evaluation import Coverage, classify, paired_interval, time_split
from tallystick.learning import cross_fit, fit_task, folds_of
from tallystick.models.scores import Scores
from tallystick.tasks import Fold

LAST = 0.2  # of the rows, by time, that are tested on
WANTED = {0.6: 0.96, 0.8: 0.925}  # accuracy on the surest share
GAIN, CALIBRATED = 0.02, 0.03


@dataclass(frozen=True)
class Answers:
    """What one side says of rows: labels, and how sure it is of each, between 0 and 1."""

    label: NDArray[np.int64]
    sure: NDArray[np.float64]
    chance: NDArray[np.float64]


def answers(scores: Scores) -> Answers:
    assert scores.label is not None
    return Answers(scores.label, scores.score, scores.values)


def peer_answers(train: Labelled, test: Labelled) -> Answers:
    """Fit the peer and ask it; its margin is bent into 0 … 1, which keeps its order."""
    model = sklearn_peer().fit(texts(train), train.truth.codes)
    scores = np.full((len(test), len(train.truth.names)), -np.inf)
    scores[:, model.classes_] = model.decision_function(texts(test))
    label = scores.argmax(axis=1)
    second, best = np.sort(scores, axis=1)[:, -2:].T
    chance = np.exp(scores - best[:, None])
    return Answers(label, (best - second) / (1 + best - second), chance / chance.sum(axis=1, keepdims=True))


def texts(rows: Labelled) -> list[str]:
    found: list[str] = rows.dataset.rows.column("narrative").to_pylist()
    return found


def peer_out_of_fold(rows: Labelled, parts: Sequence[Fold]) -> Answers:
    found = [peer_answers(rows.take(part.train), rows.take(part.test)) for part in parts]
    order = np.argsort(np.concatenate([part.test for part in parts]))
    return Answers(
        *(
            np.concatenate([getattr(one, name) for one in found])[order]
            for name in ("label", "sure", "chance")
        )
    )


def compare(how: str, rows: Labelled, ours: Answers, peer: Answers, wanted: bool) -> None:
    """Print the claims on one way of parting the rows."""
    truth, groups = rows.truth.codes, rows.dataset.groups
    figures = [
        classify(truth, side.chance, rows.truth.names, predicted=side.label, confidence=side.sure)
        for side in (ours, peer)
    ]
    for name, title, least in (("f1_macro", "macro-F1", GAIN), ("accuracy", "accuracy", 0.0)):
        found = paired_interval(name, truth, peer.label, ours.label, seed=0, groups=groups)
        low, high = found["low"], found["high"]
        goal: dict[str, Any] = {}
        if wanted:
            words = f"difference at least {least}" + (", interval above 0" if least else "")
            goal = {"wanted": words, "met": found["value"] >= least and (low > 0 or not least)}
        claim(
            f"{title}, {how}", figures[0][name], figures[1][name], unit="share",
            what=f"{len(rows)} rows, {len(set(truth.tolist()))} classes; ours - peer, drawn by groups",
            difference=round(found["value"], 4), interval=[round(low, 4), round(high, 4)], **goal,
        )  # fmt: skip
    for share, least in WANTED.items():
        mine, theirs = (
            Coverage.of(side.sure, side.label == truth).accuracy_at(share) for side in (ours, peer)
        )
        goal = {"wanted": f"at least {least}", "met": (mine or 0) >= least} if wanted else {}
        claim(
            f"accuracy on the surest {share:.0%}, {how}", mine, theirs, unit="share",
            what="the peer by its margin of the best decision over the second", **goal,
        )  # fmt: skip
    error = figures[0]["ece"]
    goal = {"wanted": f"at most {CALIBRATED}", "met": error <= CALIBRATED} if wanted else {}
    claim(
        f"expected calibration error, {how}", error, unit="share",
        what="top label, 15 bins; the peer has no probabilities", **goal,
    )  # fmt: skip


def grouped(source: Any, seed: int, rows_wanted: int | None) -> None:
    rows = sample(labelled("complaints", "product", source, set={"seed": seed}), rows_wanted)
    parts = folds_of(rows.task, rows.dataset, rows.truth, "grouped", seed)
    held = cross_fit(rows.spec(), rows.dataset, rows.truth, parts)
    ours = answers(rows.task.target.calibrate(held).scores)
    count = 0 if rows.dataset.groups is None else len(np.unique(rows.dataset.groups))
    say(f"seed {seed}: ours done, {count} groups in {len(rows)} rows")
    compare(f"grouped, seed {seed}", rows, ours, peer_out_of_fold(rows, parts), wanted=seed == 0)


def by_time(source: Any, rows_wanted: int | None) -> None:
    rows = sample(labelled("complaints", "product", source), rows_wanted)
    seen, rest = (rows.take(part) for part in time_split(rows.dataset.time, LAST))
    parts = folds_of(seen.task, seen.dataset, seen.truth, "grouped", 0)
    fitted = fit_task(seen.spec(), seen.dataset, seen.truth, parts)
    ours = answers(fitted.scores(rest.dataset.rows, rows.context.settings.cores()))
    compare(f"by time, last {LAST:.0%}", rest, ours, peer_answers(seen, rest), wanted=False)


def sample(rows: Labelled, wanted: int | None) -> Labelled:
    if wanted is None or wanted >= len(rows):
        return rows
    return rows.take(np.sort(np.random.default_rng(0).choice(len(rows), wanted, replace=False)))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, help="a sample of this size, for a trial")
    parser.add_argument("--seeds", type=int, default=3, help="how many ways of dealing the folds")
    given = parser.parse_args(arguments)
    source = data() / "complaints" / "cfpb.parquet"
    for seed in range(given.seeds):
        grouped(source, seed, given.rows)
    by_time(source, given.rows)


if __name__ == "__main__":
    main()
