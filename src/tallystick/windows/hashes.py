"""A fixed 64-bit hash of texts: FNV-1a over UTF-8, then the finaliser of SplitMix64.

The same on every machine and in every version, since states hold it. Sources: Fowler, Noll and Vo; Steele,
Lea
and Flood, Fast splittable pseudorandom number generators (2014).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["hashes"]


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _hashes(data: Any, ends: Any, out: Any) -> None:
    start = 0
    for i in range(len(ends)):
        value = np.uint64(0xCBF29CE484222325)
        for place in range(start, ends[i]):
            value = (value ^ np.uint64(data[place])) * np.uint64(0x100000001B3)
        value = value + np.uint64(0x9E3779B97F4A7C15)
        value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        value = value ^ (value >> np.uint64(31))
        out[i] = np.int64((value >> np.uint64(2)) << np.uint64(1))  # 62 bits, the last bit left for a mark
        start = ends[i]


def hashes(texts: Sequence[str]) -> NDArray[np.int64]:
    """Return one hash for each text: int64, even, not negative.

    >>> hashes(["a"]).tolist() == hashes(["b", "a"]).tolist()[1:]
    True
    """
    if len(texts) == 1:  # often met again
        return np.array([_hash(texts[0])])
    return _each(texts)


@lru_cache(maxsize=65_536)
def _hash(text: str) -> int:
    return int(_each([text])[0])


def _each(texts: Sequence[str]) -> NDArray[np.int64]:
    encoded = [text.encode() for text in texts]
    ends = np.fromiter(accumulate(map(len, encoded)), np.int64, len(encoded))
    out = np.empty(len(encoded), np.int64)
    _hashes(np.frombuffer(b"".join(encoded), np.uint8), ends, out)
    return out
