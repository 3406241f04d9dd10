"""Terms: the parts of a condition that many conditions can be asked of together, one column at a time.

A term is an operand of the outermost `and` that looks at one column:

- a comparison of a column with a number, `missing(x)`, a flag, `not` a flag;
- `is_any(x, LIST)`: the text is one of the list, capitals aside; `none` in the list stands for a missing one;
- `has_any(x, LIST)`: the same of any of the values that the text separates by commas;
- `words(x, LIST)`, `all_words(x, LIST)`, `no_words(x, LIST)`: the text holds at least one, each, or none of
  the words and phrases.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tallystick.conditions.keyword_automaton import Clause, Words

__all__ = ["FUNCTIONS", "Term", "fold", "folded_parts"]

Texts = Collection[str | None]
Flags = NDArray[np.bool_]

_ALWAYS: Final = Clause()


@dataclass(frozen=True, slots=True)
class Term:
    """One term. low, high: bounds of a number, both included; values: folded texts, None for missing."""

    kind: Literal["is", "has", "number", "missing", "flag", "words"]
    column: str
    values: frozenset[str | None] = frozenset()
    low: float = -np.inf
    high: float = np.inf
    flag: bool = True
    clause: Clause = field(default=_ALWAYS)


def fold(text: str | None) -> str | None:
    """Return a text as lists are compared: without outer blanks, capitals aside; a blank one is missing.

    >>> fold(" Legal "), fold("")
    ('legal', None)
    """
    return None if text is None else text.strip().casefold() or None


def folded_parts(text: str | None) -> list[str | None]:
    """Return the values that a text separates by commas, folded."""
    return [None] if text is None else [fold(part) for part in text.split(",")]


def _is_any(column: str, texts: Texts) -> tuple[Term, Callable[[NDArray[Any]], Flags]]:
    values = frozenset(map(fold, texts))
    return Term("is", column, values), lambda found: np.array(
        [fold(x) in values for x in found.tolist()], np.bool_
    )


def _has_any(column: str, texts: Texts) -> tuple[Term, Callable[[NDArray[Any]], Flags]]:
    values = frozenset(map(fold, texts))
    return Term("has", column, values), lambda found: np.array(
        [not values.isdisjoint(folded_parts(x)) for x in found.tolist()], np.bool_
    )


def _worded(
    name: Literal["any_of", "all_of", "none_of"],
) -> Callable[[str, Texts], tuple[Term, Callable[[NDArray[Any]], Flags]]]:
    def build(column: str, texts: Texts) -> tuple[Term, Callable[[NDArray[Any]], Flags]]:
        clause = Clause(**{name: tuple(text for text in texts if text is not None)})
        words = Words([clause])

        def holds(found: NDArray[Any]) -> Flags:
            texts = pa.array(found.tolist(), pa.string())
            flags: Flags = words.first(texts, np.ones((len(texts), 1), np.uint8)) == 0
            return flags

        return Term("words", column, clause=clause), holds

    return build


#: Functions of a text column and a list: what they make a term of, and how that is evaluated by itself.
FUNCTIONS: Final = {
    "is_any": _is_any,
    "has_any": _has_any,
    "words": _worded("any_of"),
    "all_words": _worded("all_of"),
    "no_words": _worded("none_of"),
}
