"""What every policy can do: name its actions, be fitted on held-out scores, and act on one row at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from tallystick.config import Settings
from tallystick.evaluation import Thresholds
from tallystick.models.scores import Scores
from tallystick.tasks.dataset import HeldOut

__all__ = ["FittedPolicy", "Policy", "yes_from_half"]

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]


class FittedPolicy(Protocol):
    """A policy with its thresholds: a function of one row, so that a stream and a batch agree."""

    @property
    def unsure(self) -> int:
        """The code of the action for a row that holds nothing to look at."""

    @property
    def thresholds(self) -> Thresholds | None:
        """The thresholds on the score of an event, where the policy has any, for reports."""

    def act(self, score: Floats, label: Codes | None = None) -> Codes:
        """Return the code of each row's action, its place among the policy's actions; label: its class."""

    def yes(self, score: Floats, action: Codes) -> Codes:
        """Return the label of a yes/no task, 1 or 0, of scores and the actions that `act` gave."""

    def describe(self) -> dict[str, Any]:
        """Return what a manifest keeps: plain values, among them `kind`."""


class Policy(Protocol):
    """Turns scores into actions.

    kind: names it in a bundle; actions: the harmless one, which asks for nobody, first, stricter ones later;
    needs_person: those that a person has to look at.
    """

    kind: ClassVar[str]

    @property
    def actions(self) -> tuple[str, ...]:
        """What it may do; a greater code is stricter."""

    @property
    def needs_person(self) -> frozenset[str]:
        """The actions that a person has to look at."""

    def fit(self, held: HeldOut, scores: Scores, settings: Settings) -> FittedPolicy:
        """Choose thresholds as the settings wish, on scores of models that did not see the rows."""

    def load(self, description: Mapping[str, Any]) -> FittedPolicy:
        """Return the policy that `describe` kept."""

    def refit(
        self, description: Mapping[str, Any], held: HeldOut, scores: Scores, settings: Settings
    ) -> FittedPolicy | None:
        """Choose anew where the settings wish for something else than was kept; None where they do not."""


def yes_from_half(score: Floats) -> Codes:
    """Return yes (1) from a score of one half on.

    >>> yes_from_half(np.array([0.4, 0.5])).tolist()
    [0, 1]
    """
    return (score >= 0.5).astype(np.int64)
