"""The live view: what it says, that it fits, that it keeps to stderr, and that it ends."""

from __future__ import annotations

import io
import os
import pty
import re
import select
import subprocess
import sys
import threading
import time

import numpy as np
import pyarrow as pa
import pytest
from rich.cells import cell_len
from rich.console import Console

from tallystick.cli import live
from tallystick.cli.live import Live
from tallystick.cli.live_frame import frame, line
from tallystick.cli.show_stream import streamed
from tallystick.cli.terminal import Terminal
from tallystick.scorer.decision import decision_schema
from tallystick.streams.stats import Stats
from tallystick.streams.stats_snapshot import StreamSnapshot

SECOND = 1_000_000
START = 1_735_689_600 * SECOND
REASONS = [
    {"feature": "n", "value": 5.0, "effect": 1.0, "words": f"reason {i}: " + "long " * 12} for i in (1, 2)
]
HOSTILE = "T\x1b[2J\x07[red]\u202e漢字漢字漢字漢字漢字漢字"


def stream(*, classes: bool = False, ident: str = "T1") -> Stats:
    clock = [START]
    stats = Stats("complaints" if classes else "fraud", harmless=["accept", "auto"], clock=lambda: clock[0])
    actions = ["auto"] * 97 + ["review"] * 3 if classes else ["accept"] * 97 + ["review", "review", "decline"]
    desks = ("Legal", "Card desk", "A department whose name goes on and on without an end in sight")
    rows = [
        {
            "id": ident,
            "task": "product" if classes else "fraud",
            "label": f"Class {i % 9} of [red]many" if classes else "yes",
            "score": 0.875,
            "action": action,
            "reasons": [{"feature": "secretword", "value": 1.0, "effect": 1.0}] if classes else REASONS,
            "route": {"department": desks[i % 3]} if classes else None,
        }
        for i, action in enumerate(actions)
    ]
    schema = decision_schema()
    batch = pa.RecordBatch.from_pylist(
        [{k: v for k, v in row.items() if k in schema.names} for row in rows], schema
    )
    for second in range(10):
        at = START + second * SECOND + 500_000
        stats.committed(batch, np.full(100, at - 4_000), at, bad=1, duplicates=2, late=3)
    stats.set_backlog(12, 34, {"decisions.jsonl": 5}, notices={"desk": {"sent": 6}})
    stats.add_note("The file was rotated.")
    clock[0] = START + 10 * SECOND
    return stats


def terminal(**options: bool) -> Terminal:
    made = Terminal(**options)
    made.out = Console(file=io.StringIO(), width=100, highlight=False)
    made.err = Console(file=io.StringIO(), width=100, highlight=False)
    return made


@pytest.mark.parametrize("width", [20, 44, 60, 80, 120, 200])
@pytest.mark.parametrize("height", [5, 24, 60])
@pytest.mark.parametrize("classes", [False, True])
def test_it_fits(width: int, height: int, classes: bool) -> None:
    lines = frame(stream(classes=classes, ident=HOSTILE).snapshot(), HOSTILE * 9, width, height).plain.split(
        "\n"
    )
    assert len(lines) <= height
    assert max(map(cell_len, lines)) <= width
    assert all(text.isprintable() for text in lines)


@pytest.mark.parametrize("width", [80, 120])
def test_it_says_what_goes_on(width: int) -> None:
    text = frame(stream().snapshot(), "fraud from a to b", width, 40).plain
    assert text.startswith("fraud from a to b ")
    assert text.splitlines()[0].endswith(" 0:10")
    for words in (
        r"average +111 /s",
        r"events +1,000",
        r"p99\.9 +4\.0 ms +4\.0 ms",
        r"in the source +12",
        r"in the queue +34",
        r"to decisions.jsonl +5",
        r"accept .* 970 +97\.0%",
        r"decline .* 10 +1\.0%",
        r"Alerts +30 +the newest first",
        r"decline +87\.5% +T1 +4\.0 ms",
        r"reason 1: long",
        r"10 in quarantine · 20 duplicate · 30 late · 6 notices sent",
        r"The file was rotated\.",
    ):
        assert re.search(words, text), words


def test_alerts_take_the_room_that_is_left_and_notes_stay_in_sight() -> None:
    seen = stream().snapshot()
    counts = {height: frame(seen, "t", 80, height).plain.count("reason 1") for height in (24, 30, 60)}
    assert 1 <= counts[24] < counts[30] < counts[60] == 10
    assert "The file was rotated." in frame(seen, "t", 80, 24).plain


def test_classes_and_departments_stand_where_they_say_something() -> None:
    text = frame(stream(classes=True).snapshot(), "t", 120, 60).plain
    assert "Product: class" in text
    assert "5 others" in text
    assert "Departments" in text
    assert "[red]many → Legal" in text
    assert "secretword" not in text
    assert ": class" not in frame(stream().snapshot(), "t", 120, 60).plain


def test_nothing_yet_is_said() -> None:
    text = frame(StreamSnapshot("fraud"), "t", 80, 24).plain
    assert "Waiting for the first record …" in text
    only_bad = StreamSnapshot("fraud", bad=3)
    assert "3 in quarantine" in frame(only_bad, "t", 80, 24).plain
    assert "none so far" in frame(only_bad, "t", 80, 24).plain


def test_a_terminal_that_knows_few_letters_gets_those() -> None:
    drawn = frame(stream().snapshot(), "t", 80, 40, ascii_only=True)
    assert drawn.plain.isascii()
    assert "#####" in drawn.plain


def test_colours_are_those_of_the_terminal() -> None:
    styles = {str(span.style) for span in frame(stream().snapshot(), "t", 80, 40).spans}
    assert styles == {"bold", "dim", "cyan", "bold red"}


