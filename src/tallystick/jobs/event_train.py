"""train, for event tasks: behaviour replayed, labels as they became known, and a bundle for each task."""

from __future__ import annotations

import hashlib
import importlib.metadata
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tallystick import registry
from tallystick.errors import DataError, UsageError
from tallystick.evaluation import render_card
from tallystick.jobs.event_fitting import FOLDS, Design, FittedEvent, fit_event
from tallystick.jobs.event_measure import report_on_events
from tallystick.jobs.event_rows import EventRows, declared, span, with_behaviour
from tallystick.jobs.options import Moment, Work, stamp
from tallystick.jobs.past import LATEST, Events
from tallystick.learners import Learner, refuse_unless
from tallystick.models import Bundle, RankCalibration, save
from tallystick.scorer import EventTask, Solution, choose_thresholds
from tallystick.scorer.policy import judged
from tallystick.windows import Windows

__all__ = ["Wanted", "pick_event_tasks", "train_events"]

LIBRARIES = ("numba", "numpy", "pyarrow", "scikit-learn", "tallystick", "xgboost", "xgboost-cpu")
# What decides labels and thresholds beside the data.
DECIDING = ("label_delay", "good_after", "review_cost", "decline_cost")
# Of the report, what a manifest keeps: figures, not curves.
KEPT = (
    *("target", "rows", "events", "accuracy", "balanced_accuracy", "precision", "recall", "f1", "roc_auc"),
    "average_precision",
)
LOSSES = ("log_loss", "brier", "ece", "intervals", "baseline")


@dataclass(frozen=True)
class Wanted:
    """What training was asked for."""

    learner: str | None = None
    features: Sequence[str] = ()
    windows: str | Path | None = None
    from_: Moment | None = None
    until: Moment | None = None


def pick_event_tasks(tasks: Sequence[EventTask], named: bool, events: Events) -> list[EventTask]:
    """Return those asked for; else those whose labels are there, else the anomaly."""
    if named:
        return list(tasks)
    labelled = bool((~np.isnan(events.truth)).any())
    return [task for task in tasks if task.anomaly != labelled]


def train_events(
    solution: Solution, tasks: Sequence[EventTask], events: Events, folder: Path, wanted: Wanted, job: Work
) -> list[tuple[EventTask, Path, dict[str, Any]]]:
    """Learn event tasks and write their bundles: task, folder and manifest of each."""
    windows = declared(solution, wanted.windows, events.held())
    inside, passed, end = span(events, wanted.from_, wanted.until, job.as_of, job)
    unknown = np.isnan(events.truth) | (
        events.known > (LATEST - 1 if job.as_of is None else int(job.as_of.timestamp() * 1e6))
    )
    if inside.any() and (events.time[inside] == LATEST).all():
        raise DataError(
            f"What is needed is missing: {solution.contract.event_time}, to know what came before what.",
            f'Say which column it is: --map "THEIRS={solution.contract.event_time}".',
        )
    # A label that was not known yet is none: not for thresholds and figures either.
    events = replace(events, truth=np.where(unknown, np.nan, events.truth))
    done = []
    for task in tasks:
        way = registry.learner(wanted.learner or task.learner)
        refuse_unless(way, "binary" if way.needs_labels else "anomaly")
        if task.anomaly and way.needs_labels:
            raise UsageError(
                f'The learner "{way.name}" learns from labels, and {task.name} is learned without any.',
                "These look for what is odd: autoencoder, isolation_forest, local_outlier_factor.",
            )
        usable = inside if task.anomaly else inside & ~unknown
        left_out = passed | {f"no {task.label} yet": int((inside & ~usable).sum())}
        if not usable.any():
            raise DataError(
                f"There is no row with a known {task.label} to learn {task.name} from.",
                "Give labels (in the file, or with --labels), or learn what is odd: --task anomaly.",
            )
        rows = with_behaviour(solution, events, windows, usable, job, end)
        settings = dict(task.learner_settings(way.name))
        behaviour = windows.names if windows else ()
        # Who brings windows of their own wants them looked at.
        only = wanted.features or (() if wanted.windows else task.usual_of(behaviour))
        design = Design(task, way, settings, behaviour, only)
        fitted, chance = fit_event(design, rows, job)
        manifest, arrays = _bundle(solution, task, way, settings, windows, rows, fitted, chance, job)
        manifest["training"]["left_out"] = {why: count for why, count in left_out.items() if count}
        card = render_card(manifest, task.purpose, task.limits, solution.nouns)
        bundle: Bundle = save(folder / task.name, manifest, arrays, card)
        done.append((task, folder / task.name, bundle.manifest))
    return done


