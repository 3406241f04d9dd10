"""The careful way through a CSV: one record after the other, to say where and why one cannot be read.

What is well formed it reads as Arrow and Python's csv do. Beyond that: a quote inside an unquoted field is a
character; text after a closing quote on the same line joins the field, as in Python's csv; but a quoted field
that ran over a line end and then goes on after its closing quote was left open. So a missing quote is found
before it swallows the good records after it. No byte is looked at more than a few times: a quote is still
open at the end only if all quotes after it stand in pairs, and then no later line opens one.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass, replace

from tallystick.connectors import encoding
from tallystick.connectors.dialect import Dialect

__all__ = ["Record", "next_record"]

_LINE_END = re.compile(rb"[\r\n]")
_ESCAPED = re.compile(rb"\\([\\\"'])")


@dataclass(frozen=True, slots=True)
class Record:
    """One record: its fields, where the next one starts, and the reason code if it cannot be read."""

    fields: list[bytes]
    end: int
    code: str = ""


@functools.cache
def _field(dialect: Dialect) -> re.Pattern[bytes]:
    """One field: what is in quotes, the closing quote, what stands loose, what ends it.

    The repeats are possessive: nothing is tried twice, however long the field.
    """
    end, quote = re.escape(dialect.delimiter), dialect.quote
    within = rb"[^" + quote + rb"\\]++|\\[\s\S]|" if dialect.backslash else rb"[^" + quote + rb"]++|"
    quoted = quote + rb"((?:" + within + quote + quote + rb")*+)(" + quote + rb"?)"
    return re.compile(rb"(?:" + quoted + rb")?([^\r\n" + end + rb"]*+)(" + end + rb"|\r\n|\n|\r|)")


def next_record(buffer: bytes, start: int, dialect: Dialect, last: bool) -> Record | None:
    """Read the record at `start`; None when more bytes are needed to know it. A blank line has no fields.

    `last` says that no bytes follow the buffer. Codes: `unclosed_quote`, `escaped_quote` where backslashes
    stand before quotes and the dialect does not say so, and `record_too_long`, after which the rest of its
    last line has to be skipped.
    """
    delimiter, quote = dialect.delimiter, dialect.quote
    full = len(buffer) - start > encoding.LONGEST
    found = _LINE_END.search(buffer, start)
    line_end = found.start() if found else len(buffer)
    if buffer.find(quote, start, line_end) < 0:
        if found is None and not last:
            return Record([], len(buffer), "record_too_long") if full else None
        end = _after_line_end(buffer, line_end)
        line = buffer[start:line_end]
        return Record(line.split(delimiter) if line else [], end)
    fields: list[bytes] = []
    position = start
    while True:
        match = _field(dialect).match(buffer, position)
        if match is None:  # the pattern matches the empty text, so this cannot be
            raise RuntimeError("a CSV field did not match")
        quoted, closed, loose, ending = match.groups()
        over_lines = quoted is not None and _LINE_END.search(quoted) is not None
        if quoted is not None and not closed:
            if not last and not full:
                return None
            end = _resume(buffer, position)
            return Record(fields, end, "unclosed_quote" if over_lines or last else "record_too_long")
        if closed and loose and quoted.endswith(b"\\") and not dialect.backslash:
            escaped = next_record(buffer, start, replace(dialect, backslash=True), last)
            if escaped is None and not full:
                return None
            if escaped is not None and not escaped.code:
                return replace(escaped, code="escaped_quote")
        if over_lines and loose:
            return Record(fields, _resume(buffer, position), "unclosed_quote")
        fields.append(loose if quoted is None else _within(quoted, dialect) + loose)
        position = match.end()
        if ending == delimiter:
            if position < len(buffer) or last:
                continue
            return Record([], position, "record_too_long") if full else None
        if not ending and not last:
            return Record([], position, "record_too_long") if full else None
        return Record(fields, position)


def _within(quoted: bytes, dialect: Dialect) -> bytes:
    """Take what keeps quotes apart out of a quoted value."""
    plain = quoted.replace(dialect.quote * 2, dialect.quote)
    return _ESCAPED.sub(rb"\1", plain) if dialect.backslash else plain


def _after_line_end(buffer: bytes, position: int) -> int:
    """Step over a line end, of one character or two."""
    return position + (2 if buffer.startswith(b"\r\n", position) else 1 if position < len(buffer) else 0)


def _resume(buffer: bytes, quote: int) -> int:
    """Find the start of the line after the one in which a quote was left open."""
    found = _LINE_END.search(buffer, quote)
    return _after_line_end(buffer, found.start()) if found else len(buffer)
