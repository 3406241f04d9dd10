"""Hash function of n-grams; fixed, since bundles store the values.

A token is hashed over the UTF-8 bytes of its lower case, `_` (0x5F) read as 0x7F so that one bit
lowers all of ASCII. Eight bytes make a little-endian number c (the last one filled with zeros), and
h = mix(h ^ c) from h = seed, where mix is the finaliser of MurmurHash3 (public domain), a bijection: no
two tokens of up to eight bytes can meet. The hash of words w1 … wn is mix(hash(w1 … wn-1) * STEP + hash(wn)).
"""

from __future__ import annotations

import numpy as np

from tallystick.text.lanes import kernel, read8

__all__ = ["CHECK", "SEED", "fold", "hash_span", "join", "mix"]

SEED = np.uint64(0x9E3779B97F4A7C15)  # of the hashes that bundles hold
CHECK = np.uint64(0xD1B54A32D192ED03)  # of a second hash that tells apart what meets in the first
STEP = np.uint64(0x8CB92BA72F3D8DD7)
CHARACTERS = np.uint64(0xA0761D6478BD642F)  # xored into the seed, so that " the" is no word

_HIGH = np.uint64(0x8080808080808080)
_M1 = np.uint64(0xFF51AFD7ED558CCD)
_M2 = np.uint64(0xC4CEB9FE1A85EC53)
_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)
_33, _2, _3, _8, _64, _0 = (np.uint64(n) for n in (33, 2, 3, 8, 64, 0))


@kernel
def mix(h: np.uint64) -> np.uint64:
    """MurmurHash3's 64-bit finaliser."""
    h = (h ^ (h >> _33)) * _M1
    h = (h ^ (h >> _33)) * _M2
    return h ^ (h >> _33)


@kernel
def join(left: np.uint64, right: np.uint64) -> np.uint64:
    """Hash of an n-gram, from that of all but its last word and that of its last."""
    return mix(left * STEP + right)


@kernel
def fold(chunk: np.uint64) -> np.uint64:
    """Lower eight ASCII word characters at once; bytes above ASCII stay."""
    return chunk | ((~chunk & _HIGH) >> _2)


@kernel
def first(chunk: np.uint64, length: int) -> np.uint64:
    """Keep the first bytes of a chunk, 1 to 8 (more: all of them)."""
    keep = np.uint64(min(length, 8))
    return chunk & (_ALL >> (_64 - (keep << _3)))


@kernel
def hash_span(data: np.ndarray, start: int, end: int, seed: np.uint64) -> np.uint64:
    """Hash of the bytes from start to end, at least one of them, of already lowered letters."""
    h = np.uint64(seed)
    at = start
    while at < end:
        h = mix(h ^ first(fold(read8(data, at)), end - at))
        at += 8
    return h