def _bundle(
    solution: Solution,
    task: EventTask,
    way: Learner,
    settings: dict[str, Any],
    windows: Windows | None,
    rows: EventRows,
    fitted: FittedEvent,
    chance: NDArray[np.float64],
    job: Work,
) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Say what was learned from what, what it achieved on later rows, and keep all that scoring needs."""
    seen = np.flatnonzero(~np.isnan(chance))
    later, score = rows.take(seen), chance[seen]
    known = judged(later.truth)
    told = later.take(known)
    thresholds = choose_thresholds(told.fraud, score[known], told.time, told.stake, job.settings)
    report = report_on_events(task, told, score[known], thresholds, job)
    kept = (*KEPT, *(measure.name for measure in solution.measures), *LOSSES)
    dated = rows.time[rows.time < LATEST]
    contract = solution.contract
    identity = task.features.identity(rows.table)
    manifest = {
        "solution": solution.name,
        "task": task.name,
        "classes": ["no", "yes"],
        "contract": {
            "name": contract.name,
            "version": contract.version,
            "fingerprint": contract.fingerprint(),
        },
        "windows": windows.to_dict() if windows else None,
        "features": fitted.features.describe(),
        "learner": {"name": way.name, "title": way.title, "settings": settings},
        "model": fitted.model.describe(),
        "training": {
            "rows": len(rows),
            "events": int(rows.fraud.sum()),
            "from": stamp(dated.min()) if len(dated) else None,
            "until": stamp(dated.max()) if len(dated) else None,
            "data": _fingerprint(identity, rows),
            "seed": job.settings.seed,
            "split": f"{FOLDS} folds by time, each learned from what was known before it",
        },
        "calibration": fitted.calibration.describe(),
        "policy": thresholds.to_dict(),
        "figures": {key: report[key] for key in kept if key in report},
        "settings": {name: getattr(job.settings, name) for name in DECIDING}
        | {"as_of": job.as_of.isoformat() if job.as_of else None},
        "libraries": _versions(),
    }
    arrays = {
        **{f"model.{name}": array for name, array in fitted.model.arrays().items()},
        **(fitted.calibration.arrays() if isinstance(fitted.calibration, RankCalibration) else {}),
        "usual": fitted.usual,
        "oof.identity": identity,
        "oof.probability": score,
        "oof.row": seen,
        "oof.truth": np.where(np.isnan(later.truth), -1, later.truth).astype(np.int8),
        "oof.time": later.time,
        **({} if later.stake is None else {"oof.amount": later.stake}),
    }
    return manifest, arrays


def _versions() -> dict[str, str]:
    """The versions of those libraries that are there: XGBoost goes by two names."""
    found = {}
    for name in LIBRARIES:
        with suppress(importlib.metadata.PackageNotFoundError):
            found[name] = importlib.metadata.version(name)
    return found


def _fingerprint(identity: NDArray[np.uint64], rows: EventRows) -> str:
    """SHA-256 over what the rows were and what their labels said, row by row."""
    digest = hashlib.sha256(identity.astype("<u8").tobytes())
    digest.update(rows.truth.astype("<f8").tobytes())
    return digest.hexdigest()
