"""A table beside the main one: labels that arrive by themselves, or rows joined to those of the main one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from tallystick.contracts import Column, Contract

__all__ = ["Aggregate", "Table"]

FUNCTIONS = ("count", "distinct", "first", "last", "max", "mean", "min", "sum")
#: Functions whose result is a whole number whatever the column is.
_COUNTS = ("count", "distinct")
_SUMS = ("sum", "mean")


@dataclass(frozen=True, slots=True)
class Aggregate:
    """What is computed of the rows of a joined table that belong to one row of the main table.

    function: `count` (of rows, or of known values where a column is named), `distinct`, `sum`, `mean`, `min`,
    `max`, `first`, `last` (by the table's event time, then its key, then place); column: of the table.

    >>> Aggregate("mean", "amount").name
    'mean_amount'
    """

    function: str
    column: str = ""

    @property
    def name(self) -> str:
        """The end of the name of its column."""
        return f"{self.function}_{self.column}" if self.column else self.function


@dataclass(frozen=True)
class Table:
    """A table beside the main one.

    name: as on the command line; role: `labels`, whose rows say what became of rows of the main table and
    when that became known, or `joined`, whose rows are aggregated for each row of the main table; on: the
    column that both tables have, the main table's key for labels; aggregates: of a joined table, each a
    column of the main table (`columns`). Raises ValueError when the declaration contradicts itself.

    >>> orders = Contract("orders", 1, (Column("customer", "text", "Who"), Column("paid", "money", "What")))
    >>> table = Table("orders", orders, "joined", "customer", (Aggregate("count"), Aggregate("sum", "paid")))
    >>> table.names
    ('orders__count', 'orders__sum_paid')
    """

    name: str
    contract: Contract
    role: Literal["labels", "joined"] = "labels"
    on: str = ""
    aggregates: tuple[Aggregate, ...] = ()

    def __post_init__(self) -> None:
        if self.role == "labels":
            return
        columns = {column.name: column for column in self.contract.columns}
        if self.on not in columns:
            raise ValueError(f'{self.name}: there is no column "{self.on}" to join on')
        for one in self.aggregates:
            if one.function not in FUNCTIONS:
                raise ValueError(
                    f'{self.name}: there is no aggregate "{one.function}", only {", ".join(FUNCTIONS)}'
                )
            if one.column not in columns and (one.column or one.function != "count"):
                raise ValueError(f'{self.name}: {one.name} needs a column of the table, not "{one.column}"')
            if one.function in _SUMS and columns[one.column].type not in ("integer", "number", "money"):
                raise ValueError(f"{self.name}: {one.name} needs a column of numbers")
        if not self.aggregates or len(set(self.names)) < len(self.names):
            raise ValueError(f"{self.name}: a joined table needs aggregates, each once")

    @property
    def names(self) -> tuple[str, ...]:
        """The columns that the main table gains by name."""
        return tuple(f"{self.name}__{one.name}" for one in self.aggregates)

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """The columns that the main table gains; amounts of money are numbers in major units."""
        return tuple(self._column(name, one) for name, one in zip(self.names, self.aggregates, strict=True))

    def _column(self, name: str, aggregate: Aggregate) -> Column:
        if aggregate.function in _COUNTS:
            return Column(name, "integer", f"{aggregate.name} of the rows of {self.name}")
        of = self.contract.column(aggregate.column)
        number = aggregate.function in _SUMS or of.type == "money"
        return Column(name, "number" if number else of.type, f"{aggregate.name} of the rows of {self.name}")
