"""How often decisions without a person are right: in all, in each class, by length, on folds and by time.

Thresholds are chosen on other rows than those that are measured: on folds by the other folds, by time by a
model of what came before.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from _claims import claim, data, say
from _labelled import Labelled, labelled
from tallystick.evaluation import time_split
from tallystick.evaluation.automation import automation_outcome, by_size
from tallystick.learning import fit_task, folds_of
from tallystick.models.scores import Scores
from tallystick.tasks.policies import held_out_actions

LAST = 0.2  # of the rows, by time, that are tested on
ON_FOLDS, BY_TIME, ROWS, IN_CLASS, SHARE, MANY = 0.945, 0.94, 850, 0.9, 0.62, 100


def measure(
    how: str, rows: Labelled, scores: Scores, automatic: NDArray[np.bool_], wanted: dict[str, float]
) -> None:
    """Print the claims on some rows; wanted: least accuracy, share and number of automatic decisions."""
    truth, groups = rows.truth.codes, rows.dataset.groups
    assert scores.label is not None
    right = scores.label == truth
    found = automation_outcome(automatic, right, truth, scores.label, rows.truth.names, groups=groups)
    met = all(found[name] >= least for name, least in wanted.items())
    claim(
        f"accuracy of automatic decisions, {how}", found["accuracy"], unit="share",
        what=f"{found['accepted']:,} of {found['rows']:,} letters ({found['automation']:.1%}), asked .95",
        interval=[round(end, 4) for end in found["interval"]],
        wanted=", ".join(f"{name} at least {least:g}" for name, least in wanted.items()), met=met,
    )  # fmt: skip
    for one in sorted(found["per_class"], key=lambda one: -one["accepted"]):
        if one["accepted"]:
            many = one["accepted"] >= MANY
            goal = {"wanted": f"at least {IN_CLASS}", "met": one["accuracy"] >= IN_CLASS} if many else {}
            claim(
                f"accuracy of automatic decisions, {how}: {one['class']}", one["accuracy"], unit="share",
                what=f"{one['accepted']:,} letters; of {one['true_rows']:,} that truly are of it "
                f"{one['true_accuracy'] or 0:.1%} are right", **goal,
            )  # fmt: skip
    assert rows.dataset.sizes is not None
    for band in by_size(rows.dataset.sizes, automatic, right, groups):
        words = f"{band['above'] + 1} to {band['to']}" if band["to"] else f"above {band['above']}"
        claim(
            f"accuracy of automatic decisions, {how}: {words} words", band["accuracy"],
            unit="share", what=f"{band['accepted']:,} of {band['rows']:,} letters",
        )  # fmt: skip


def on_folds(rows: Labelled, by: str) -> None:
    spec = rows.spec()
    settings = spec.settings.with_values({"accuracy_by": by}, "benchmark")
    parts = folds_of(rows.task, rows.dataset, rows.truth, rows.task.split, settings.seed)
    fitted = fit_task(spec, rows.dataset, rows.truth, parts)
    held, scores = fitted.held, fitted.calibrated.scores
    policy = rows.task.policy.fit(held, fitted.calibrated.chosen_on, settings)
    action = held_out_actions(rows.task.policy, policy, held, fitted.calibrated.chosen_on, settings)
    wanted = {"accuracy": ON_FOLDS, "automation": SHARE} if by == "all" else {"accuracy": ON_FOLDS}
    measure(f"on folds, by {by}", rows.take(held.row), scores, action == 0, wanted)


def by_time(rows: Labelled) -> None:
    seen, rest = (rows.take(part) for part in time_split(rows.dataset.time, LAST))
    spec = seen.spec()
    parts = folds_of(seen.task, seen.dataset, seen.truth, seen.task.split, spec.settings.seed)
    fitted = fit_task(spec, seen.dataset, seen.truth, parts)
    policy = seen.task.policy.fit(fitted.held, fitted.calibrated.chosen_on, spec.settings)
    scores = fitted.scores(rest.dataset.rows, rows.context.settings.cores())
    action = policy.act(scores.score, scores.label)
    wanted = {"accuracy": BY_TIME, "accepted": ROWS}
    measure(f"by time, last {LAST:.0%}", rest, scores, action == 0, wanted)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--by", choices=("all", "class"), default="all", help="where the accuracy should hold"
    )
    given = parser.parse_args(arguments)
    rows = labelled("complaints", "product", data() / "complaints" / "cfpb.parquet")
    on_folds(rows, given.by)
    say("folds done; learning from what came before the last fifth")
    by_time(rows)


if __name__ == "__main__":
    main()
