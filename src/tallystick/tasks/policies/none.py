"""No policy: scores alone, and no action."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from tallystick.config import Settings
from tallystick.evaluation import Thresholds
from tallystick.models.scores import Scores
from tallystick.tasks.dataset import HeldOut
from tallystick.tasks.policies.base import Codes, FittedPolicy, Floats, yes_from_half

__all__ = ["NoPolicy"]


@dataclass(frozen=True)
class NoPolicy:
    """Takes no action: `action` is null. It is its own fitted form."""

    kind: ClassVar[str] = "none"
    actions: tuple[str, ...] = ()
    needs_person: frozenset[str] = frozenset()
    unsure: int = 0
    thresholds: Thresholds | None = None

    def fit(self, held: HeldOut, scores: Scores, settings: Settings) -> FittedPolicy:  # noqa: ARG002
        """Nothing to choose."""
        return self

    def load(self, description: Mapping[str, Any]) -> FittedPolicy:  # noqa: ARG002 - as all policies
        """Nothing was kept."""
        return self

    def refit(
        self,
        description: Mapping[str, Any],  # noqa: ARG002 - as all policies
        held: HeldOut,  # noqa: ARG002
        scores: Scores,  # noqa: ARG002
        settings: Settings,  # noqa: ARG002
    ) -> FittedPolicy | None:
        """Nothing to choose."""
        return None

    def act(self, score: Floats, label: Codes | None = None) -> Codes:  # noqa: ARG002 - as all policies
        """Return codes without a meaning."""
        return np.zeros(len(score), np.int64)

    def yes(self, score: Floats, action: Codes) -> Codes:  # noqa: ARG002 - as all policies
        """Say yes from one half on."""
        return yes_from_half(score)

    def describe(self) -> dict[str, Any]:
        """Return its kind."""
        return {"kind": self.kind}
