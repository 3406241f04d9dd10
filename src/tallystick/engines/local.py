"""The local engine: Polars for tables, threads for batches, one machine."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

import narwhals as nw
import pyarrow as pa

from tallystick.engines.base import Engine

__all__ = ["ENGINE", "LocalEngine"]

T = TypeVar("T")
R = TypeVar("R")


class LocalEngine:
    """Everything on this machine, in bounded memory: never more batches in flight than threads, and one."""

    name = "local"
    cannot: frozenset[str] = frozenset()

    def load(self) -> None:
        """Import Polars."""
        import polars  # noqa: F401

    def map(self, work: Callable[[T], R], items: Iterable[T], threads: int) -> Iterator[R]:
        """Do array work on each batch; the kernels let go of the interpreter, so threads are enough."""
        if threads <= 1:
            yield from map(work, items)
            return
        flying: deque[Future[R]] = deque()
        with ThreadPoolExecutor(threads, thread_name_prefix="tallystick") as pool:
            try:
                for item in items:
                    flying.append(pool.submit(work, item))
                    if len(flying) > threads:
                        yield flying.popleft().result()
                while flying:
                    yield flying.popleft().result()
            finally:
                for future in flying:
                    future.cancel()

    def table(self, table: pa.Table) -> nw.LazyFrame[Any]:
        """Wrap a table as a lazy Polars frame."""
        import polars as pl  # a tenth of a second of a start; a stream makes no tables

        frame = pl.from_arrow(table)
        assert isinstance(frame, pl.DataFrame)
        return nw.from_native(frame.lazy())

    def collect(self, frame: nw.LazyFrame[Any]) -> pa.Table:
        """Run a lazy frame in bounded memory where Polars can."""
        import polars as pl

        native = nw.to_native(frame)
        assert isinstance(native, pl.LazyFrame)
        return native.collect(engine="streaming").to_arrow()


ENGINE: Engine = LocalEngine()
