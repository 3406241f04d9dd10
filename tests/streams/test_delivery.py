"""What is delivered: each entry once, by whoever has the stream, to a sink that is not ahead of its log."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pyarrow as pa
import pytest

from tallystick.errors import TallystickError
from tallystick.scorer.decision import decision_schema
from tallystick.store import Store
from tallystick.streams.delivery import Deliverer
from tallystick.streams.sink import Mark

SCHEMA = decision_schema()


class Kept:
    """A sink in memory, that knows how far it is."""

    name = "kept"

    def __init__(self, number: int = 0) -> None:
        self.number, self.delivered = number, 0
        self.entered, self.go = threading.Event(), threading.Event()
        self.go.set()

    def resume(self, number: int, mark: Mark | None) -> int:
        return self.number

    def deliver(self, number: int, batches: Sequence[pa.RecordBatch]) -> Mark | None:
        self.entered.set()
        self.go.wait(10)
        self.delivered += sum(len(batch) for batch in batches)
        return {"rows": self.delivered}

    def close(self) -> None:
        pass


def decisions(rows: int) -> pa.RecordBatch:
    arrays = [pa.nulls(rows, f.type) if f.name != "task" else pa.repeat("fraud", rows) for f in SCHEMA]
    return pa.RecordBatch.from_arrays(arrays, schema=SCHEMA)


def test_a_sink_that_was_filled_from_another_state_is_refused(tmp_path) -> None:
    with Store.open(f"sqlite:///{tmp_path / 'state.db'}") as store:
        store.claim("fraud")
        with pytest.raises(TallystickError, match="filled from another state"):
            Deliverer(Kept(7), SCHEMA, "fraud").catch_up(store, 0, None, 0)


def test_nothing_is_delivered_once_the_stream_is_somebody_elses() -> None:
    sink = Kept()

    def allowed() -> None:
        raise TallystickError("taken over")

    deliverer = Deliverer(sink, SCHEMA, "fraud", allowed)
    deliverer.start()
    deliverer.put(1, decisions(3))
    deliverer.join(10)
    assert isinstance(deliverer.error, TallystickError)
    assert (sink.delivered, deliverer.standing) == (0, (0, None))


def test_the_number_and_the_mark_go_on_together() -> None:
    sink = Kept()
    deliverer = Deliverer(sink, SCHEMA, "fraud")
    deliverer.start()
    deliverer.put(1, decisions(2))
    sink.entered.wait(10)
    sink.go.clear()
    deliverer.put(2, decisions(3))
    deliverer.put(3, decisions(4))
    sink.go.set()
    seen = set()
    while deliverer.standing[0] < 3:
        seen.add(repr(deliverer.standing))
    deliverer.finish()
    seen.add(repr(deliverer.standing))
    assert seen <= {repr(one) for one in [(0, None), (1, {"rows": 2}), (2, {"rows": 5}), (3, {"rows": 9})]}
    assert deliverer.standing == (3, {"rows": 9})


class Waiting(Kept):
    """A sink that waits for its receiver until it is closed."""

    closed = False

    def deliver(self, number: int, batches: Sequence[pa.RecordBatch]) -> Mark | None:
        super().deliver(number, batches)
        if self.closed:
            raise RuntimeError("closed")
        return {"rows": self.delivered}

    def close(self) -> None:
        self.closed = True
        self.go.set()


def waited_for() -> tuple[Waiting, Deliverer]:
    """A sink that waits in its first delivery."""
    sink = Waiting()
    sink.go.clear()
    deliverer = Deliverer(sink, SCHEMA, "fraud")
    deliverer.start()
    deliverer.put(1, decisions(2))
    sink.entered.wait(10)
    return sink, deliverer


def test_an_abandoned_delivery_ends_before_its_sink_is_closed_and_none_follows() -> None:
    sink, deliverer = waited_for()
    deliverer.put(2, decisions(1))
    threading.Timer(0.2, sink.go.set).start()
    deliverer.abandon()
    for number in range(3, 200):  # more than may wait: who puts is not kept waiting
        deliverer.put(number, decisions(1))
    deliverer.finish()
    assert (sink.closed, sink.delivered, deliverer.standing) == (False, 2, (1, {"rows": 2}))


def test_a_sink_that_waits_for_its_receiver_is_closed_where_it_is_abandoned() -> None:
    sink, deliverer = waited_for()
    deliverer.abandon()
    deliverer.put(2, decisions(2))
    deliverer.finish()
    assert (sink.closed, deliverer.standing, deliverer.error) == (True, (0, None), None)
