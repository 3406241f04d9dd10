"""Live display of a running stream: redrawn on stderr four times per second by a thread."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING

from tallystick.cli.live_format import printable
from tallystick.cli.live_frame import frame, line

if TYPE_CHECKING:
    from rich.live import Live as Drawn

    from tallystick.cli.terminal import Terminal
    from tallystick.streams.stats_snapshot import StreamSnapshot

__all__ = ["Live"]

PERIOD = 0.25  # seconds between redraws
LINE_PERIOD = 5.0  # seconds between lines without a terminal
CALM_AFTER, CALM_PERIOD = 300.0, 60.0  # seconds: after five minutes, one line per minute


class Live:
    """Live display of stream statistics while the block runs; plain lines without a terminal.

    stats: returns a snapshot, callable from any thread; title: solution, source and sinks. The display is
    removed when the block ends. With --quiet nothing is shown.
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

            # Standard output is for results only.
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
            return  # the terminal is closed; the stream continues

    def _draw(self, drawn: Drawn) -> None:
        ascii_only = not self._console.encoding.lower().startswith("utf")
        while True:
            width, height = self._console.size
            # One line fewer than the terminal has, or it scrolls at each redraw.
            snapshot = self._stats()
            drawn.update(frame(snapshot, self._title, width, height - 1, ascii_only=ascii_only), refresh=True)
            if self._stop.wait(PERIOD):
                return

    def _write(self) -> None:
        """Write a status line periodically, and each note once."""
        self._say(f"{self._title}: waiting for the first record")
        before, notes, elapsed, done = 0, 0, 0.0, False
        while not done:
            done = self._stop.wait(LINE_PERIOD if elapsed < CALM_AFTER else CALM_PERIOD)
            snapshot = self._stats()
            elapsed = snapshot.elapsed
            for note in snapshot.notes:
                if note.at > notes:
                    self._say(note.words)
            notes = max([notes, *(note.at for note in snapshot.notes)])
            count = snapshot.events + snapshot.bad + snapshot.duplicates
            if count > before:
                before = count
                self._say(line(snapshot))

    def _say(self, text: str) -> None:
        # Not through the console: on a closed pipe it redirects standard output and exits.
        self._console.file.write(printable(text) + "\n")
        self._console.file.flush()
