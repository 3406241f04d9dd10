"""Which entity a row belongs to: names of entities to where their headers lie."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tallystick.windows.kernel import group

__all__ = ["Codes", "Keys", "codes_of", "join_codes"]

Codes = tuple[NDArray[np.int32], list[str]]
Located = tuple[NDArray[np.int64], NDArray[np.int64]]


def codes_of(column: pa.Array) -> Codes:
    """Return each row's number in the list of distinct texts (-1 for null), and that list."""
    if len(column) == 1:
        value = column[0].as_py()
        return (_NONE, []) if value is None else (_FIRST, [str(value)])
    if not pa.types.is_dictionary(column.type):
        if not pa.types.is_string(column.type):
            column = column.cast(pa.string())
        column = column.dictionary_encode()
    return _numbers(column.indices), column.dictionary.to_pylist()


def _numbers(indices: pa.Array) -> NDArray[np.int32]:
    """Return indices as they lie in memory, -1 for null."""
    if indices.null_count:
        indices = indices.fill_null(-1)
    if indices.type != pa.int32():
        indices = indices.cast(pa.int32())
    found: NDArray[np.int32] = indices.to_numpy(zero_copy_only=False)
    return found


_NONE = np.full(1, -1, np.int32)
_FIRST = np.zeros(1, np.int32)
_ALONE = np.zeros(1, np.int64)  # the order of one row; nobody writes to it


def join_codes(parts: list[Codes]) -> Codes:
    """Return the codes of pairs (or more) of columns; a row that lacks a part has none.

    A pair is known by its parts with their lengths before them, so that no two pairs read alike.
    """
    codes, texts = parts[0][0], [f"{len(text)}:{text}" for text in parts[0][1]]
    for other, more in parts[1:]:
        if len(codes) == 1:
            if codes[0] < 0 or other[0] < 0:
                return _NONE, []
            texts = [f"{texts[0]}{len(more[0])}:{more[0]}"]
            continue
        joined = pa.array(
            codes.astype(np.int64) * max(len(more), 1) + other, mask=(codes < 0) | (other < 0)
        ).dictionary_encode()
        both = joined.dictionary.to_numpy(zero_copy_only=False)
        texts = [
            f"{texts[a]}{len(more[b])}:{more[b]}"
            for a, b in zip(
                (both // max(len(more), 1)).tolist(), (both % max(len(more), 1)).tolist(), strict=True
            )
        ]
        codes = _numbers(joined.indices)
    return codes, texts


class Keys:
    """The entities of one kind so far: text → where the header lies."""

    def __init__(self) -> None:
        self.places: dict[str, int] = {}

    def locate(self, codes: Codes, make: Callable[[int], int], words: int) -> Located:
        """Return the rows grouped by entity, and for each, in that order, where its header lies (-1: none).

        make(n): makes headers for n new entities, `words` apart, and returns where the first lies.
        """
        numbers, texts = codes
        known = self.places
        if len(numbers) == 1:
            place = known.get(texts[0], -1) if texts else -1
            if texts and place < 0:
                place = known[texts[0]] = make(1)
            return _ALONE, np.array([place])
        places = np.array([known.get(text, -1) for text in texts] + [-1], np.int64)  # last: that of -1
        new = np.flatnonzero(places[:-1] < 0)
        if len(new):
            places[new] = make(len(new)) + words * np.arange(len(new))
            for i in new.tolist():
                known[texts[i]] = int(places[i])
        order, headers = np.empty(len(numbers), np.int64), np.empty(len(numbers), np.int64)
        group(numbers, places, order, headers)
        return order, headers

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return texts as UTF-8 with their ends, and places."""
        encoded = [text.encode() for text in self.places]
        return {
            "texts": np.frombuffer(b"".join(encoded), np.uint8),
            "ends": np.cumsum([len(one) for one in encoded], dtype=np.int64),
            "places": np.fromiter(self.places.values(), np.int64, len(self.places)),
        }

    @classmethod
    def load(cls, texts: NDArray[np.uint8], ends: NDArray[np.int64], places: NDArray[np.int64]) -> Keys:
        """Read what `arrays` gave."""
        keys, data, start = cls(), texts.tobytes(), 0
        for end, place in zip(ends.tolist(), places.tolist(), strict=True):
            keys.places[data[start:end].decode()] = place
            start = end
        return keys
