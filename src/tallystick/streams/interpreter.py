"""Interpreter settings of a running stream: short thread switches, a smaller garbage collection."""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

__all__ = ["TURN", "short_thread_turns"]

#: Seconds for which a thread may go on while others wait. Reading, deciding, committing and delivering a few
#: records take a millisecond or two each; with Python's own 5 ms each would wait for all the others in turn.
TURN: Final = 0.001


class _Streams:
    """Number of running streams in this process, and the switch interval before the first."""

    def __init__(self) -> None:
        self.guard = threading.Lock()
        self.running = 0
        self.turn = 0.0


_STREAMS: Final = _Streams()


@contextmanager
def short_thread_turns() -> Iterator[None]:
    """Shorten the thread switch interval while the block runs; exempt existing objects from collection."""
    with _STREAMS.guard:
        if not _STREAMS.running:
            _STREAMS.turn = sys.getswitchinterval()
            sys.setswitchinterval(min(TURN, _STREAMS.turn))
        _STREAMS.running += 1
        gc.freeze()  # modules, the model: a tenth of a second each time that all of it is looked at
    try:
        yield
    finally:
        with _STREAMS.guard:
            _STREAMS.running -= 1
            if not _STREAMS.running:
                sys.setswitchinterval(_STREAMS.turn)
                gc.unfreeze()
