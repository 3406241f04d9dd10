"""The few verbs that an engine has. A solution never sees one; jobs work through them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol, TypeVar

import narwhals as nw
import pyarrow as pa

__all__ = ["Engine"]

T = TypeVar("T")
R = TypeVar("R")


class Engine(Protocol):
    """Runs array work over batches and relational work over tables."""

    name: str
    cannot: frozenset[str]  # verbs that it cannot do, said before any work starts

    def load(self) -> None:
        """Import what it works with now, rather than with the first table."""

    def map(self, work: Callable[[T], R], items: Iterable[T], threads: int) -> Iterator[R]:
        """Do array work on each batch, as many at a time as there are threads, results in order."""

    def table(self, table: pa.Table) -> nw.LazyFrame[Any]:
        """Make a table that relational work can be written against."""

    def collect(self, frame: nw.LazyFrame[Any]) -> pa.Table:
        """Run relational work and bring its result here."""
