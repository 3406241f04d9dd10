"""From model folders to a scorer that is ready to work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from tallystick.config import Settings
from tallystick.errors import BundleError, UsageError
from tallystick.models import Bundle, Calibration, LinearModel, load
from tallystick.scorer.policy import Abstention, choose
from tallystick.scorer.routing import Routing
from tallystick.scorer.scorer import Scorer, TaskModel
from tallystick.scorer.solution import Solution, Task

__all__ = ["find_bundles", "load_scorer", "task_model"]


def find_bundles(solution: Solution, folder: str | Path, tasks: Sequence[str] = ()) -> dict[str, Bundle]:
    """Load the bundles of a model folder, of the named tasks or all that are there, in their order.

    Raises UsageError when there is none, BundleError when one is damaged or made for something else.
    """
    folder = Path(folder)
    wanted = solution.pick(tasks) if tasks else solution.tasks
    there = [task for task in wanted if tasks or (folder / task.name).is_dir()]
    if not there and (folder / "manifest.json").is_file():
        raise UsageError(
            f"{folder} is the model of one task.", f"Name the folder that it is in: {folder.parent}."
        )
    if not there:
        raise UsageError(
            f"There is no model for {solution.name} in {folder}.",
            f"Train one: tallystick train {solution.name} INPUT --model {folder}",
        )
    return {task.name: _load(solution, task, folder / task.name) for task in there}


def _load(solution: Solution, task: Task, folder: Path) -> Bundle:
    bundle = load(folder)
    made_for = bundle.manifest["solution"], bundle.manifest["task"]
    if made_for != (solution.name, task.name):
        raise BundleError(
            f"{folder} holds a model for {' '.join(made_for)}, not for {solution.name} {task.name}.",
            "Name the model folder that `tallystick train` was given.",
        )
    version = bundle.manifest["contract"]["version"]
    if version != solution.contract.version:
        raise BundleError(
            f"{folder} was trained under version {version} of the {solution.contract.name} contract; "
            f"this is version {solution.contract.version}.",
            "Train it again: what its columns mean has changed.",
        )
    return bundle


def task_model(task: Task, bundle: Bundle, settings: Settings) -> TaskModel:
    """Make one bundle ready to score; a wanted accuracy or automation in the settings goes before its own."""
    manifest, arrays = bundle.manifest, bundle.arrays
    try:
        fitted = task.features.load(manifest["features"], arrays)
        model = LinearModel(arrays["weights"], arrays["intercept"])
        classes = tuple(manifest["classes"])
        abstention = Abstention(**manifest["policy"])
        if settings.accuracy is not None or settings.automation is not None:
            chance, label = arrays["oof.probability"], arrays["oof.label"]
            sure = chance[np.arange(len(label)), label]
            abstention = choose(sure, label == arrays["oof.truth"], settings)
        calibration = Calibration.of(arrays["prior"], **manifest["calibration"])
        ready = TaskModel(task, fitted.scorer(model), calibration, classes, abstention, bundle.name)
    except (KeyError, TypeError, ValueError) as error:
        raise BundleError(
            f"The model {bundle.name} lacks something that scoring needs: {error}.", "Train it again."
        ) from None
    if model.weights.shape != (fitted.count, len(classes)) or not np.isfinite(model.weights).all():
        raise BundleError(f"The model {bundle.name} does not fit together.", "Train it again.")
    return ready


def load_scorer(
    solution: Solution,
    folder: str | Path,
    settings: Settings,
    *,
    tasks: Sequence[str] = (),
    as_of: datetime | None = None,
    **options: Any,
) -> Scorer:
    """Load a model folder, the routing rules and the thresholds into a Scorer.

    options: `reasons`, `all_scores` and `threads` of the Scorer.
    """
    bundles = find_bundles(solution, folder, tasks)
    models = tuple(task_model(solution.task(name), bundle, settings) for name, bundle in bundles.items())
    known = {solution.tasks[0].label: models[0].classes}
    routing = load_routing(solution, settings, known)
    return Scorer(solution, models, settings, routing, as_of=as_of, **options)


def load_routing(
    solution: Solution, settings: Settings, known: Mapping[str, Sequence[str]]
) -> Routing | None:
    """Read the routing rules that the settings name, or the solution's own; None where it does not route.

    known: values that a column is known to have; a rule that names another makes a note.
    """
    if solution.routing is None:
        if settings.routing:
            raise UsageError(f"{solution.name} does not route; the setting routing has no use here.")
        return None
    return Routing.load(
        Path(settings.routing) if settings.routing else solution.routing,
        label=solution.tasks[0].label,
        columns=[column.name for column in solution.contract.columns],
        known=known,
        zone=settings.zone,
    )
