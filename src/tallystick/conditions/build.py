"""Conditions from a file's form: columns with the values, ranges, flags or words that they must have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from tallystick.conditions.condition import Condition
from tallystick.contracts.ranges import Range

__all__ = ["ConditionBuilder"]


class ConditionBuilder:
    """Gathers what must hold of a row, and builds one condition of it.

    >>> builder = ConditionBuilder()
    >>> builder.add_texts("place", ["Oslo", None])
    >>> builder.add_range("score", Range.read("at least 90%"))
    >>> builder.build().text
    'is_any(`place`, l0) and `score` >= 0.9'
    """

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._kinds: dict[str, str] = {}
        self._lists: dict[str, Sequence[str | None]] = {}

    def add_texts(self, column: str, values: Sequence[str | None], several: bool = False) -> None:
        """Ask for one of some texts, None for a missing one; several: of values separated by commas."""
        self._function("has_any" if several else "is_any", column, values)

    def add_words(
        self, function: Literal["words", "all_words", "no_words"], column: str, phrases: Sequence[str]
    ) -> None:
        """Ask for words of a text."""
        if phrases:
            self._function(function, column, phrases)

    def add_range(self, column: str, span: Range) -> None:
        """Ask for a number in a range; the range `none` asks for a missing one."""
        self._kinds[column] = "number"
        if span.high < 0:
            self._parts.append(f"missing(`{column}`)")
            return
        self._parts.append(f"`{column}` >= {float(span.low)!r}")
        if span.high != np.inf:
            self._parts.append(f"`{column}` <= {float(span.high)!r}")

    def add_flag(self, column: str, flag: bool) -> None:
        """Ask for a flag; one that is not known is false."""
        self._kinds[column] = "flag"
        self._parts.append(f"`{column}`" if flag else f"not `{column}`")

    def build(self) -> Condition | None:
        """Return the condition, None where nothing is asked for."""
        if not self._parts:
            return None
        return Condition.parse(" and ".join(self._parts), self._kinds, self._lists)

    def _function(self, function: str, column: str, values: Sequence[str | None]) -> None:
        self._kinds[column] = "text"
        name = f"l{len(self._lists)}"
        self._lists[name] = values
        self._parts.append(f"{function}(`{column}`, {name})")
