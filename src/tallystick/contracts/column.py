"""Column of a contract: name, type, allowed values and when it is known."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, get_args

import pyarrow as pa

__all__ = ["ARROW", "Column", "Kind", "fold"]

Kind = Literal["text", "category", "integer", "number", "money", "time", "flag"]

#: What a clean column is in Arrow, whatever it was before.
ARROW: dict[str, pa.DataType] = {
    "text": pa.string(),
    "category": pa.string(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "money": pa.int64(),  # minor units of the row's currency
    "time": pa.timestamp("us", tz="UTC"),
    "flag": pa.bool_(),
}


def fold(name: str) -> str:
    """Reduce a column's name to what is compared: letters and digits, in lower case.

    >>> fold("Consumer disputed?"), fold(" consumer_disputed")
    ('consumerdisputed', 'consumerdisputed')
    """
    return re.sub(r"[\W_]+", "", name).casefold()


@dataclass(frozen=True, slots=True)
class Column:
    """What one column must look like.

    `allowed` values and `nulls` (spellings that mean "missing") are compared without regard to case; an
    allowed value comes out as it is spelt here. `minimum` and `maximum` are inclusive, in `unit`.
    `pattern` is a regular expression for the whole value. `max_bytes` counts UTF-8. `after_event` marks
    what is known only once the event is over: a task that predicts the event refuses it as a feature.
    `may_be_blank` marks a label that honest records leave empty. `currency` names the column that holds
    the currency of an amount of money. `known_at` names the column that says when a label became known,
    where labels of a table differ in that. `ranked`: where a table has several of the column's names, the
    first in the order of name and aliases is taken, with a note, and not refused. `several`: a value may
    be a list, separated by commas. `known_values` are those that one expects; another is no fault, but
    where a rule names one, that is said. Raises ValueError when the declaration contradicts itself.

    >>> Column("amount", "number", "What was paid", unit="USD", minimum=0).aliases
    ()
    """

    name: str
    type: Kind
    doc: str
    unit: str = ""
    aliases: tuple[str, ...] = ()
    allowed: tuple[str, ...] | None = None
    minimum: float | None = None
    maximum: float | None = None
    pattern: str | None = None
    after_event: bool = False
    may_be_blank: bool = False
    max_bytes: int = 65_536  # a cell of a table, generously; what holds prose says so
    nulls: tuple[str, ...] = ()
    currency: str = ""
    ranked: bool = False
    known_at: str = ""
    several: bool = False
    known_values: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not fold(self.name):
            raise ValueError(f'a column needs a name with letters, not "{self.name}"')
        if self.type not in get_args(Kind):
            raise ValueError(f'{self.name}: there is no type "{self.type}", only {", ".join(get_args(Kind))}')
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise ValueError(f"{self.name}: minimum {self.minimum} is above maximum {self.maximum}")
        if (self.minimum, self.maximum) != (None, None) and self.type not in ("integer", "number"):
            raise ValueError(f"{self.name}: only an integer or a number has a range")
        if (self.allowed is not None or self.pattern is not None) and self.type not in ("text", "category"):
            raise ValueError(f"{self.name}: only a text or a category has allowed values or a pattern")
        if self.currency and self.type != "money":
            raise ValueError(f"{self.name}: only an amount of money has a currency")
        if self.pattern is not None:
            re.compile(self.pattern)

    @property
    def arrow(self) -> pa.DataType:
        """Return the Arrow type of the clean column."""
        return ARROW[self.type]

    def listed(self) -> bool:
        """Say whether each distinct value must be looked at by itself."""
        return bool(self.allowed is not None or self.pattern is not None or self.nulls)
