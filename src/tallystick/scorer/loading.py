"""From model folders to a scorer that is ready to work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from tallystick.config import Settings
from tallystick.errors import BundleError, UsageError
from tallystick.evaluation import Thresholds
from tallystick.models import (
    Bundle,
    Calibration,
    EventCalibration,
    LinearModel,
    RankCalibration,
    load,
    load_model,
)
from tallystick.rules.routing import Routing
from tallystick.rules.rules import Rules
from tallystick.scorer.classes import ClassModel
from tallystick.scorer.events import EventModel
from tallystick.scorer.policy import Abstention, choose, rethink
from tallystick.scorer.scorer import Scorer
from tallystick.scorer.solution import ClassTask, EventTask, Solution, Task
from tallystick.scorer.values import DERIVED
from tallystick.windows import Windows, WindowState

__all__ = ["find_bundles", "load_routing", "load_rules", "load_scorer", "load_windows", "task_model"]


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


def task_model(solution: Solution, task: Task, bundle: Bundle, settings: Settings) -> ClassModel | EventModel:
    """Make one bundle ready to score; what the settings want of its decisions goes before its own."""
    try:
        if isinstance(task, EventTask):
            return _event_model(solution, task, bundle, settings)
        assert isinstance(task, ClassTask)
        return _class_model(task, bundle, settings)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise BundleError(
            f"The model {bundle.name} lacks something that scoring needs: {error}.", "Train it again."
        ) from None


def _class_model(task: ClassTask, bundle: Bundle, settings: Settings) -> ClassModel:
    manifest, arrays = bundle.manifest, bundle.arrays
    fitted = task.features.load(manifest["features"], arrays)
    model = LinearModel(arrays["weights"], arrays["intercept"])
    classes = tuple(manifest["classes"])
    abstention = Abstention(**manifest["policy"])
    if settings.accuracy is not None or settings.automation is not None:
        chance, label = arrays["oof.probability"], arrays["oof.label"]
        sure = chance[np.arange(len(label)), label]
        abstention = choose(sure, label == arrays["oof.truth"], settings)
    calibration = Calibration.of(arrays["prior"], **manifest["calibration"])
    if model.weights.shape != (fitted.count, len(classes)) or not np.isfinite(model.weights).all():
        raise BundleError(f"The model {bundle.name} does not fit together.", "Train it again.")
    return ClassModel(task, fitted.scorer(model), calibration, classes, abstention, bundle.name)


def _event_model(solution: Solution, task: EventTask, bundle: Bundle, settings: Settings) -> EventModel:
    manifest, arrays = bundle.manifest, bundle.arrays
    _same_meaning(bundle, settings)
    fitted = task.features.load(manifest["features"])
    own = {name.removeprefix("model."): a for name, a in arrays.items() if name.startswith("model.")}
    model = load_model(manifest["model"], own)
    calibration: EventCalibration | RankCalibration
    if task.anomaly:
        calibration = RankCalibration.of(manifest["calibration"], arrays)
    else:
        calibration = EventCalibration.of(manifest["calibration"])
    thresholds = Thresholds.of(manifest["policy"])
    if settings.review or settings.decline:
        thresholds = rethink(bundle, settings)
    usual = arrays["usual"]
    if usual.shape != (fitted.count,):
        raise BundleError(f"The model {bundle.name} does not fit together.", "Train it again.")
    return EventModel(task, fitted, model, calibration, thresholds, usual, solution.in_words, bundle.name)


def load_scorer(
    solution: Solution,
    folder: str | Path,
    settings: Settings,
    *,
    tasks: Sequence[str] = (),
    as_of: datetime | None = None,
    rules: str | Path | None = None,
    **options: Any,
) -> Scorer:
    """Load a model folder, the routing rules, the rules beside the model and the thresholds into a Scorer.

    options: `reasons`, `all_scores` and `threads` of the Scorer.
    """
    bundles = find_bundles(solution, folder, tasks)
    models = tuple(
        task_model(solution, solution.task(name), bundle, settings) for name, bundle in bundles.items()
    )
    known = {model.task.label: model.classes for model in models[:1] if isinstance(model, ClassModel)}
    routing = load_routing(solution, settings, known)
    windows = load_windows(solution, bundles)
    state = None
    if windows is not None:
        first = next(iter(bundles.values())).manifest["features"]
        state = WindowState(windows, first["zone"], first["currency"])
    return Scorer(
        solution,
        models,
        settings,
        routing,
        load_rules(solution, windows, rules or settings.rules),
        windows,
        state,
        as_of=as_of,
        **options,
    )


def _same_meaning(bundle: Bundle, settings: Settings) -> None:
    """Refuse settings under which night, or money without a currency, means another thing than it did."""
    for name in ("zone", "currency"):
        trained, now = bundle.manifest["features"].get(name), getattr(settings, name)
        if trained not in (None, now):
            raise UsageError(
                f"The model {bundle.name} was trained with {name}={trained}; the settings say {name}={now}.",
                f"Score with --set {name}={trained}, or train it again.",
            )


def load_windows(solution: Solution, bundles: Mapping[str, Bundle]) -> Windows | None:
    """Return the windows that the bundles of a folder were trained with, the same for all."""
    declared = [bundle.manifest.get("windows") for bundle in bundles.values()]
    if any(one != declared[0] for one in declared):
        raise UsageError(
            f"The tasks {', '.join(bundles)} were trained with different windows.",
            "Name one of them: --task. Or train them together.",
        )
    return Windows.of(declared[0], solution.window_roles) if declared[0] else None


def load_rules(solution: Solution, windows: Windows | None, path: str | Path | None) -> Rules | None:
    """Read the rules beside the model, if a file is named."""
    if not path:
        return None
    known = [*solution.contract.known_at_event, *DERIVED]
    names = [*known, *(windows.names if windows else ())]
    return Rules.load(path, names, solution.tasks[0].actions)


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
