"""Which characters belong to words, and what their lower case is, frozen: Python's own answer changes
with its version. `scripts/freeze_letters.py` writes the tables.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tallystick.text.lanes import kernel

__all__ = ["GROWTH", "UNICODE", "Letters", "lowered", "tables"]

UNICODE = "15.1.0"  # the version that the tables were frozen from
WORD, CASED, IGNORABLE = 1, 2, 4
SIGMA, FINAL_SIGMA = 0x3A3, 0x3C2
DOTTED_I = 0x130
GROWTH = 2  # lower case takes at most 3/2 of the bytes (U+023A: two become three)


class Letters(NamedTuple):
    """Character tables: kinds[pages[page_of[point >> 8], point & 255]]."""

    page_of: np.ndarray  # uint8 (4352,)
    pages: np.ndarray  # uint8 (pages, 256)
    kinds: np.ndarray  # int32 (kinds, 2): flags, distance to the lower case


@cache
def tables() -> Letters:
    """Read the frozen tables."""
    folder = Path(__file__).parent / f"unicode_{UNICODE.replace('.', '_')}"
    return Letters(*(np.load(folder / f"{name}.npy") for name in Letters._fields))


@kernel
def decode(data: np.ndarray, at: int) -> tuple[int, int]:
    """Code point at a place in valid UTF-8, and how many bytes it takes."""
    lead = data[at] & 0xFF  # a byte and a number make a 64-bit number in Numba
    if lead < 0x80:
        return lead, 1
    if lead < 0xE0:
        return (lead & 0x1F) << 6 | data[at + 1] & 0x3F, 2
    if lead < 0xF0:
        return (lead & 0x0F) << 12 | (data[at + 1] & 0x3F) << 6 | data[at + 2] & 0x3F, 3
    high = (lead & 0x07) << 18 | (data[at + 1] & 0x3F) << 12
    return high | (data[at + 2] & 0x3F) << 6 | data[at + 3] & 0x3F, 4


@kernel
def encode(point: int, out: np.ndarray, at: int) -> int:
    """Write a code point above ASCII as UTF-8; return the place after it."""
    if point < 0x800:
        out[at] = 0xC0 | point >> 6
    else:
        if point < 0x10000:
            out[at] = 0xE0 | point >> 12
        else:
            out[at] = 0xF0 | point >> 18
            out[at + 1] = 0x80 | point >> 12 & 0x3F
            at += 1
        out[at + 1] = 0x80 | point >> 6 & 0x3F
        at += 1
    out[at + 1] = 0x80 | point & 0x3F
    return at + 2


@kernel
def kind_of(point: int, letters: Letters) -> tuple[int, int]:
    """Flags and distance to lower case of a code point."""
    kind = letters.pages[letters.page_of[point >> 8], point & 0xFF]
    return int(letters.kinds[kind, 0]), int(letters.kinds[kind, 1])


@kernel
def is_final(data: np.ndarray, start: int, at: int, end: int, letters: Letters) -> bool:
    """Say whether the sigma at a place ends its word: Unicode's Final_Sigma, as str.lower applies it."""
    before = at - 1
    flags = IGNORABLE
    while before >= start and flags & IGNORABLE:
        while data[before] & 0xC0 == 0x80:
            before -= 1
        flags, _ = kind_of(decode(data, before)[0], letters)
        before -= 1
    if not flags & CASED:
        return False
    after = at + 2
    flags = IGNORABLE
    while after < end and flags & IGNORABLE:
        point, size = decode(data, after)
        flags, _ = kind_of(point, letters)
        after += size
    return not flags & CASED


@kernel
def lowered(data: np.ndarray, start: int, end: int, letters: Letters, out: np.ndarray) -> int:
    """Write a text, letters above ASCII lowered and all else above ASCII as a space; return its length.

    In what is written, a byte above ASCII always belongs to a word. ASCII stays as it is.
    """
    n = 0
    at = start
    while at < end:
        if data[at] < 0x80:
            out[n] = data[at]
            n += 1
            at += 1
            continue
        point, size = decode(data, at)
        _, distance = kind_of(point, letters)
        lower = point + distance
        if point == SIGMA and is_final(data, start, at, end, letters):
            lower = FINAL_SIGMA
        flags, _ = kind_of(lower, letters)
        at += size
        if lower < 0x80:  # the Kelvin sign is a k; dotted I is an i and a combining dot, which ends the word
            out[n] = lower
            n += 1
            if point == DOTTED_I:
                out[n] = 0x20
                n += 1
        elif flags & WORD:
            n = encode(lower, out, n)
        else:
            out[n] = 0x20
            n += 1
    return n
