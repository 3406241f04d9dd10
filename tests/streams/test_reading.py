"""The thread that takes: what it gives up on is not passed over by what it hands on later."""

from __future__ import annotations

import time
from collections.abc import Sequence
from queue import Empty, Queue

import numpy as np
import pyarrow as pa

from tallystick import registry
from tallystick.config import Settings
from tallystick.connectors import Chunk
from tallystick.streams.reading import CheckedBatches, SourceReader
from tallystick.streams.source import Position, SourceBase, SourceBatch

CONTRACT = registry.solution("fraud").contract
SCHEMA = pa.schema([(c.name, c.arrow) for c in CONTRACT.columns if c.name != "sequence"])
ROWS = 20


class Partitions(SourceBase):
    """A source that gives many parts at once, each with the position after it: many rows in all."""

    name = "parts"
    ended = False

    def __init__(self) -> None:
        self.at = 0

    def seek(self, position: Position | None) -> None:
        self.at = 0 if position is None else position["at"]

    def take(self, most: int, wait: float) -> Sequence[SourceBatch]:
        taken = []
        for _ in range(40):
            self.at += 1
            rows = {"transaction_id": [f"T{self.at}.{i}" for i in range(ROWS)]}
            rows |= {"event_time": ["2025-01-01"] * ROWS, "amount": ["1.00"] * ROWS}
            chunk = Chunk(pa.RecordBatch.from_pydict(rows), "parts", np.arange(ROWS))
            taken.append(SourceBatch(chunk, np.full(ROWS, time.time_ns() // 1000), {"at": self.at}))
        return taken

    def lag(self) -> int:
        return 1

    def committed(self, position: Position) -> None:
        pass

    def close(self) -> None:
        pass


def test_a_stop_while_the_loop_is_behind_leaves_no_gap() -> None:
    out: Queue[CheckedBatches | SourceReader] = Queue(1)
    reader = SourceReader(Partitions(), CONTRACT, SCHEMA, Settings(), out)
    reader.start()
    while not out.full():
        time.sleep(0.01)
    time.sleep(0.3)  # the second part waits
    reader.stop()
    time.sleep(0.25)  # it is given up
    found = []
    end = time.monotonic() + 10
    while time.monotonic() < end:
        try:
            thing = out.get(timeout=0.5)
        except Empty:
            continue
        if isinstance(thing, SourceReader):
            break
        found += [(read.rows.column("transaction_id")[0].as_py(), read.position["at"]) for read in thing]
    reader.join(5)
    assert reader.error is None
    # Whoever goes on from the last position must find all that was not handed on.
    assert found == [(f"T{i}.0", i) for i in range(1, len(found) + 1)]
    assert found
