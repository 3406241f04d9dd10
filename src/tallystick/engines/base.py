"""The few verbs that an engine has. A solution never sees one; jobs work through them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol, TypeVar

import narwhals as nw
import pyarrow as pa

from tallystick.connectors import Chunk, Split

__all__ = ["Engine", "Work"]

T = TypeVar("T")
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)


class Work(Protocol[R_co]):
    """What is done to a chunk: a value that pickles, so that another process can do it."""

    def __call__(self, chunk: Chunk, /) -> R_co:
        """Do it to one chunk."""


class Engine(Protocol):
    """Runs array work over batches and relational work over tables."""

    name: str
    cannot: frozenset[str]  # verbs that it cannot do, said before any work starts

    def load(self) -> None:
        """Import what it works with now, rather than with the first table."""

    def run(self, work: Work[R], splits: Iterable[Split], threads: int, *, ahead: bool = True) -> Iterator[R]:
        """Read each split and do the work on each of its chunks, results in the order of the input.

        ahead: whether splits are read while earlier ones are worked on.
        """

    def map(self, work: Callable[[T], R], items: Iterable[T], threads: int) -> Iterator[R]:
        """Do array work on each batch, as many at a time as there are threads, results in order."""

    def table(self, table: pa.Table) -> nw.LazyFrame[Any]:
        """Make a table that relational work can be written against."""

    def collect(self, frame: nw.LazyFrame[Any]) -> pa.Table:
        """Run relational work and bring its result here."""
