"""Standard input as a source: JSON lines or CSV as they come, other forms once they are whole."""

from __future__ import annotations

import functools
import io
import json
import os
import select
import tempfile
import time
import weakref
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import IO
from urllib.parse import parse_qsl

import numpy as np

from tallystick.config import Settings
from tallystick.connectors import Chunk, encoding, found_formats
from tallystick.connectors.formats import Block, Reading
from tallystick.connectors.notes import Notes
from tallystick.connectors.standard_input import StandardInput, standard_input
from tallystick.errors import UsageError, did_you_mean
from tallystick.streams.source import Position, SourceBase, SourceBatch
from tallystick.streams.sources.growing_file import split
from tallystick.streams.sources.text_records import GROWING, TextRecords

__all__ = ["SCHEMES", "PipeSource", "open_stream"]

SCHEMES = ("-",)
_OPTIONS = ("delimiter", "format")
_BLOCK = 4 << 20
# What a pipe holds on Linux unless it is asked to hold more; more keeps the writer going while we work.
_PIPE = 1 << 20
_F_SETPIPE_SZ = 1031


def open_stream(
    uri: str, settings: Settings, *, known: Collection[str] = (), rate: float | None = None
) -> PipeSource:
    """Open standard input; `-?format=jsonl` says its form, which else its first bytes tell."""
    if rate is not None:
        raise UsageError("Standard input gives its own pace.", "Leave --rate out, or name a file.")
    options = dict(parse_qsl(uri.partition("?")[2], keep_blank_values=True))
    for option in options:
        if option not in _OPTIONS:
            raise UsageError(f'Standard input has no option "{option}".', did_you_mean(option, _OPTIONS))
    form = options.get("format", "")
    if form and form not in GROWING:
        raise UsageError(f'Standard input cannot be read as "{form}".', did_you_mean(form, GROWING))
    base = Reading(
        "-",
        functools.partial(io.BytesIO, b""),
        settings,
        known=frozenset(known),
        delimiter=options.get("delimiter", ""),
        notes=Notes(),
    )
    return PipeSource(standard_input().fileno(), base, form)


