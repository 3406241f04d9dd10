"""Rule beside a model: its condition, its action and its reason."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tallystick.conditions import Condition

__all__ = ["Reason", "Rule"]

UNKNOWN = "unknown"
LONGEST_VALUE = 100  # characters of a text in a reason

Values = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Reason:
    """A sentence with places for values: (text, name, form) in order, name None behind the last text."""

    text: str
    parts: tuple[tuple[str, str | None, str], ...]

    @property
    def columns(self) -> frozenset[str]:
        """The names whose values it tells."""
        return frozenset(name for _, name, _ in self.parts if name is not None)

    def say(self, values: Values, row: int) -> str:
        """Put the values of one row into the sentence; what is not known is called unknown."""
        said = []
        for text, name, form in self.parts:
            said.append(text)
            if name is not None:
                column = values.get(name)
                said.append(UNKNOWN if column is None else _written(column[row], form))
        return "".join(said)


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: when it holds, what it does then (one of ACTIONS), and why, in words."""

    name: str
    when: Condition
    action: str
    reason: Reason
    line: int = 0

    def say(self, values: Values, row: int) -> str:
        """Return the reason for one row."""
        return self.reason.say(values, row)


def _written(value: Any, form: str) -> str:
    """Write one value as a person reads it; no value of a row can make this fail."""
    if value is None:
        return UNKNOWN
    if isinstance(value, str):
        return value if len(value) <= LONGEST_VALUE else value[: LONGEST_VALUE - 1] + "…"
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    number = float(value)
    if math.isnan(number):
        return UNKNOWN
    return format(number, form or ".10g")
