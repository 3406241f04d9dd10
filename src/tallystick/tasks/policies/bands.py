"""Bands: grades of a score, such as the rating grades of a probability of default."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from tallystick.config import Settings
from tallystick.evaluation import Thresholds
from tallystick.models.scores import Scores
from tallystick.tasks.dataset import HeldOut
from tallystick.tasks.policies.base import Codes, Floats, yes_from_half

__all__ = ["Bands", "FittedBands"]


@dataclass(frozen=True)
class Bands:
    """Each band begins at an edge of the score; the first, the harmless one, at the lowest score.

    actions: the bands' names from the lowest score up; edges: where the second and later ones begin; when
    empty they are chosen so that held-out rows spread evenly; needs_person: bands that a person looks at.
    """

    actions: tuple[str, ...] = ("A", "B", "C", "D", "E")
    edges: tuple[float, ...] = ()
    needs_person: frozenset[str] = frozenset()
    kind: ClassVar[str] = "bands"

    def __post_init__(self) -> None:
        if self.edges and (len(self.edges) != len(self.actions) - 1 or sorted(self.edges) != [*self.edges]):
            raise ValueError(f"{len(self.actions)} bands need {len(self.actions) - 1} rising edges")

    def fit(self, held: HeldOut, scores: Scores, settings: Settings) -> FittedBands:  # noqa: ARG002
        """Take the declared edges, or quantiles of the held-out scores."""
        if self.edges:
            return FittedBands(self.edges)
        known = scores.score[~np.isnan(scores.score)]
        levels = np.arange(1, len(self.actions)) / len(self.actions)
        return FittedBands(tuple(float(edge) for edge in np.quantile(known, levels)))

    def load(self, description: Mapping[str, Any]) -> FittedBands:
        """Return the edges that `describe` kept."""
        return FittedBands(tuple(description["edges"]))

    def refit(
        self,
        description: Mapping[str, Any],  # noqa: ARG002 - as all policies
        held: HeldOut,  # noqa: ARG002
        scores: Scores,  # noqa: ARG002
        settings: Settings,  # noqa: ARG002
    ) -> FittedBands | None:
        """No setting speaks of bands."""
        return None


@dataclass(frozen=True)
class FittedBands:
    """Bands by the edges at which they begin.

    >>> FittedBands((0.1, 0.5)).act(np.array([0.05, 0.1, 0.7])).tolist()
    [0, 1, 2]
    """

    edges: tuple[float, ...]

    @property
    def unsure(self) -> int:
        """The strictest band: nothing speaks for a better one."""
        return len(self.edges)

    @property
    def thresholds(self) -> Thresholds | None:
        """Bands flag nothing."""
        return None

    def act(self, score: Floats, label: Codes | None = None) -> Codes:  # noqa: ARG002 - as all policies
        """Return the band of each row; a score that is no number is in the strictest."""
        band = np.searchsorted(np.array(self.edges), score, side="right")
        return np.where(np.isnan(score), len(self.edges), band).astype(np.int64)

    def yes(self, score: Floats, action: Codes) -> Codes:  # noqa: ARG002 - as all policies
        """Say yes from one half on."""
        return yes_from_half(score)

    def describe(self) -> dict[str, Any]:
        """Return what a manifest keeps."""
        return {"kind": Bands.kind, "edges": list(self.edges)}
