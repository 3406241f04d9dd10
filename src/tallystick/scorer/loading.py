"""From model folders to a scorer that is ready to work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tallystick.config import Settings
from tallystick.contracts.inference import ColumnTypes
from tallystick.errors import BundleError, UsageError
from tallystick.feature_extraction import DERIVED, FittedFeatures, ValueReader
from tallystick.models import Bundle, Sufficiency, TrainingRows, load, load_model
from tallystick.models.scores import Scores
from tallystick.rules.routing import Routing
from tallystick.rules.rules import Rules
from tallystick.scorer.blanks import UnmetBlanks
from tallystick.scorer.predictor import Predictor, Want
from tallystick.scorer.scorer import Scorer
from tallystick.tasks import HeldOut, Solution, Task
from tallystick.windows import Windows

__all__ = [
    "find_bundles",
    "kept_scores",
    "load_predictor",
    "load_routing",
    "load_rules",
    "load_scorer",
    "load_windows",
    "needed_columns",
    "opened_by",
]


def find_bundles(solution: Solution, folder: str | Path, tasks: Sequence[str] = ()) -> dict[str, Bundle]:
    """Load the bundles of a model folder, of the named tasks or all that are there, in their order.

    A task that reads the score of another one brings that one with it. Raises UsageError when there is none,
    BundleError when one is damaged or made for something else.
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
    read = {name for task in there for name in task.reads_tasks}
    names = {task.name for task in there} | read
    every = [task for task in solution.tasks if task.name in names]
    bundles = {task.name: _load(solution, task, folder / task.name) for task in every}
    for name, bundle in bundles.items():
        for other, fingerprint in bundle.manifest.get("needs", {}).items():
            if other not in bundles or bundles[other].manifest["fingerprint"] != fingerprint:
                raise BundleError(
                    f"The model {bundle.name} reads the scores of another model of {other} than is here.",
                    f"Train both together: tallystick train {solution.name} INPUT --model {folder} "
                    f"--task {other} --task {name}",
                )
    return bundles


def opened_by(solution: Solution, bundles: Mapping[str, Bundle]) -> Solution:
    """Return a solution whose open contract has the columns that its bundles were trained with."""
    if not solution.contract.open:  # also where that was done already
        return solution
    kept = [bundle.manifest["contract"].get("unnamed", {}) for bundle in bundles.values()]
    if any(one != kept[0] for one in kept):
        raise UsageError(
            f"The tasks {', '.join(bundles)} were trained with different columns.",
            "Name one of them: --task. Or train them together.",
        )
    return solution.opened(ColumnTypes.from_dict(kept[0]))


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


def load_predictor(solution: Solution, task: Task, bundle: Bundle, settings: Settings) -> Predictor:
    """Make one bundle ready to score; what the settings want of its decisions goes before its own."""
    try:
        return _predictor(solution, task, bundle, settings)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise BundleError(
            f"The model {bundle.name} lacks something that scoring needs: {error}.", "Train it again."
        ) from None


def _predictor(solution: Solution, task: Task, bundle: Bundle, settings: Settings) -> Predictor:
    manifest = bundle.manifest
    _refuse_other_meaning(bundle, settings)
    windows = Windows.of(manifest["windows"], solution.window_roles) if manifest["windows"] else None
    reader = ValueReader.of(
        solution.contract, settings.zone, settings.currency, () if windows is None else tuple(windows.names)
    )
    features = FittedFeatures.load(task.features, reader, manifest["features"], bundle.part("features"))
    model = load_model(manifest["model"], bundle.part("model"))
    calibrator = task.target.load_calibrator(manifest["calibration"], bundle.part("calibration"))
    policy = task.policy.load(manifest["policy"])
    if task.policy.kind == manifest["policy"]["kind"]:
        held, _, chosen_on = kept_scores(bundle)
        policy = task.policy.refit(manifest["policy"], held, chosen_on, settings) or policy
    medians = bundle.part("features").get("medians", np.zeros(0))
    names = {n: bundle.manifest["needs"][n] for n in manifest.get("needs", {})}
    outputs = tuple(manifest["classes"])
    unmet = UnmetBlanks.of(features, bundle.part("features").get("blank"), solution.contract, windows)
    return Predictor(
        task, features, model, calibrator, policy, outputs, medians, solution.reason_text, bundle.name, names,
        unmet, Sufficiency.of(manifest.get("sufficiency")), TrainingRows.load(bundle.part("heldout")),
    )  # fmt: skip


