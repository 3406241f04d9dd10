"""The thread that commits, in its quiet moments."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from tallystick.connectors.notes import Notes
from tallystick.streams.committing import Committer
from tallystick.streams.stats import Stats


def test_what_a_source_counts_is_one_note_however_often_it_is_heard() -> None:
    notes, stats = Notes(), Stats("fraud", harmless=["accept"])
    source: Any = SimpleNamespace(name="a", notes=())
    readers: Any = {"a": SimpleNamespace(source=source, lag=0)}
    nobody: Any = None
    committer = Committer(nobody, "fraud", nobody, stats, readers, [])
    for _ in range(3):
        notes.say("{n} lines were passed over")
        source.notes = notes.lines()
        committer.flush_marks()
        committer.flush_marks()
    notes.say("one was cut")
    source.notes = notes.lines()
    committer.flush_marks()
    heard = [(note.words, note.times) for note in stats.snapshot().notes]
    assert heard == [("3 lines were passed over", 1), ("one was cut", 1)]
