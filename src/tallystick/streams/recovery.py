"""Recovery of a stream from a snapshot and the log after it; checks what must not have changed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from queue import Full, Queue
from typing import Any, TypeVar

import pyarrow as pa
from numpy.typing import NDArray

from tallystick.errors import DataError, TallystickError
from tallystick.scorer import Scorer
from tallystick.store import Head, Store
from tallystick.streams.state import StreamState

__all__ = ["check_facts", "facts_of", "recover"]

T = TypeVar("T")
Logged = tuple[int, pa.RecordBatch]
ROWS = 131_072  # that are applied together, at most about, where no caller needs each entry by itself
NEW = "Begin a new state: --state URI. The old one may warm it up: --history OLD_STATE_URI."


def facts_of(scorer: Scorer, lateness: int) -> dict[str, Any]:
    """Return what the state of a stream means; another meaning is another state."""
    contract, windows = scorer.contract, scorer.windows
    state = scorer.new_state()
    return {
        "solution": scorer.solution,
        "contract": contract.version,
        "windows": windows.fingerprint if windows else None,
        "entities": list(windows.entities) if windows else [],
        "zone": state.zone if state else None,
        "currency": state.currency if state else None,
        "lateness": lateness,
    }


def check_facts(head: Head, facts: Mapping[str, Any], shown: str) -> None:
    """Raise TallystickError where a state was made with other settings than are asked for now."""
    kept = head.facts
    if not kept:
        return
    words = {
        "solution": "is of the solution {was}, not {now}",
        "contract": "holds rows of version {was} of the contract; this is version {now}",
        "zone": "was made with zone={was}; now it is {now}",
        "currency": "was made with currency={was}; now it is {now}",
        "lateness": "was made with an allowed lateness of {was} µs; now it is {now}",
        "windows": "holds other windows ({was}) than the model looks at ({now})",
    }
    for name, sentence in words.items():
        was, now = kept.get(name), facts[name]
        if was != now:
            said = sentence.format(was=_short(was), now=_short(now))
            raise TallystickError(f"The state {shown} {said}.", NEW)


def _short(value: Any) -> Any:
    return value[:8] if isinstance(value, str) and len(value) > 32 else value


def recover(
    store: Store,
    stream: str,
    state: StreamState,
    *,
    replayed: Callable[[int, pa.RecordBatch], None] | None = None,
    filled: Callable[[Mapping[str, NDArray[Any]]], None] | None = None,
) -> tuple[int, int]:
    """Recover a state to the end of the log; return the snapshot's entry (0: none) and the last one.

    replayed: called with each entry, and its records, as they are applied again; filled: called with what a
    snapshot holds besides the state.
    """
    with ThreadPoolExecutor(1) as beside:
        found = beside.submit(store.snapshot, stream)
        # Before its first kernel Numba makes itself ready, which takes as long as a snapshot is read.
        state.check_keys(pa.RecordBatch.from_pylist([], state.schema), 0)
        snapshot = found.result()
        del found  # it holds what is as big as the state itself
    number = begun = 0 if snapshot is None else snapshot[0]
    whole = replayed is not None
    # Read while the snapshot is taken in, and while what came before is applied.
    parts = (
        (entries[-1][0], state.read(*entries, whole=whole))
        for entries in _together(store, stream, number, 1 if whole else ROWS)
    )
    with _ahead(parts) as log:
        if snapshot is not None:
            _fill(state, *snapshot, filled)
        snapshot = None
        for number, kept in log:
            state.reapply(kept)
            if replayed is not None and kept.records is not None:
                replayed(number, kept.records)
    head = store.head(stream)
    if head is not None and number < head.number:
        raise DataError(f"The log ends at entry {number}, but {head.number} were committed.", NEW)
    return begun, number


def _fill(
    state: StreamState,
    number: int,
    arrays: Mapping[str, NDArray[Any]],
    filled: Callable[[Mapping[str, NDArray[Any]]], None] | None,
) -> None:
    """Restore a state, and what else a snapshot holds."""
    own = {k: v for k, v in arrays.items() if not k.startswith("aggregates/")}
    state.fill(own, number)
    if filled is not None:
        more = {k.partition("/")[2]: v for k, v in arrays.items() if k.startswith("aggregates/")}
        if more:
            filled(more)


def _together(store: Store, stream: str, number: int, rows: int) -> Iterator[list[Logged]]:
    """Read the log after an entry, so many entries at once that they hold about so many rows."""
    entries: list[Logged] = []
    count = 0
    for entry in store.entries(stream, number, whole=True):
        entries.append((entry.number, entry.events))
        count += len(entry.events)
        if count >= rows:
            yield entries
            entries, count = [], 0
    if entries:
        yield entries


@contextmanager
def _ahead(parts: Iterator[T]) -> Iterator[Iterator[T]]:
    """Yield what an iterator gives, which works ahead by two in a thread of its own, from now on."""
    queue: Queue[tuple[T | None, BaseException | None]] = Queue(2)
    stopping = threading.Event()

    def put(part: T | None, error: BaseException | None = None) -> None:
        while not stopping.is_set():
            try:
                queue.put((part, error), timeout=0.1)
                return
            except Full:
                continue

    def work() -> None:
        try:
            for part in parts:
                put(part)
                if stopping.is_set():
                    return
            put(None)
        except BaseException as error:  # handed to who waits for it
            put(None, error)

    def given() -> Iterator[T]:
        while True:
            part, error = queue.get()
            if error is not None:
                raise error
            if part is None:
                return
            yield part

    thread = threading.Thread(target=work, name="tallystick-log", daemon=True)
    thread.start()
    try:
        yield given()
    finally:
        stopping.set()
        thread.join()
