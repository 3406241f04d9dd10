"""Amounts of money that texts name."""

from __future__ import annotations

from typing import Any

import numpy as np

from tallystick.text.lanes import kernel
from tallystick.text.tokens import strings

__all__ = ["amounts"]

DIGITS = 10  # before the point; longer ones are account numbers, and millions of them pass 64 bits


def amounts(texts: Any) -> np.ndarray:
    """Find the largest amount of dollars that each text names: int64 (texts,) in cents, -1 for none.

    Read are `{$500.00}`, `$1,234.56`, `$ 20`, `$.50`, `USD 300`, `US$300`, `300 USD`, `500 dollars`, and
    `$5k`, `$5 thousand`, `$2 million`. What is scrubbed, such as `{$XX.00}`, is none. Of more than two
    decimals the first two count.

    >>> import pyarrow as pa
    >>> amounts(pa.array(["fees of {$35.00} and $1,200", "{$XX.00}", "about 500 dollars", None])).tolist()
    [120000, -1, 50000, -1]
    """
    data, offsets = strings(texts)
    found: np.ndarray = largest_amounts(data, offsets)
    return found


@kernel
def is_digit(data: np.ndarray, at: int, end: int) -> bool:
    """Say whether a digit stands at a place."""
    return at < end and 48 <= data[at] <= 57


@kernel
def is_group(data: np.ndarray, at: int, end: int) -> bool:
    """Say whether a comma and three digits stand at a place."""
    three = is_digit(data, at + 1, end) and is_digit(data, at + 2, end) and is_digit(data, at + 3, end)
    return three and data[at] == 0x2C


@kernel
def spells(data: np.ndarray, at: int, end: int, word: bytes) -> bool:
    """Say whether a lower-case word stands at a place, in any case, and ends there."""
    if at < 0 or at + len(word) > end:
        return False
    for i in range(len(word)):
        if data[at + i] | 0x20 != word[i]:
            return False
    to = at + len(word)
    return to == end or not (97 <= data[to] | 0x20 <= 122 or is_digit(data, to, end))


@kernel
def after_spaces(data: np.ndarray, at: int, end: int) -> int:
    """Skip up to two spaces."""
    for _ in range(2):
        if at < end and data[at] == 0x20:
            at += 1
    return at


@kernel
def is_marked(data: np.ndarray, start: int, at: int) -> bool:
    """Say whether a dollar sign or USD stands before a number."""
    back = at
    for _ in range(2):
        if back > start and data[back - 1] == 0x20:
            back -= 1
    if back > start and data[back - 1] == 0x24:
        return True
    code = back - 3
    alone = code >= start and (code == start or not 97 <= data[code - 1] | 0x20 <= 122)
    return (
        alone
        and data[code] | 0x20 == 0x75
        and data[code + 1] | 0x20 == 0x73
        and data[code + 2] | 0x20 == 0x64
    )


@kernel
def largest_amounts(data: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Largest amount of each text."""
    out = np.full(len(offsets) - 1, -1, np.int64)
    for text in range(len(offsets) - 1):
        start, end = offsets[text], offsets[text + 1]
        at = start
        while at < end:
            if not is_digit(data, at, end):
                at += 1
                continue
            first = at
            pointed = first > start and data[first - 1] == 0x2E  # as in $.50
            if pointed:
                first -= 1
            whole, digits = 0, 0
            while not pointed and (is_digit(data, at, end) or is_group(data, at, end)):
                if data[at] != 0x2C:
                    digits += 1
                    whole = whole * 10 + data[at] - 48 if digits <= DIGITS else 0
                at += 1
            cents = decimals = 0
            if pointed or (at < end and data[at] == 0x2E and is_digit(data, at + 1, end)):
                at += not pointed
                while is_digit(data, at, end):
                    if decimals < 2:
                        cents = cents * 10 + data[at] - 48
                    decimals += 1
                    at += 1
                if decimals == 1:
                    cents *= 10
            amount = whole * 100 + cents
            next_word = after_spaces(data, at, end)
            if spells(data, at, end, b"k") or spells(data, next_word, end, b"thousand"):
                amount *= 1000
            elif spells(data, next_word, end, b"million"):
                amount *= 1_000_000
            named = is_marked(data, start, first)
            for word in (b"dollars", b"dollar", b"usd"):
                named = named or spells(data, next_word, end, word)
            if named and digits <= DIGITS:
                out[text] = max(out[text], amount)
    return out
