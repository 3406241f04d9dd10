"""The thread that delivers what was committed to a sink, each entry of the log once, in their order."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from queue import Empty
from typing import Final

import pyarrow as pa

from tallystick.errors import TallystickError
from tallystick.store import Store
from tallystick.streams.sink import Mark, StreamSink
from tallystick.streams.worker import Worker

__all__ = ["SHADOW", "Deliverer", "without_shadow"]

#: What the task of a shadow model's decision ends with: such a decision is stored, never delivered.
SHADOW: Final = "@shadow"
ROWS = 50_000  # decisions that are delivered together, at most about
FEW = 512  # decisions of a delivery after which the next one waits, so that it takes more at a time
GATHER = 0.01  # seconds from the start of such a delivery to that of the next: each costs as much as 500 rows
QUEUE = 64  # entries that wait to be delivered
GRACE = 1.0  # seconds in which a delivery ends that waits for nobody


class Deliverer(Worker[tuple[int, pa.RecordBatch]]):
    """Delivers to one sink; what it lags behind after a restart comes from the store.

    standing: the entry up to which all is delivered, and the mark that the sink asked for; allowed:
    raises where the stream is no longer ours.
    """

    def __init__(
        self, sink: StreamSink, schema: pa.Schema, stream: str, allowed: Callable[[], None] = lambda: None
    ) -> None:
        super().__init__("deliver", QUEUE)
        self.sink = sink
        # One value, since another thread keeps it: a mark of a later entry would double what lies between.
        self.standing: tuple[int, Mark | None] = (0, None)
        self._schema, self._stream, self._allowed = schema, stream, allowed
        self._delivering = threading.Lock()
        self._abandoned = False

    @property
    def name_of_sink(self) -> str:
        """The name of its marks in the store."""
        return self.sink.name

    @property
    def number(self) -> int:
        """The entry up to which all is delivered."""
        return self.standing[0]

    def catch_up(self, store: Store, number: int, mark: Mark | None, head: int) -> None:
        """Resume where the sink stands, and deliver what the log holds after that."""
        self.resume(number, mark, head)
        waiting, batches = 0, []
        entry = self.number
        for entry, batch in store.decisions(self._stream, self.number, self._schema):
            mine = without_shadow(batch)
            batches.append(mine)
            waiting += len(mine)
            if waiting >= ROWS:
                self.deliver(entry, batches)
                waiting, batches = 0, []
        if self.number < max(entry, head):
            self.deliver(max(entry, head), batches)

    def resume(self, number: int, mark: Mark | None, head: int) -> None:
        """Begin where the sink stands; TallystickError where that is beyond `head`, the end of the log."""
        at = self.sink.resume(number, mark)
        if at > head:
            raise TallystickError(
                f"{self.sink.name} holds what the stream {self._stream} decided up to entry {at}, but the "
                f"log of this state ends at entry {head}: it was filled from another state.",
                "Go on with the state that it was filled from (--state), or name another place for the sink.",
            )
        self.standing = at, mark

    def put(self, number: int, decisions: pa.RecordBatch) -> None:
        """Queue an entry; waits while the sink is far behind."""
        self.hand((number, decisions))

    def run(self) -> None:
        """Deliver, as much at a time as has come."""
        try:
            while True:
                first = self.queue.get()
                if first is None:
                    return
                number, batches = first[0], [first[1]]
                rows, last = len(first[1]), False
                while rows < ROWS:
                    try:
                        more = self.queue.get_nowait()
                    except Empty:
                        break
                    if more is None:
                        last = True
                        break
                    number = more[0]
                    batches.append(more[1])
                    rows += len(more[1])
                began = time.monotonic()
                self.deliver(number, batches)
                if last:
                    return
                if rows < FEW:
                    time.sleep(max(0.0, began + GATHER - time.monotonic()))
        except BaseException as error:  # handed to the thread that commits
            self.error = error

    def deliver(self, number: int, batches: Sequence[pa.RecordBatch]) -> None:
        """Deliver what was decided up to an entry, for good; nothing where that was given up."""
        with self._delivering:
            if self._abandoned:
                return
            try:
                # Who slept for longer than the lease wakes up right here, and a file knows no fence.
                self._allowed()
                self.standing = number, self.sink.deliver(number, [batch for batch in batches if len(batch)])
            except BaseException:
                if not self._abandoned:
                    raise

    def abandon(self) -> None:
        """Begin no delivery any more; what was not delivered comes again at the next start.

        A sink is closed under a delivery only where that waits for its receiver: a file that another thread
        is writing to must stay open.
        """
        self._abandoned = True
        if self._delivering.acquire(timeout=GRACE):
            self._delivering.release()
        else:
            self.sink.close()


def without_shadow(decisions: pa.RecordBatch) -> pa.RecordBatch:
    """Leave out the decisions of a shadow model."""
    tasks = decisions.column("task")
    if not len(tasks) or not any(str(one).endswith(SHADOW) for one in tasks.unique().to_pylist()):
        return decisions
    return decisions.filter(pa.array([not str(one).endswith(SHADOW) for one in tasks.to_pylist()]))