def test_without_a_terminal_there_are_plain_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "LINE_PERIOD", 0.01)
    shown, stats = terminal(), stream()
    with Live(shown, stats.snapshot, "fraud [b]x[/b]"):
        time.sleep(0.2)
    said = shown.err.file.getvalue().splitlines()
    assert said == [
        "fraud [b]x[/b]: waiting for the first record",
        "The file was rotated.",
        "0:10  1,000 events, 100 a second, p50 4.0 ms, p99 4.0 ms, 30 alerts, 10 in quarantine, "
        "20 duplicate, 30 late, 46 waiting",
    ], "said once, as long as nothing changes"
    assert shown.out.file.getvalue() == ""


def test_the_last_state_is_said_even_of_a_short_run() -> None:
    shown = terminal()
    begun = time.monotonic()
    with Live(shown, stream().snapshot, "t"):
        pass
    assert time.monotonic() - begun < 2
    assert "1,000 events" in shown.err.file.getvalue()


def test_quiet_is_quiet() -> None:
    shown = terminal(quiet=True)
    with Live(shown, stream().snapshot, "t"):
        assert not [one for one in threading.enumerate() if one.name == "tallystick-live"]
    assert shown.err.file.getvalue() == shown.out.file.getvalue() == ""


def test_an_error_inside_ends_it_and_goes_on() -> None:
    shown = terminal()
    with pytest.raises(KeyError), Live(shown, stream().snapshot, "t"):
        raise KeyError
    assert not [one for one in threading.enumerate() if one.name == "tallystick-live"]


def test_a_reader_that_is_gone_does_not_stop_the_stream() -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    shown = terminal()
    shown.err = Console(file=Gone(), width=80)
    with Live(shown, stream().snapshot, "t"):
        time.sleep(0.05)


PROGRAM = """
import time
from tallystick.cli.live import Live
from tallystick.cli.terminal import Terminal
from tallystick.streams.stats_snapshot import Note, StreamSnapshot
seen = StreamSnapshot("fraud", events=9, actions={"fraud": {"accept": 9}}, notes=(Note(1, "A note."),))
terminal = Terminal(as_json=True)
with Live(terminal, lambda: seen, "fraud from a to b"):
    time.sleep(0.9)
    print("a line of standard output", flush=True)
terminal.result({"done": True})
"""


def drawn(**environment: str) -> tuple[str, str]:
    """Run it on a real terminal; give what it drew there, and its standard output."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        stdout=subprocess.PIPE,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "100", "LINES": "40", **environment},
    )
    os.close(theirs)
    pieces = []
    try:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if select.select([ours], [], [], 0.1)[0]:
                try:
                    piece = os.read(ours, 65_536)
                except OSError:  # the other end is closed
                    break
                if not piece:
                    break
                pieces.append(piece)
        out, _ = process.communicate(timeout=30)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        os.close(ours)
    assert process.returncode == 0
    return b"".join(pieces).decode(), out.decode()


def test_on_a_terminal_it_is_drawn_again_and_again_and_then_gone() -> None:
    text, out = drawn()
    assert 2 <= text.count("fraud from a to b") <= 6
    assert "\x1b[2K" in text  # lines are written over, not added
    _, after = text.rsplit("fraud from a to b", 1)
    assert after.count("\x1b[1A\x1b[2K") >= after.count("\n") - 1 > 5  # what was there last is taken away
    assert "\x1b[2J" not in text  # and the screen is not cleared, which would flicker
    assert text.rstrip().endswith(("\x1b[?25h", "\x1b[2K"))  # the cursor is there again
    assert out == 'a line of standard output\n{"done": true}\n'


def test_no_color_is_heard() -> None:
    assert "\x1b[36m" in drawn()[0]
    text = drawn(NO_COLOR="1")[0]
    assert "\x1b[36m" not in text
    assert "fraud from a to b" in text


def test_a_dumb_terminal_gets_lines() -> None:
    text = drawn(TERM="dumb")[0]
    assert "waiting for the first record" in text
    assert "\x1b[" not in text


def test_the_end_is_said_in_words() -> None:
    shown = terminal()
    streamed(shown, stream().snapshot(), sinks=["out[1].jsonl"], page="stream.html")
    text = shown.out.file.getvalue()
    for words in (
        "1,030 records in = 1,000 scored + 10 in quarantine + 20 duplicate",
        "In 10.0 s, while records came 111 events a second; 30 came late",
        "99.9 % within",
        "fraud: action",
        "30 alerts, the newest 3:",
        "decline  87.5%  T1  4.0 ms",
        "reason 2: long",
        "Notices by desk: 6 sent.",
        "The decisions are in out[1].jsonl.",
        "The charts are in stream.html",
    ):
        assert words in " ".join(text.split()) or words in text, words
    assert "fraud: decided" not in text
    assert "The file was rotated." in shown.err.file.getvalue()


def test_the_end_of_classes_and_of_nothing() -> None:
    shown = terminal()
    streamed(shown, stream(classes=True, ident=HOSTILE).snapshot())
    text = shown.out.file.getvalue()
    assert "product: decided" in text
    assert "Department" in text
    assert "\x1b" not in text
    assert "secretword" not in text
    shown = terminal()
    streamed(shown, StreamSnapshot("fraud", now=2 * SECOND))
    assert shown.out.file.getvalue() == "No record came in 2.0 s.\n"
    for options in ({"quiet": True}, {"as_json": True}):
        shown = terminal(**options)
        streamed(shown, stream().snapshot())
        assert shown.out.file.getvalue() == ""


def test_a_line_for_logs_is_one_line() -> None:
    assert "\n" not in line(stream().snapshot())
