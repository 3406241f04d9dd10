"""A stream as it runs, in the terminal: drawn four times a second on stderr, by a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING

from tallystick.cli.live_frame import frame, line
from tallystick.cli.live_words import printable

if TYPE_CHECKING:
    from rich.live import Live as Drawn

    from tallystick.cli.terminal import Terminal
    from tallystick.streams.stats_snapshot import StreamSnapshot

__all__ = ["Live"]

PERIOD = 0.25  # seconds from picture to picture
LINE_PERIOD = 5.0  # seconds from line to line where there is no terminal
CALM_AFTER, CALM_PERIOD = 300.0, 60.0  # a log that runs for days gets a line a minute


class Live:
    """Shows what `stats` gives while the block runs; nothing with --quiet, plain lines without a terminal.

    stats: gives the state of this moment, from any thread; title: what runs, from where to where. The
    picture is gone when the block ends: what is to stay is said afterwards.
    """

    def __init__(self, terminal: Terminal, stats: Callable[[], StreamSnapshot], title: str) -> None:
        self._console, self._quiet = terminal.err, terminal.quiet
        self._stats, self._title = stats, title
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._drawn: Drawn | None = None

    def __enter__(self) -> Live:
        if self._quiet:
            return self
        if self._console.is_terminal and not self._console.is_dumb_terminal:
            from rich.live import Live as Drawn

            # Standard output stays what it is: it belongs to results.
            self._drawn = Drawn(
                console=self._console,
                auto_refresh=False,
                transient=True,
                redirect_stdout=False,
                vertical_overflow="crop",
            )
            self._drawn.start()
        self._thread = threading.Thread(target=self._run, name="tallystick-live", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        if self._drawn is not None:
            with suppress(OSError):
                self._drawn.stop()

    def _run(self) -> None:
        try:
            if self._drawn is None:
                self._write()
            else:
                self._draw(self._drawn)
        except OSError:
            return  # whoever looked has gone; the stream goes on

    def _draw(self, drawn: Drawn) -> None:
        ascii_only = not self._console.encoding.lower().startswith("utf")
        while True:
            width, height = self._console.size
            # One line less than there are, or the terminal scrolls at each picture.
            seen = self._stats()
            drawn.update(frame(seen, self._title, width, height - 1, ascii_only=ascii_only), refresh=True)
            if self._stop.wait(PERIOD):
                return

    def _write(self) -> None:
        """Write a line now and then, and each note as it comes."""
        self._say(f"{self._title}: waiting for the first record")
        before, notes, elapsed, done = 0, 0, 0.0, False
        while not done:
            done = self._stop.wait(LINE_PERIOD if elapsed < CALM_AFTER else CALM_PERIOD)
            seen = self._stats()
            elapsed = seen.elapsed
            for note in seen.notes:
                if note.at > notes:
                    self._say(note.words)
            notes = max([notes, *(note.at for note in seen.notes)])
            count = seen.events + seen.bad + seen.duplicates
            if count > before:
                before = count
                self._say(line(seen))

    def _say(self, words: str) -> None:
        # Not by the console: when its reader has gone, that points standard output to nowhere and leaves.
        self._console.file.write(printable(words) + "\n")
        self._console.file.flush()
