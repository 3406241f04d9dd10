"""The reader: what comes a few at a time is taken together while the rest of the stream is at work."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from queue import Queue

import numpy as np
import pyarrow as pa
import pytest

from tallystick import registry
from tallystick.config import Settings
from tallystick.connectors import Chunk
from tallystick.streams.reading import FEW, WAIT, CheckedBatches, SourceReader
from tallystick.streams.source import Position, SourceBase, SourceBatch


class Endless(SourceBase):
    """A source that always has records."""

    name = "endless"
    ended = False

    def __init__(self, rows: int) -> None:
        self._rows, self._next = rows, 1

    def seek(self, position: Position | None) -> None:
        assert position is None

    def take(self, most: int, wait: float) -> Sequence[SourceBatch]:
        numbers = np.arange(self._next, self._next + self._rows)
        self._next += self._rows
        rows = pa.record_batch(
            {
                "transaction_id": [f"T{number}" for number in numbers],
                "event_time": ["2025-01-01T00:00:00Z"] * self._rows,
                "customer_id": ["C1"] * self._rows,
                "amount": ["1.50"] * self._rows,
            }
        )
        arrived = np.full(self._rows, time.time_ns() // 1000)
        return [SourceBatch(Chunk(rows, self.name, numbers), arrived, {"at": int(numbers[-1])})]

    def lag(self) -> int | None:
        return 1

    def committed(self, position: Position) -> None:
        pass

    def close(self) -> None:
        pass


@pytest.fixture
def out() -> Queue[CheckedBatches | SourceReader]:
    return Queue(8)


def reading(rows: int, out: Queue[CheckedBatches | SourceReader]) -> Iterator[SourceReader]:
    contract = registry.solution("fraud").contract
    schema = pa.schema([(c.name, c.arrow) for c in contract.columns if c.name != "sequence"])
    reader = SourceReader(Endless(rows), contract, schema, Settings(), out)
    reader.start()
    try:
        yield reader
    finally:
        reader.stop()
        while not isinstance(out.get(), SourceReader):
            pass
        reader.join()
        assert reader.error is None


def test_few_records_wait_until_more_are_wanted(out: Queue[CheckedBatches | SourceReader]) -> None:
    for reader in reading(1, out):
        first = out.get(timeout=60)
        began = time.monotonic()
        assert isinstance(first, list)
        time.sleep(WAIT / 2)
        held = out.qsize()
        assert held <= 1 + (time.monotonic() - began) / WAIT  # by itself it goes on now and then
        for _ in range(3):
            reader.wanted.set()
            assert isinstance(out.get(timeout=60), list)


def test_many_records_are_read_ahead(out: Queue[CheckedBatches | SourceReader]) -> None:
    for _ in reading(FEW, out):
        end = time.monotonic() + 60
        while not out.full() and time.monotonic() < end:
            time.sleep(0.01)
        assert out.full()
