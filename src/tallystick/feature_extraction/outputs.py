"""The output of another task as a feature: a risk score for segments, a product for an issue."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tallystick.feature_extraction.base import Features, FitContext
from tallystick.feature_extraction.columns import FittedColumns

__all__ = ["TaskOutput", "output_name"]


def output_name(task: str) -> str:
    """Return the name of the column that holds a task's score.

    >>> output_name("risk")
    'risk.score'
    """
    return f"{task}.score"


@dataclass(frozen=True)
class TaskOutput(Features):
    """The score of another task of the solution, which is trained and applied before this one.

    In training it is the score of a model that did not see the row; the bundle names the other model by its
    fingerprint.
    """

    task: str
    kind: ClassVar[str] = "output"
    derived: ClassVar[bool] = True

    def selectable(self, windows: Collection[str]) -> tuple[str, ...]:  # noqa: ARG002 - as all parts
        """Return the score's name."""
        return (output_name(self.task),)

    def fit(self, rows: pa.RecordBatch, context: FitContext) -> FittedOutput | None:  # noqa: ARG002
        """Take the score as a number."""
        wanted = context.wanted(self.selectable(()))
        return FittedOutput(wanted, {}) if wanted else None

    def load(
        self,
        description: Mapping[str, Any],
        arrays: Mapping[str, NDArray[Any]],  # noqa: ARG002 - all is in the description
    ) -> FittedOutput:
        """Return the fitted part."""
        return FittedOutput(tuple(description["numbers"]), {})

    def missing(self, rows: pa.RecordBatch) -> NDArray[np.bool_] | None:  # noqa: ARG002 - never looked at alone
        """A row without the other score is scored with an unknown value."""
        return None


@dataclass(frozen=True)
class FittedOutput(FittedColumns):
    """A score as a number; that it is known adds nothing to what is known of a row."""

    def support(self, rows: pa.RecordBatch, threads: int = 1) -> NDArray[np.float64] | None:  # noqa: ARG002
        """Nothing of its own."""
        return np.zeros((len(rows), 5))
