"""The local engine: Polars for tables, threads for batches, one machine."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from functools import partial
from typing import Any, TypeVar

import narwhals as nw
import pyarrow as pa

from tallystick.connectors import Chunk, Split
from tallystick.engines.base import Engine, Work

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

    def run(self, work: Work[R], splits: Iterable[Split], threads: int, *, ahead: bool = True) -> Iterator[R]:
        """Read small splits in the threads that work on them, and large ones chunk by chunk before."""
        if threads <= 1:
            for split in splits:
                yield from map(work, split.chunks())
            return
        parts = _ahead(_parts(splits)) if ahead else _parts(splits)
        with closing(parts):
            for results in self.map(lambda chunks: [*map(work, chunks())], parts, threads):
                yield from results

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


def _parts(splits: Iterable[Split]) -> Generator[Callable[[], Iterable[Chunk]], None, None]:
    """Give what one thread works on at a time: a small split that it reads itself, or one chunk."""
    for split in splits:
        if split.small:
            yield split.chunks
        else:
            for chunk in split.chunks():
                yield partial(list, (chunk,))


def _ahead(items: Generator[T, None, None]) -> Generator[T, None, None]:
    """Read one item while the one before is worked on."""
    with ThreadPoolExecutor(1, "tallystick-read") as reader:
        following = reader.submit(next, items, None)
        try:
            while (item := following.result()) is not None:
                following = reader.submit(next, items, None)
                yield item
        finally:
            following.cancel()
            reader.submit(items.close).result()


ENGINE: Engine = LocalEngine()
