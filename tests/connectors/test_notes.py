"""Notes of a reader, which one thread says and another reads."""

from __future__ import annotations

from tallystick.connectors.notes import Notes


def test_notes_may_be_read_while_another_is_said() -> None:
    notes = Notes()

    class Meanwhile(str):
        def replace(self, *given: object) -> str:  # type: ignore[override]
            notes.say("another")
            return str(self)

    notes.say(Meanwhile("first"))
    assert notes.lines() == ("first",)
    assert notes.lines() == ("first", "another")