def needed_columns(solution: Solution, bundles: Mapping[str, Bundle]) -> dict[str, str]:
    """Return the columns that models read, and what each is wanted for."""
    needs: dict[str, str] = {}
    for name, bundle in bundles.items():
        used = bundle.manifest["features"].get("columns", {})
        for column in (*solution.task(name).required, *used):
            needs.setdefault(column, f"what {name} looks at")
    order = [column.name for column in solution.contract.columns]
    return {name: needs[name] for name in sorted(needs, key=order.index)}


def never_blank(bundles: Mapping[str, Bundle]) -> frozenset[str]:
    """Return the columns that models read and that no row lacked in training."""
    used = [bundle.manifest["features"].get("columns", {}) for bundle in bundles.values()]
    return frozenset(name for one in used for name, share in one.items() if not share)


def kept_scores(bundle: Bundle) -> tuple[HeldOut, Scores, Scores]:
    """Return what a bundle kept of rows that its models had not seen: scores, and those to choose by."""
    kept = bundle.part("heldout")
    rows = np.arange(len(kept["score"]))
    label = kept.get("label")
    scores = Scores(kept["values"], kept["score"], label)
    held = HeldOut(
        rows, kept["fold"], np.zeros((len(rows), 0)), kept["truth"], kept["time"], kept.get("stake"),
        groups=_groups(kept),
    )  # fmt: skip
    return held, scores, Scores(kept["values"], kept["chosen_on"], label)


def _groups(kept: Mapping[str, NDArray[Any]]) -> NDArray[np.int64]:
    """Return codes of kept rows that are near copies of each other.

    A row that is not known again has a code of its own.
    """
    last = np.unique(kept["copies"][:, -1], return_inverse=True)[1].astype(np.int64)
    groups = len(last) + np.arange(len(kept["row"]))
    if len(last):
        at = np.minimum(np.searchsorted(kept["copies_row"], kept["row"]), len(last) - 1)
        known = kept["copies_row"][at] == kept["row"]
        groups[known] = last[at[known]]
    return groups


def load_scorer(
    solution: Solution,
    folder: str | Path,
    settings: Settings,
    *,
    tasks: Sequence[str] = (),
    as_of: datetime | None = None,
    rules: str | Path | None = None,
    want: Want | None = None,
) -> Scorer:
    """Load a model folder, the routing rules, the rules beside the model and the thresholds into a Scorer."""
    bundles = find_bundles(solution, folder, tasks)
    solution = opened_by(solution, bundles)
    predictors = tuple(
        load_predictor(solution, solution.task(name), bundle, settings) for name, bundle in bundles.items()
    )
    main = solution.tasks[0]
    known = {label: one.outputs for one in predictors if one.task is main for label in main.target.labels}
    windows = load_windows(solution, bundles)
    return Scorer(
        solution.name,
        main.name,
        solution.contract,
        predictors,
        settings,
        windows,
        load_rules(solution, windows, rules or settings.rules),
        load_routing(solution, settings, known),
        solution.routing_inputs if solution.routing else None,
        want or Want(),
        as_of,
        needed_columns(solution, bundles),
        never_blank(bundles),
    )


def _refuse_other_meaning(bundle: Bundle, settings: Settings) -> None:
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
    main = solution.tasks[0]
    if not main.policy.actions:
        raise UsageError(f"{main.name} takes no action that a rule could change.", "Leave --rules out.")
    known = [*solution.contract.known_at_event, *DERIVED]
    return Rules.load(path, [*known, *(windows.names if windows else ())], main.policy.actions)


def load_routing(
    solution: Solution, settings: Settings, known: Mapping[str, Sequence[Any]]
) -> Routing | None:
    """Read the routing rules that the settings name, or the solution's own; None where it does not route.

    known: values that a column is known to have; a rule that names another makes a note.
    """
    if solution.routing is None:
        if settings.routing:
            raise UsageError(f"{solution.name} does not route; the setting routing has no use here.")
        return None
    columns, label = solution.contract.columns, solution.tasks[0].target.labels[0]
    own = {one.name: one.known_values or one.allowed for one in columns}
    routing = Routing.load(
        Path(settings.routing) if settings.routing else solution.routing,
        label=label,
        columns=[column.name for column in columns],
        known={
            **{name: values for name, values in own.items() if values},
            "action": solution.tasks[0].policy.actions,
            **(known if settings.routing else {}),
        },
        several=[column.name for column in columns if column.several],
        zone=settings.zone,
    )
    return routing if settings.routing or label not in known else routing.for_classes(known[label])
