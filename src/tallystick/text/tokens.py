"""Words of a text: runs of two or more word characters, lowered, straight from Arrow's UTF-8 buffers.

The same words as scikit-learn's default, `re.findall(r"(?u)\\b\\w\\w+\\b", text.lower())`, without those that
belong to a number or an address that identifies somebody (`identifiers.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, TypeVar

import numpy as np
import pyarrow as pa

from tallystick.errors import UsageError
from tallystick.text.hashing import first, fold, mix
from tallystick.text.identifiers import IN_WORD, drop_identifiers
from tallystick.text.lanes import at_bits, bit_count, digit_bits, high_bits, kernel, low_bit, read8, word_bits
from tallystick.text.letters import Letters, lowered

__all__ = ["PAD", "Strings", "hash_words", "in_slices", "longest", "split", "strings"]

PAD = 128  # bytes that may be read past the end of a text
_ONE = np.uint64(1)
_HIGH = np.uint64(0x8080808080808080)
_MASK = np.uint64(0x7878787878787878)  # xxxxxxxx
T = TypeVar("T")


class Strings(NamedTuple):
    """Texts as Arrow keeps them: text i is data[offsets[i]:offsets[i + 1]], uint8 and int64."""

    data: np.ndarray
    offsets: np.ndarray


class _Bytes:
    """An Arrow buffer as a plain array; kernels take one type, and Arrow's are read-only or not."""

    def __init__(self, buffer: Any) -> None:
        self.buffer = buffer  # kept alive as the array's base
        self.__array_interface__ = {
            "data": (buffer.address, False),
            "shape": (buffer.size,),
            "typestr": "|u1",
            "version": 3,
        }


def strings(texts: Any) -> Strings:
    """View an Arrow array of strings (chunked, large, dictionary or view) as arrays; null reads as empty.

    Raises UsageError for anything else.
    """
    if isinstance(texts, pa.ChunkedArray):
        if texts.num_chunks == 1:
            texts = texts.chunk(0)
        else:
            texts = pa.concat_arrays(
                [chunk.cast(pa.large_string()) for chunk in texts.chunks] or [pa.array([], pa.string())]
            )
    if not isinstance(texts, pa.Array):
        raise UsageError(
            f"texts are {type(texts).__name__}.",
            "Give an Arrow array: pyarrow.array(texts, pyarrow.string()).",
        )
    kind = texts.type.value_type if pa.types.is_dictionary(texts.type) else texts.type
    if kind not in (pa.string(), pa.large_string(), pa.string_view()):
        raise UsageError(f"texts are an Arrow array of {texts.type}.", "Give one of strings.")
    if texts.type not in (pa.string(), pa.large_string()):
        texts = texts.cast(pa.large_string())
    if texts.null_count:
        texts = texts.fill_null("")
    _, offsets, data = texts.buffers()
    if not len(texts) or data is None or not data.size:
        return Strings(np.zeros(PAD, np.uint8), np.zeros(len(texts) + 1, np.int64))
    width = np.int32 if texts.type == pa.string() else np.int64
    places = np.frombuffer(offsets, width, len(texts) + 1, texts.offset * np.dtype(width).itemsize)
    return Strings(np.asarray(_Bytes(data)), places.astype(np.int64))


def in_slices(texts: Strings, threads: int, work: Callable[[int, int], T]) -> list[T]:
    """Do work(start, end) on slices of about equal bytes, a few for each thread, and keep their order."""
    rows = len(texts.offsets) - 1
    if threads <= 1 or rows < 2:
        return [work(0, rows)]
    size = texts.offsets[-1] - texts.offsets[0]
    marks = texts.offsets[0] + size * np.arange(1, threads * 4) // (threads * 4)
    cuts = np.unique(np.concatenate([[0], np.searchsorted(texts.offsets[:-1], marks), [rows]]))
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(work, cuts[:-1].tolist(), cuts[1:].tolist()))


@kernel
def longest(offsets: np.ndarray, first: int, last: int) -> int:
    """Bytes of the longest text."""
    most = 0
    for i in range(first, last):
        most = max(most, offsets[i + 1] - offsets[i])
    return most


@kernel
def find_edges(data: np.ndarray, start: int, end: int, bounds: np.ndarray) -> tuple[int, bool, bool]:
    """Write where runs of word bytes start and end; return how many places, and if all bytes are ASCII.

    And whether anything may identify: an @, or digits enough.
    """
    edges = digits = 0
    inside = high = addresses = np.uint64(0)
    for base in range(start, end, 64):
        word, above, digit, address = (
            word_bits(data, base),
            high_bits(data, base),
            digit_bits(data, base),
            at_bits(data, base),
        )
        if end - base < 64:
            rest = (_ONE << np.uint64(end - base)) - _ONE
            word &= rest
            above &= rest
            digit &= rest
            address &= rest
        high |= above
        addresses |= address
        digits += bit_count(digit)
        change = word ^ (word << _ONE | inside)
        inside = word >> np.uint64(63)
        while change != 0:
            bounds[edges] = base + low_bit(change)
            edges += 1
            change &= change - _ONE
    if edges & 1:
        bounds[edges] = end
        edges += 1
    return edges, high == 0, digits >= IN_WORD or addresses != 0


@kernel
def split(
    data: np.ndarray,
    start: int,
    end: int,
    letters: Letters,
    scratch: np.ndarray,
    bounds: np.ndarray,
) -> tuple[np.ndarray, int]:
    """Find the runs of word characters: where to read the text, and how many places bounds holds.

    ASCII is read in place, unless it ends too near to the end of its buffer; the rest in scratch. What
    belongs to something that identifies is left out.
    """
    source, first, last = data, start, end
    if end + PAD > len(data):
        for i in range(end - start):
            scratch[i] = data[start + i]
        source, first, last = scratch, 0, end - start
    edges, plain, identifying = find_edges(source, first, last, bounds)
    if not plain:
        last = lowered(data, start, end, letters, scratch)
        source, first = scratch, 0
        edges, _, identifying = find_edges(source, first, last, bounds)
    if identifying:
        edges = drop_identifiers(source, first, last, bounds, edges)
    return source, edges


@kernel
def hash_words(
    source: np.ndarray, bounds: np.ndarray, edges: int, drop_masks: bool, seed: np.uint64, words: np.ndarray
) -> int:
    """Hash the words of a split text and return how many there are; bounds then holds their places only."""
    n = 0
    for edge in range(0, edges, 2):
        start, end = bounds[edge], bounds[edge + 1]
        size = end - start
        chunk = first(fold(read8(source, start)), size)
        if size < 5 and chunk & _HIGH and one_character(chunk, size):
            continue
        if drop_masks and chunk == first(_MASK, size) and all_x(source, start, end):
            continue
        h = mix(seed ^ chunk)
        at = start + 8
        while at < end:
            h = mix(h ^ first(fold(read8(source, at)), end - at))
            at += 8
        words[n] = h
        bounds[2 * n] = start
        bounds[2 * n + 1] = end
        n += size > 1
    return n


@kernel
def one_character(chunk: np.uint64, size: int) -> bool:
    """Say whether up to four bytes hold a single character."""
    count = 0
    for _ in range(size):
        count += chunk & np.uint64(0xC0) != 0x80
        chunk >>= np.uint64(8)
    return count == 1


@kernel
def all_x(data: np.ndarray, start: int, end: int) -> bool:
    """Say whether a word is a mask: x and X only."""
    for i in range(start, end):  # noqa: SIM110 (Numba compiles no generators)
        if data[i] | 0x20 != 0x78:
            return False
    return True