class PipeSource(SourceBase):
    """Gives the records that come through a pipe, until it is closed.

    It cannot be sought: after a restart it goes on with what comes, and the numbers of its records go on;
    `notes` says so. A document, Parquet or compressed text is kept in a temporary file until it is whole.
    """

    name = "-"
    #: What was taken and not committed is gone.
    comes_again = False

    def __init__(self, descriptor: int, base: Reading, form: str = "") -> None:
        self._descriptor, self._base, self._form = descriptor, base, form
        self._notes = base.notes
        self._state: dict[str, object] = {}
        self._records: TextRecords | None = None
        self._head = b""
        self._kept: IO[bytes] | None = None
        self._blocks: Iterator[Block] | None = None
        self._ready: list[Chunk] = []
        self._number = 0
        self._closed = self._over = self._unread = False
        with suppress(ImportError, OSError):
            import fcntl

            fcntl.fcntl(descriptor, _F_SETPIPE_SZ, _PIPE)

    @property
    def ended(self) -> bool:
        """Whether the pipe was closed and all was given."""
        return self._over

    def seek(self, position: Position | None) -> None:
        """Count on from a position: what was in the pipe is gone."""
        if position is not None:
            self._state = {**position["records"], "anew": True}
            self._state.pop("skipping", None)
            self._notes.say("standard input cannot be read again: the stream goes on with what comes now")

    def take(self, most: int, wait: float) -> Sequence[SourceBatch]:
        """Return what has come, at most about `most` records."""
        ends = time.monotonic() + wait
        while not self._over:
            if not self._ready:
                self._read(most)
            if self._ready:
                return self._given(most)
            if self._closed:
                self._over = self._blocks is None
                continue
            if not self._fill(max(0.0, ends - time.monotonic())) and time.monotonic() >= ends:
                break
        return []

    def lag(self) -> int | None:
        """Return how many records were read and not given; None while the pipe may bring more."""
        ready = sum(int(chunk.rows.num_rows) + len(chunk.broken) for chunk in self._ready)
        return ready if ready or self.ended else None

    def close(self) -> None:
        """Release what is kept; the pipe stays open."""
        self._over = True
        self._ready = []
        if self._kept is not None:
            self._kept.close()

    def _given(self, most: int) -> list[SourceBatch]:
        now = time.time_ns() // 1000
        found: list[SourceBatch] = []
        while most > 0 and self._ready:
            chunk, rest = split(self._ready.pop(0), most)
            if rest is not None:
                self._ready.insert(0, rest)
            count = chunk.rows.num_rows + len(chunk.broken)
            most -= count
            self._number += count
            state = self._records.state() if self._records is not None else dict(self._state)
            state["record"] = self._number + 1
            found.append(SourceBatch(chunk, np.full(chunk.rows.num_rows, now, np.int64), {"records": state}))
        return found

    def _fill(self, wait: float) -> bool:
        """Take what the pipe holds, up to a block; False where nothing came."""
        held = 0
        while held < _BLOCK and select.select([self._descriptor], [], [], 0 if held else wait)[0]:
            data = os.read(self._descriptor, _PIPE)
            if not data:
                self._closed = True
                break
            held += len(data)
            if self._kept is not None:
                self._kept.write(data)
            elif self._records is not None:
                self._records.feed(data)
            else:
                self._head += data
        if self._records is None and self._kept is None:
            self._decide()
        return bool(held)

    def _read(self, most: int) -> None:
        """Turn what came into chunks."""
        if self._records is not None:
            self._ready = self._records.rest(most) if self._closed else self._records.read(most)
        elif self._kept is not None and self._closed:
            self._read_kept()

    def _decide(self) -> None:
        """Detect the format by the first bytes, as soon as they suffice."""
        form, head = self._form, self._head
        if not form and head:
            form, compression = StandardInput(io.BytesIO(head)).format()
            if form == "json" and not compression:
                line, found, _ = head.removeprefix(b"\xef\xbb\xbf").lstrip().partition(b"\n")
                if not (found or self._closed or len(head) > encoding.LONGEST):
                    return
                form = "jsonl" if line.startswith(b"{") and _is_object(line) else form
            elif len(head) < 4 and not self._closed:
                return
            if compression or form not in GROWING:
                self._keep(form, compression)
                return
        if not form and not self._closed:
            return
        self._records = TextRecords(form or "csv", self._base, dict(self._state) or None)
        self._number = self._records.next - 1
        self._records.feed(head)
        self._head = b""

    def _keep(self, form: str, compression: str) -> None:
        """Buffer a format that can only be read as a whole."""
        self._number = int(str(self._state.get("record", 1))) - 1
        self._form = form
        kept = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as this
        weakref.finalize(self, kept.close)
        kept.write(self._head)
        self._kept, self._head = kept, b""
        self._base = replace(self._base, open=self._opened, compression=compression)
        self._blocks = iter(())
        self._unread = True

    def _opened(self) -> IO[bytes]:
        if self._kept is None:
            raise RuntimeError("nothing was kept")
        self._kept.flush()
        self._kept.seek(0)
        return os.fdopen(os.dup(self._kept.fileno()), "rb")

    def _read_kept(self) -> None:
        """Read the buffered input, block by block."""
        if self._unread:
            self._unread = False
            self._blocks = found_formats()[self._form].read(self._base)
        block = next(self._blocks, None) if self._blocks is not None else None
        if block is None:
            self._blocks = None
            return
        before = int(str(self._state.get("record", 1))) - 1
        for chunk in block:
            broken = tuple(replace(one, record=one.record + before) for one in chunk.broken)
            self._ready.append(replace(chunk, records=chunk.records + before, broken=broken))


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False
