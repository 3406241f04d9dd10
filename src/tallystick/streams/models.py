"""Scorers that may be replaced while a stream runs, between two batches."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

from tallystick.errors import TallystickError
from tallystick.scorer import Scorer

__all__ = ["Fixed", "Watched", "stamp_of"]

Stamp = tuple[tuple[str, int, int], ...]
EVERY = 1.0  # seconds between looks at the folder


class Fixed:
    """A scorer that is never replaced, and its shadow."""

    def __init__(self, scorer: Scorer, shadow: Scorer | None = None) -> None:
        self._scorer, self._shadow = scorer, shadow

    def current(self) -> tuple[Scorer, Scorer | None]:
        """Return them."""
        return self._scorer, self._shadow


class Watched:
    """A scorer that is replaced when its model folder is trained anew, without stopping the stream.

    load: reads the folder anew; stamp: of the folder before the scorer was read; add_note: takes what was
    found. A model with other windows cannot take over, since the state holds the old ones: a note says so,
    and the old model stays.
    """

    def __init__(
        self,
        scorer: Scorer,
        folder: Path,
        load: Callable[[], Scorer],
        add_note: Callable[[str], None],
        shadow: Scorer | None = None,
        stamp: Stamp | None = None,
    ) -> None:
        self._scorer, self._folder, self._load, self._add_note, self._shadow = (
            scorer,
            folder,
            load,
            add_note,
            shadow,
        )
        self._stamp, self._looked = stamp_of(folder) if stamp is None else stamp, time.monotonic()
        self._loading: threading.Thread | None = None
        self._loaded: Scorer | None = None

    def current(self) -> tuple[Scorer, Scorer | None]:
        """Return the scorer as of now, and the shadow."""
        if self._loaded is not None:
            self._scorer, self._loaded = self._loaded, None
            self._add_note(
                f"A new model has taken over: {', '.join(one.name for one in self._scorer.predictors)}."
            )
        elif self._loading is None and time.monotonic() - self._looked > EVERY:
            self._looked = time.monotonic()
            stamp = stamp_of(self._folder)
            if stamp != self._stamp and stamp:
                self._stamp = stamp
                self._loading = threading.Thread(target=self._try, name="tallystick-model", daemon=True)
                self._loading.start()
        return self._scorer, self._shadow

    def _try(self) -> None:
        """Load what is in the folder now, off the loop."""
        try:
            new, old = self._load(), self._scorer
            same = (new.windows.fingerprint if new.windows else None) == (
                old.windows.fingerprint if old.windows else None
            )
            if [one.name for one in new.predictors] == [one.name for one in old.predictors]:
                return
            if not same or [one.task.name for one in new.predictors] != [
                one.task.name for one in old.predictors
            ]:
                what = "tasks" if same else "windows"
                self._add_note(
                    f"A new model was found, but it has other {what} than the state holds, so the old one "
                    "stays. Start the stream again with a --state of its own to use it."
                )
                return
            self._loaded = new
        except (TallystickError, OSError) as error:
            self._add_note(f"A new model was found and cannot be used, so the old one stays: {error}")
        finally:
            self._loading = None


def stamp_of(folder: Path) -> Stamp:
    """Return what changes when a bundle of a model folder is written anew."""
    found = []
    for path in sorted(folder.glob("*/manifest.json")):
        try:
            about = path.stat()
        except FileNotFoundError:  # it is being replaced right now
            continue
        found.append((str(path), about.st_mtime_ns, about.st_ino))
    return tuple(found)
