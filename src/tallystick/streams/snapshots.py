"""The thread that saves snapshots: the packed state, in small writes while the stream goes on.

It has time, and so gives memory back as well.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from queue import Empty, Queue

from tallystick.store import Arrays, Claim, Packed, pack
from tallystick.streams.memory import trim_memory

__all__ = ["Snapshots"]

#: A snapshot is made at most this share of the time.
SHARE = 0.05
#: Events after which memory that is free is given back: more of it lies about the more there were.
TRIM_EVENTS = 200_000
#: Seconds after which it is in any case, and between two looks.
TRIM_EVERY, WAIT = 60.0, 1.0


class Snapshots(threading.Thread):
    """Saves a snapshot every so many events, but limits the share of time that this takes.

    every: events between two; ready: says up to which entry a snapshot may be kept (all of it is committed,
    and delivered where rows cannot be made again); add_note: takes errors; threads: pack a state.
    """

    def __init__(
        self,
        claim: Claim,
        *,
        every: int,
        ready: Callable[[], int],
        add_note: Callable[[str], None],
        threads: int = 1,
    ) -> None:
        super().__init__(name="tallystick-snapshot", daemon=True)
        self.number = 0
        self._claim, self._every, self._ready, self._add_note = claim, every, ready, add_note
        self._threads = threads
        self._queue: Queue[tuple[int, Packed, float] | None] = Queue(1)
        self._events = 0
        self._since = 0  # events since memory was given back
        self._trimmed = time.monotonic()
        self._not_before = 0.0
        self.busy = False  # a state waits, or is being written
        self._stopping = threading.Event()

    def wanted(self, events: int) -> bool:
        """Count events, and say whether it is time."""
        self._events += events
        self._since += events
        return self._events >= self._every and not self.busy and time.monotonic() >= self._not_before

    def put(self, number: int, arrays: Arrays) -> None:
        """Pack the state after an entry, to be written later; only where `wanted` said so."""
        self._events, self.busy = 0, True
        begun = time.monotonic()
        packed = pack(arrays, self._threads)
        self._queue.put((number, packed, time.monotonic() - begun))

    def finish(self) -> None:
        """Drop a snapshot that is not begun, and end."""
        self._stopping.set()
        if self.is_alive():
            self._queue.put(None)
            self.join()

    def run(self) -> None:
        """Save what is queued."""
        while True:
            try:
                given = self._queue.get(timeout=WAIT)
            except Empty:
                self._trim_if_due()
                continue
            if given is None:
                return
            number, packed, took = given
            while self._ready() < number and not self._stopping.wait(0.02):
                pass
            if self._ready() >= number:
                self._keep(number, packed, took)
            del given, packed  # else it would lie here until there is another
            self._trim()
            self.busy = False

    def _trim_if_due(self) -> None:
        if self._since >= TRIM_EVENTS or time.monotonic() - self._trimmed >= TRIM_EVERY:
            self._trim()

    def _trim(self) -> None:
        self._since, self._trimmed = 0, time.monotonic()
        trim_memory()

    def _keep(self, number: int, packed: Packed, took: float) -> None:
        begun = time.monotonic()
        try:
            self._claim.save_snapshot(number, packed)
            self.number = number
        except Exception as error:  # the stream goes on: recovery only takes longer
            self._add_note(f"A snapshot could not be kept: {error}")
        now = time.monotonic()
        self._not_before = now + (took + now - begun) / SHARE
