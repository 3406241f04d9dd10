"""A fixed 64-bit hash of whole texts, byte by byte: bundles keep it of rows, and of nothing that can be
read."""

from __future__ import annotations

from typing import Any

import numpy as np

from tallystick.text.hashing import mix
from tallystick.text.lanes import kernel
from tallystick.text.tokens import strings

__all__ = ["fingerprints"]

# Of FNV-1a (Fowler, Noll and Vo), which MurmurHash3's finaliser then mixes.
START, PRIME = np.uint64(0xCBF29CE484222325), np.uint64(0x100000001B3)


def fingerprints(texts: Any) -> np.ndarray:
    """Hash each text of an Arrow array: uint64 (texts,); null reads as empty.

    >>> import pyarrow as pa
    >>> one, other = fingerprints(pa.array(["a", "b"])).tolist()
    >>> one == other, fingerprints(pa.array(["b"])).tolist() == [other]
    (False, True)
    """
    data, offsets = strings(texts)
    return hash_texts(data, offsets)


@kernel
def hash_texts(data: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Hash each text of Arrow's buffers."""
    out = np.empty(len(offsets) - 1, np.uint64)
    for text in range(len(out)):
        value = START
        for place in range(offsets[text], offsets[text + 1]):
            value = (value ^ np.uint64(data[place])) * PRIME
        out[text] = mix(value)
    return out
