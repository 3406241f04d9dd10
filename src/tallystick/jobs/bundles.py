"""What a bundle keeps of a trained task: a manifest of plain values, and arrays."""

from __future__ import annotations

import hashlib
import importlib.metadata
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tallystick.contracts.zones import LATEST
from tallystick.inputs.context import RunContext
from tallystick.jobs.options import stamp
from tallystick.learning.fit import FitSpec, Fitted
from tallystick.learning.identity import identity
from tallystick.models import TrainingRows
from tallystick.scorer.blanks import used_columns
from tallystick.scorer.copies import copy_keys
from tallystick.tasks import Dataset, Measured, Solution, Truth
from tallystick.tasks.policies import held_out_actions
from tallystick.windows import Windows

__all__ = ["bundle_parts"]

LIBRARIES = ("numba", "numpy", "pyarrow", "scikit-learn", "tallystick", "xgboost", "xgboost-cpu")
# What decides labels and thresholds beside the data.
DECIDING = ("label_delay", "good_after", "review_cost", "decline_cost")
MOST_KEPT = 200_000  # rows whose held-out scores a bundle keeps, picked by their identity

Arrays = dict[str, NDArray[Any]]


def bundle_parts(
    solution: Solution,
    spec: FitSpec,
    windows: Windows | None,
    dataset: Dataset,
    truth: Truth,
    fitted: Fitted,
    needs: Mapping[str, str],
    context: RunContext,
) -> tuple[dict[str, Any], Arrays]:
    """Say what was learned from what and what it achieved on held-out rows; keep all that scoring needs."""
    task, settings, held = spec.task, context.settings, fitted.held
    scores = fitted.calibrated.scores
    policy = task.policy.fit(held, fitted.calibrated.chosen_on, settings)
    some = held.usable
    some = some[~np.isnan(scores.score[some])]  # rows that no other fold could calibrate
    measured = Measured(
        dataset.take(held.row[some]),
        truth.take(held.row[some]),
        scores.take(some),
        policy,
        action=held_out_actions(task.policy, policy, held, fitted.calibrated.chosen_on, settings)[some],
    )
    context.progress.stage(f"Measuring {task.name}")
    report = task.target.report(
        task.name, measured, settings, measures=solution.measures, nouns=solution.nouns
    )
    kept = ("target", *task.target.figures, *(measure.name for measure in solution.measures))
    contract = solution.contract
    own = identity(dataset, task.features)
    copies = copy_keys(task.features, dataset.rows, dataset.ids, training=True)
    dated = dataset.time[dataset.time < LATEST]
    manifest = {
        "solution": solution.name,
        "task": task.name,
        "target": task.target.kind,
        "classes": list(task.target.outputs(truth.names)),
        "contract": {
            "name": contract.name,
            "version": contract.version,
            "fingerprint": contract.fingerprint(),
        },
        "windows": windows.to_dict() if windows else None,
        "features": fitted.features.describe()
        | {"columns": used_columns(fitted.features, windows, contract, _blank_shares(dataset))},
        "learner": {
            "name": spec.learner.name,
            "title": spec.learner.title,
            "settings": spec.params,
            "only": sorted(spec.only),
        },
        "model": fitted.model.describe(),
        "training": {
            "rows": len(dataset),
            **({"events": int((truth.values == 1).sum())} if truth.names == ("no", "yes") else {}),
            "from": stamp(dated.min()) if len(dated) else None,
            "until": stamp(dated.max()) if len(dated) else None,
            "data": _fingerprint(own, truth),
            "seed": settings.seed,
            "split": _split_words(spec),
            "history": _history(dataset),
        },
        "calibration": fitted.calibrator.describe(),
        "sufficiency": None if fitted.sufficiency is None else fitted.sufficiency.describe(),
        "policy": policy.describe(),
        "figures": {key: report[key] for key in kept if key in report},
        "needs": dict(needs),
        "settings": {name: getattr(settings, name) for name in DECIDING}
        | {"as_of": context.as_of.isoformat() if context.as_of else None},
        "libraries": _versions(),
    }
    arrays: Arrays = {
        **{f"features/{name}": array for name, array in fitted.features.arrays().items()},
        "features/medians": fitted.medians,
        "features/blank": fitted.blank.astype(np.uint8),
        **{f"model/{name}": array for name, array in fitted.model.arrays().items()},
        **{f"calibration/{name}": array for name, array in fitted.calibrator.arrays().items()},
        **{f"heldout/{name}": array for name, array in _held_out(fitted, own).items()},
        **{f"heldout/{name}": array for name, array in TrainingRows.of(copies).arrays().items()},
    }
    return manifest, arrays


def _history(dataset: Dataset) -> dict[str, float] | None:
    """Say how many days of history lay before the last row, and how many the longest window looks back."""
    if dataset.warmth is None or not dataset.window:
        return None
    day = 86_400_000_000
    return {"days": round(int(dataset.warmth.max(initial=0)) / day, 1), "window_days": dataset.window / day}


def _blank_shares(dataset: Dataset) -> dict[str, float]:
    """Return the share of rows that hold nothing, column by column."""
    rows = dataset.rows
    return {
        name: round(column.null_count / max(len(rows), 1), 6)
        for name, column in zip(rows.schema.names, rows.columns, strict=True)
    }


def _held_out(fitted: Fitted, own: NDArray[np.uint64]) -> Arrays:
    """Return the held-out scores of training rows, of so many of them."""
    held, scores = fitted.held, fitted.calibrated.scores
    kept = np.arange(len(held))
    if len(kept) > MOST_KEPT:
        kept = np.sort(np.argsort(own[held.row], kind="stable")[:MOST_KEPT])
    found: Arrays = {
        "row": held.row[kept],
        "fold": held.fold[kept],
        "truth": held.truth[kept],
        "time": held.time[kept],
        "values": scores.values[kept],
        "score": scores.score[kept],
        "chosen_on": fitted.calibrated.chosen_on.score[kept],
    }
    if scores.label is not None:
        found["label"] = scores.label[kept]
    if held.stake is not None:
        found["stake"] = held.stake[kept]
    return found


def _split_words(spec: FitSpec) -> str:
    """Say how rows were held out."""
    if not spec.task.target.cross_fitted:
        return "no rows held out: there is nothing to be right or wrong about"
    how = {
        "grouped": "rows that hang together kept together",
        "time": "by time, each learned from what was known before it",
        "stratified": "each with the same share of every class",
        "random": "at random",
    }
    words = how.get(spec.task.split, spec.task.split)
    return f"{spec.task.folds} folds{' ' if words.startswith(('by', 'at')) else ', '}{words}"


def _versions() -> dict[str, str]:
    """Return the versions of those libraries that are there: XGBoost goes by two names."""
    found = {}
    for name in LIBRARIES:
        with suppress(importlib.metadata.PackageNotFoundError):
            found[name] = importlib.metadata.version(name)
    return found


def _fingerprint(own: NDArray[np.uint64], truth: Truth) -> str:
    """Return SHA-256 over what the rows were and what their labels said, row by row."""
    digest = hashlib.sha256(own.astype("<u8").tobytes())
    digest.update("\0".join(truth.names).encode())
    digest.update(truth.values.astype("<f8").tobytes())
    return digest.hexdigest()
