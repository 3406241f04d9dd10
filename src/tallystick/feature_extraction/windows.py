"""Window features of a solution's declaration, all of them or those that a task selects."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tallystick.feature_extraction.base import Features, FitContext, Layout, RowScorer
from tallystick.feature_extraction.values import Values
from tallystick.models import Model

__all__ = ["FittedWindows", "WindowFeatures"]


@dataclass(frozen=True)
class WindowFeatures(Features):
    """The window features that rows come with; names: those a task reads, all when empty."""

    names: tuple[str, ...] = ()
    kind: ClassVar[str] = "windows"

    def selectable(self, windows: Collection[str]) -> tuple[str, ...]:
        """Return the window features that there are."""
        return tuple(windows)

    def default(self, windows: Collection[str]) -> tuple[str, ...]:
        """Return those of its names that there are."""
        return tuple(name for name in windows if not self.names or name in self.names)

    def fit(self, rows: pa.RecordBatch, context: FitContext) -> FittedWindows | None:  # noqa: ARG002
        """Take the wanted ones of the window features."""
        names = context.reader.windows
        wanted = set(context.wanted(names))
        used = tuple(i for i, name in enumerate(names) if name in wanted)
        return FittedWindows(names, used) if used else None

    def load(
        self,
        description: Mapping[str, Any],
        arrays: Mapping[str, NDArray[Any]],  # noqa: ARG002 - all is in the description
    ) -> FittedWindows:
        """Return the fitted part."""
        return FittedWindows(tuple(description["windows"]), tuple(description["used"]))


@dataclass(frozen=True)
class FittedWindows:
    """Selected window features.

    windows: the names of all, in the order of the rows' column of them; used: the places of those read.
    """

    windows: tuple[str, ...]
    used: tuple[int, ...]
    layout: ClassVar[Layout] = "dense"

    @property
    def names(self) -> tuple[str, ...]:
        """The features by name."""
        return tuple(self.windows[i] for i in self.used)

    @property
    def reads(self) -> tuple[str, ...]:
        """The window features."""
        return self.names

    @property
    def count(self) -> int:
        """How many features there are."""
        return len(self.used)

    def write(self, values: Values, X: NDArray[np.float64]) -> None:
        """Write the window features of rows (rows, count)."""
        every = values.window_features
        X[:] = every if len(self.used) == every.shape[1] else every[:, self.used]

    def csr(self, rows: pa.RecordBatch, threads: int = 1) -> Any:
        """A dense part has none."""
        raise NotImplementedError

    def support(self, rows: pa.RecordBatch, threads: int = 1) -> NDArray[np.float64] | None:  # noqa: ARG002 - as all parts
        """Nothing is known of how much it knows."""
        return None

    def joined(self, model: Model) -> RowScorer | None:  # noqa: ARG002 - as all parts
        """There is no kernel that joins window features and a model."""
        return None

    def describe(self) -> dict[str, Any]:
        """Return which window features these are."""
        return {
            "windows": list(self.windows),
            "used": list(self.used),
            "words": f"{self.count} window features",
        }

    def arrays(self) -> dict[str, NDArray[Any]]:
        """All of it is in the description."""
        return {}
