"""Words that stand where a value is missing: `N/A`, `NaN`, `None`, `-`, `unknown`, ….

They are null in every column whose contract has no such value; a key or an entity never has. What else means
that nothing is known, such as a customer 0, is for the setting `placeholders` to say.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from numba import njit

from tallystick.contracts import text
from tallystick.contracts.column import Column

__all__ = ["PLACEHOLDERS", "without_placeholders"]

#: In lower case. `na` is not among them: it is a country, and a name.
PLACEHOLDERS: Final = (
    "n/a", "#n/a", "nan", "none", "null", "nil", "nat", "-", "--", "?", "unknown", "undefined", "(null)",
    "<na>", "not available", "not applicable",
)  # fmt: skip

_Table = tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64], npt.NDArray[np.bool_]]


def without_placeholders(found: text.Scan, column: Column, more: str = "") -> text.Scan:
    """Return a scan in which placeholders are null; more: further ones, separated by commas.

    >>> import pyarrow as pa
    >>> found = text.scan(pa.array(["C1", " N/A ", "nan", "0"]), 20)
    >>> without_placeholders(found, Column("card", "text", "Card"), "0").trimmed().to_pylist()
    ['C1', None, None, None]
    """
    words, lengths, begins = _table(column, more)
    if not _mark(found.data, found.spans, words, lengths, begins):
        return found
    return found._replace(seen=found.seen | 1 << text.NULL | text.TRIMMED)


@lru_cache(maxsize=512)
def _table(column: Column, more: str) -> _Table:
    """Return the words of a column as bytes, their lengths, and the bytes with which one may begin."""
    own = {value.casefold() for value in (*(column.allowed or ()), *column.known_values)}
    further = [word.strip().casefold() for word in more.split(",") if word.strip()]
    words = [word.encode() for word in dict.fromkeys((*PLACEHOLDERS, *further)) if word not in own]
    table = np.zeros((len(words), max(map(len, words), default=1)), np.uint8)
    begins = np.zeros(256, np.bool_)
    for i, word in enumerate(words):
        table[i, : len(word)] = np.frombuffer(word, np.uint8)
        begins[[word[0], *word[:1].upper()]] = True
    return table, np.array([len(word) for word in words], np.int64), begins


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _mark(data: Any, spans: Any, words: Any, lengths: Any, begins: Any) -> Any:
    """Mark placeholders as null; return how many there are."""
    count = 0
    for i in range(spans.shape[1]):
        start, size = spans[0, i], spans[1, i] - spans[0, i]
        if spans[2, i] != 0 or size < 1 or size > words.shape[1] or not begins[data[start]]:
            continue
        for w in range(len(lengths)):
            if lengths[w] != size:
                continue
            k = 0
            while k < size:
                byte = data[start + k]
                if 65 <= byte <= 90:
                    byte += 32
                if byte != words[w, k]:
                    break
                k += 1
            if k == size:
                spans[2, i] = 1
                count += 1
                break
    return count
