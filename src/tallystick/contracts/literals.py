"""Texts that were written as Python bytes literals by mistake, undone by pattern and never by running them.

A program that prints bytes where it meant text leaves `b'I paid \\xe2\\x80\\x99 \\n'` in a file: four of the
6,696 narratives of one public extract look like that. In some of them the bureau has masked the first or
the last word together with its quote: `bXXXX …` and `b'… XXXX`.
"""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tallystick.contracts.text import OK, WHITE, Scan

__all__ = ["undo", "undo_all"]

# The same quote at both ends, never bare within; every backslash opens an escape that Python's bytes have.
_BODY = r"(?:[^\\{q}]|\\(?:[\\'\"abfnrtv0]|x[0-9a-fA-F]{{2}}))*"
_ENDS = r"b{q}(" + _BODY + r")(?:{q}|(?<=XXXX))"
_HEADLESS = r"b(?=[^\\]*\\)(XXXX" + _BODY + r")(?:{q}|(?<=XXXX))"
_LITERAL = re.compile("|".join((_ENDS + "|" + _HEADLESS).format(q=quote) for quote in "'\""))
_ESCAPE = re.compile(rb"\\(?:x([0-9a-fA-F]{2})|(.))", re.DOTALL)
_PLAIN = {
    b"n": b"\n",
    b"r": b"\r",
    b"t": b"\t",
    b"a": b"\a",
    b"b": b"\b",
    b"f": b"\f",
    b"v": b"\v",
    b"0": b"\0",
}


def undo(text: str) -> str:
    r"""Return what a literal stands for, as UTF-8 or else cp1252, trimmed; other text as it is.

    >>> undo(r"b'I can\'t pay \xe2\x82\xac5\n'")
    "I can't pay €5"
    >>> undo("b'it's mine'")
    "b'it's mine'"
    """
    while match := _LITERAL.fullmatch(text):  # a literal may have been printed into a literal
        raw = _ESCAPE.sub(_byte, match[match.lastindex or 0].encode("utf-8"))
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError:
            text = raw.decode("cp1252", errors="replace")
        text = text.strip(WHITE)
    return text


def _byte(match: re.Match[bytes]) -> bytes:
    return bytes([int(match[1], 16)]) if match[1] else _PLAIN.get(match[2], match[2])


def undo_all(found: Scan) -> pa.Array:
    """Return the trimmed values with every literal undone; what a scan calls too long or broken stays so."""
    some = np.flatnonzero(found.state == OK)
    array = found.array
    mask = np.zeros(len(array), np.bool_)
    undone = []
    for i in some[found.data[found.spans[0, some]] == ord("b")].tolist():
        text = found.text(i)
        plain = undo(text)
        if plain != text:
            mask[i] = True
            undone.append(plain)
    return pc.replace_with_mask(array, pa.array(mask), pa.array(undone, pa.string())) if undone else array
