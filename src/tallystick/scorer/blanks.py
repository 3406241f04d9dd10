"""Blanks that training never met: a model has not learned what to make of them, so a person decides."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tallystick.calendar import PARTS
from tallystick.contracts import Contract
from tallystick.feature_extraction import FittedFeatures, Values
from tallystick.windows import Windows

__all__ = ["UNMET", "UnmetBlanks", "used_columns"]

#: What figures call rows that are left out for a blank that training never met.
UNMET = "blank where training never was"


@dataclass(frozen=True)
class UnmetBlanks:
    """The dense features that were known in every training row.

    places: int64, their columns of the dense matrix; names: of them; columns: those that each is of.
    """

    places: NDArray[np.int64]
    names: tuple[str, ...]
    columns: tuple[tuple[str, ...], ...]

    @classmethod
    def of(
        cls, features: FittedFeatures, met: NDArray[Any] | None, contract: Contract, windows: Windows | None
    ) -> UnmetBlanks | None:
        """Take what a bundle kept: of each dense feature whether a training row lacked it; None for none."""
        if met is None or len(met) != len(features.dense_names):
            return None
        places = np.flatnonzero(np.asarray(met) == 0)
        names = tuple(features.dense_names[place] for place in places)
        entities = {} if windows is None else windows.entity_of
        columns = tuple(
            entities.get(name) or ((str(contract.event_time),) if name in PARTS else (name,))
            for name in names
        )
        return cls(places, names, columns) if names else None

    def rows(self, X: NDArray[np.float64]) -> NDArray[np.bool_] | None:
        """Say which rows of a dense matrix hold such a blank; None where none does."""
        blank = np.isnan(X[:, self.places])
        if not np.count_nonzero(blank):
            return None
        return np.asarray(blank.any(axis=1))

    def words(self, X: NDArray[np.float64], values: Values, row: int) -> dict[str, str]:
        """Say what a row lacks: reason code → words; the column itself where that is blank."""
        found: dict[str, str] = {}
        for place in np.flatnonzero(np.isnan(X[row, self.places])).tolist():
            blank = [name for name in self.columns[place] if _is_blank(values, name, row)]
            for name in blank or [self.names[place]]:
                found[f"no_{name}"] = (
                    f"{name} is {'blank' if blank else 'unknown'}, which it never was in training"
                )
        return found


def _is_blank(values: Values, name: str, row: int) -> bool:
    column = values.column(name)
    return column is None or not column[row].is_valid


def used_columns(
    features: FittedFeatures, windows: Windows | None, contract: Contract, blank: Mapping[str, float]
) -> dict[str, float]:
    """Return the columns that fitted features read, and the share of training rows without each.

    blank: that share of the columns of the training rows. The currency of amounts is not among them: without
    it the setting holds.
    """
    known: Collection[str] = contract.known_at_event
    read: set[str] = set()
    for _, part in features.parts:
        read |= set(part.reads)
    if read & set(PARTS) and contract.event_time:
        read.add(contract.event_time)
    if windows is not None:
        read |= set(windows.columns_of(read))
    return {name: blank.get(name, 1.0) for name in known if name in read}
