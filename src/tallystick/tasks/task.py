"""A task: one thing that a solution predicts, as data."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from tallystick.feature_extraction import Features, TaskOutput, WindowFeatures
from tallystick.feature_extraction.fitted import layout_of
from tallystick.tasks.policies import NoPolicy, Policy
from tallystick.tasks.target import Target

__all__ = ["Task"]


@dataclass(frozen=True, kw_only=True)
class Task:
    """What is predicted, from what, by which learner, and what follows.

    name: as on the command line; target: its kind, with its label; features: parts that it reads, side by
    side; learner: the default one; params: hyperparameters by learner; policy: turns scores into actions;
    split: how folds are cut (`random`, `stratified`, `grouped`, `time`), folds: how many; default_features:
    names of columns and features used where nobody names any, all when empty; purpose and limits: texts of
    the model card.
    """

    name: str
    target: Target
    features: tuple[Features, ...]
    learner: str
    params: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    policy: Policy = field(default_factory=NoPolicy)
    split: str = "stratified"
    folds: int = 5
    default_features: tuple[str, ...] = ()
    purpose: str = ""
    limits: str = ""

    def learner_params(self, learner: str) -> Mapping[str, Any]:
        """Return the hyperparameters that this task gives a learner; none for one that it does not name."""
        return self.params.get(learner, {})

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the contract that it may read, labels aside."""
        return tuple(dict.fromkeys(name for part in self.features for name in part.columns))

    @property
    def required(self) -> tuple[str, ...]:
        """Those of them without which there is nothing to look at."""
        every = [part.required for part in self.features]
        return tuple(name for names in every for name in names) if all(every) else ()

    @property
    def reads_tasks(self) -> tuple[str, ...]:
        """The tasks whose scores it reads, which come before it."""
        return tuple(part.task for part in self.features if isinstance(part, TaskOutput))

    @property
    def reads_windows(self) -> bool:
        """Whether it reads window features."""
        return any(isinstance(part, WindowFeatures) for part in self.features)

    @property
    def layout(self) -> str:
        """Whether learners get a dense or a sparse matrix."""
        return layout_of(self.features)

    def chosen_features(self, windows: Collection[str]) -> tuple[str, ...]:
        """Return the features used where nobody names any; none, which means all, where no default applies.

        windows: names of the window features that there are. The default counts only where one of its window
        features is among them.
        """
        if not self.default_features:
            return ()
        if not set(self.default_features) & set(windows):
            return ()
        own = {name for part in self.features for name in part.selectable(windows)}
        return tuple(name for name in self.default_features if name in own)
