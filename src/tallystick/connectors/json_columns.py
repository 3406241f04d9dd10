"""Nested values as JSON text, column by column in Arrow: the same bytes as row by row, many times as fast.

A list of reasons is a column of features, one of values, one of effects: each is turned into text at once,
joined into objects, and the objects into lists.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from json.encoder import encode_basestring
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["can_write", "json_text", "lines", "objects"]

# What JSON does not let stand within quotes.
_ESCAPED = r'["\\\x00-\x1f]'
# One joined column may be longer than the 2 GiB that the offsets of a small one reach.
_TEXT = pa.large_string()


def can_write(kind: pa.DataType) -> bool:
    """Return whether `json_text` writes values of a type.

    >>> can_write(pa.list_(pa.float64())), can_write(pa.list_(pa.decimal128(9, 2)))
    (True, False)
    """
    if pa.types.is_map(kind):
        return bool(pa.types.is_string(kind.key_type)) and can_write(kind.item_type)
    if pa.types.is_struct(kind):
        names = [kind.field(i).name for i in range(kind.num_fields)]
        return len(set(names)) == len(names) > 0 and all(can_write(part.type) for part in kind)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return can_write(kind.value_type)
    return bool(
        pa.types.is_null(kind)
        or pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_boolean(kind)
        or pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
    )


def json_text(array: pa.Array) -> pa.Array:
    """Return each value as compact JSON, `null` where there is none; numbers as Python writes them.

    Raises ValueError for a map that has a key twice.

    >>> json_text(pa.array([[{"a": 1e-05, "b": 'x"'}], [], None])).to_pylist()
    ['[{"a":1e-05,"b":"x\\\\""}]', '[]', 'null']
    """
    kind = array.type
    if pa.types.is_null(kind) or array.null_count == len(array):
        return _repeated("null", len(array))
    if pa.types.is_map(kind):
        found = _maps(array)
    elif pa.types.is_struct(kind):
        names = [kind.field(i).name for i in range(kind.num_fields)]
        found = objects(names, [json_text(part) for part in array.flatten()])
    elif pa.types.is_list(kind) or pa.types.is_large_list(kind):
        found = _lists(array)
    elif pa.types.is_floating(kind):
        return _floats(array)
    elif pa.types.is_string(kind) or pa.types.is_large_string(kind):
        found = _strings(array.cast(_TEXT))
    else:
        found = array.cast(_TEXT)
    return found if not array.null_count else pc.if_else(array.is_valid(), found, _text("null"))


def objects(names: Sequence[str], parts: Sequence[pa.Array]) -> pa.Array:
    """Join the JSON of members, none of them null, to objects.

    >>> objects(["a", "b"], [pa.array(["1"], pa.large_string())] * 2).to_pylist()
    ['{"a":1,"b":1}']
    """
    pieces: list[Any] = []
    for i, (name, part) in enumerate(zip(names, parts, strict=True)):
        key = encode_basestring(name)
        pieces += [_text(("," if i else "{") + key + ":"), part]
    return pc.binary_join_element_wise(*pieces, _text("}"), _text(""))


def lines(texts: pa.Array) -> bytes:
    """Return the bytes of texts, a line end after each.

    >>> lines(pa.array(["{}", "1"], pa.large_string()))
    b'{}\\n1\\n'
    """
    joined = pc.binary_join_element_wise(texts, _text("\n"), _text(""))
    offsets, data = joined.buffers()[1:]
    if data is None:
        return b""
    bounds = memoryview(offsets).cast("q")
    return bytes(memoryview(data)[bounds[joined.offset] : bounds[joined.offset + len(joined)]])


def _lists(array: pa.Array) -> pa.Array:
    """Write lists; what lies behind a null one is left out of `flatten`."""
    lengths = np.asarray(pc.fill_null(pc.list_value_length(array), 0)).astype(np.int64, copy=False)
    if not lengths.any():
        return _repeated("[]", len(array))
    return _joined(lengths, json_text(array.flatten()), "[", "]")


def _maps(array: pa.Array) -> pa.Array:
    """Write maps as objects."""
    offsets = np.asarray(array.offsets).astype(np.int64)
    lengths = np.diff(offsets)
    # Keys and items are all that the array was cut from.
    first, count = int(offsets[0]), int(offsets[-1] - offsets[0])
    keys, items = array.keys.slice(first, count), array.items.slice(first, count)
    if lengths.max(initial=0) > 1:
        codes = keys.dictionary_encode().indices.to_numpy(zero_copy_only=False).astype(np.int64)
        places = np.sort(np.repeat(np.arange(len(lengths)), lengths) * (int(codes.max()) + 1) + codes)
        if (places[1:] == places[:-1]).any():
            raise ValueError("a map has a key twice")
    entries = pc.binary_join_element_wise(_strings(keys.cast(_TEXT)), json_text(items), _text(":"))
    return _joined(lengths, entries, "{", "}")


def _joined(lengths: npt.NDArray[np.int64], texts: pa.Array, opening: str, closing: str) -> pa.Array:
    """Join texts, so many to each value."""
    if len(texts) == len(lengths) and (lengths == 1).all():
        inside = texts
    else:
        bounds = np.zeros(len(lengths) + 1, np.int64)
        np.cumsum(lengths, out=bounds[1:])
        inside = pc.binary_join(pa.LargeListArray.from_arrays(pa.array(bounds), texts), _text(","))
    return pc.binary_join_element_wise(_text(opening), inside, _text(closing), _text(""))


def _strings(array: pa.Array) -> pa.Array:
    """Put texts in quotes; the few that hold what has to be escaped go one by one."""
    whole = pc.binary_join_element_wise(_text('"'), array, _text('"'), _text(""))
    special = pc.fill_null(pc.match_substring_regex(array, _ESCAPED), False)
    if not pc.any(special).as_py():
        return whole
    escaped = pa.array([encode_basestring(value) for value in array.filter(special).to_pylist()], _TEXT)
    return pc.replace_with_mask(whole, special, escaped)


def _floats(array: pa.Array) -> pa.Array:
    """Write numbers by Python's shortest form, quicker than Arrow's too; JSON has no NaN and no infinity."""
    values = np.asarray(array.cast(pa.float64()).fill_null(np.nan))
    texts = list(map(repr, values.tolist()))
    for place in np.flatnonzero(~np.isfinite(values)).tolist():
        texts[place] = "null"
    return pa.array(texts, _TEXT)


@lru_cache(maxsize=256)
def _text(value: str) -> pa.Scalar:
    """Return a text with the offsets that the joined columns have."""
    return pa.scalar(value, _TEXT)


def _repeated(value: str, rows: int) -> pa.Array:
    return pa.repeat(_text(value), rows)
