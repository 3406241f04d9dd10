"""Exact sums of money and of its squares in int64 words that add up and can be taken off again.

An amount (at most 10^15 minor units either way) is hi * 2^32 + lo; its square is three limbs of 34 bits. Sums
of such words are exact for half a billion (2^29) events; a float64 is made once, at the end, correctly
rounded.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["nearest", "spread", "square"]

_LOW32 = (1 << 32) - 1
_LOW34 = (1 << 34) - 1
_LOW25 = (1 << 25) - 1


@njit(nogil=True, cache=True, _nrt=False)  # type: ignore[untyped-decorator]
def nearest(low: int, high: int) -> float:
    """Return high * 2^32 + low as the nearest float64; low >= 0."""
    high += low >> 32
    return float(high) * 4294967296.0 + float(low & _LOW32)  # both exact: one rounding


@njit(nogil=True, cache=True, _nrt=False)  # type: ignore[untyped-decorator]
def square(value: int) -> tuple[int, int, int]:
    """Return the square of an amount as three limbs of 34 bits."""
    size = abs(value)
    high, low = size >> 25, size & _LOW25
    middle, top = 2 * high * low, high * high
    first = low * low
    zero = (first & _LOW34) + ((middle & 511) << 25)
    one = (first >> 34) + ((middle >> 9) & _LOW34) + ((top & 0x3FFFF) << 16) + (zero >> 34)
    return zero & _LOW34, one & _LOW34, (top >> 18) + (middle >> 43) + (one >> 34)


@njit(nogil=True, cache=True, _nrt=False)  # type: ignore[untyped-decorator]
def _add(digits: NDArray[np.uint64], value: int, shift: int) -> None:
    """Add value * 2^shift to a number in digits of 32 bits; value >= 0."""
    place, bits = shift >> 5, shift & 31
    low = np.uint64(value & _LOW32) << np.uint64(bits)
    high = np.uint64(value >> 32) << np.uint64(bits)
    carry = np.uint64(0)
    mask, half = np.uint64(_LOW32), np.uint64(32)
    parts = (low & mask, (low >> half) + (high & mask), high >> half)
    for i in range(place, len(digits)):
        total = digits[i] + carry
        if i - place < 3:
            total += parts[i - place]
        digits[i] = total & mask
        carry = total >> half


@njit(nogil=True, cache=True, _nrt=False)  # type: ignore[untyped-decorator]
def _spread_large(
    n: int, low: int, high: int, s0: int, s1: int, s2: int, scratch: NDArray[np.int64]
) -> float:
    """Return n * squares - sum^2 by schoolbook arithmetic, correctly rounded."""
    mask, half = np.uint64(_LOW32), np.uint64(32)
    high += low >> 32
    low &= _LOW32
    if high < 0:  # the size of the sum: its square is the same
        high = -high
        if low:
            high, low = high - 1, (1 << 32) - low
    size = (np.uint64(low), np.uint64(high & _LOW32), np.uint64(high >> 32))
    scratch[:16] = 0
    squares, taken = scratch[:8].view(np.uint64), scratch[8:16].view(np.uint64)
    _add(squares, s0, 0)
    _add(squares, s1, 34)
    _add(squares, s2, 68)
    carry = np.uint64(0)
    for i in range(8):
        total = squares[i] * np.uint64(n) + carry
        squares[i] = total & mask
        carry = total >> half
    for i in range(3):
        carry = np.uint64(0)
        for j in range(5):
            total = taken[i + j] + carry
            if j < 3:
                total += size[i] * size[j]
            taken[i + j] = total & mask
            carry = total >> half
    borrow = np.uint64(0)
    for i in range(8):
        less = taken[i] + borrow
        borrow = np.uint64(1) if squares[i] < less else np.uint64(0)
        squares[i] = (squares[i] + (borrow << half)) - less
    top = 7
    while top > 1 and squares[top] == 0:
        top -= 1
    lead = (squares[top] << half) | squares[top - 1]
    rest = squares[top - 2] if top > 1 else np.uint64(0)
    shift = 0
    while shift < 32 and lead < np.uint64(1 << 63):
        lead = (lead << np.uint64(1)) | ((rest >> np.uint64(31)) & np.uint64(1))
        rest = (rest << np.uint64(1)) & mask
        shift += 1
    sticky = rest != 0
    for i in range(top - 2):
        sticky = sticky or squares[i] != 0
    if sticky:
        lead |= np.uint64(1)
    return math.ldexp(float(lead), 32 * (top - 1) - shift)


@njit(nogil=True, cache=True, _nrt=False)  # type: ignore[untyped-decorator]
def spread(n: int, low: int, high: int, s0: int, s1: int, s2: int, scratch: NDArray[np.int64]) -> float:
    """Return the variance (n - 1) of n >= 2 amounts from their sum and their sum of squares.

    The integer n * squares - sum^2 is exact and rounded once; so is the quotient. scratch: int64, at
    least 16 words, of any content.
    """
    high += low >> 32
    low &= _LOW32
    small = s2 == 0 and s1 < 256 and s0 < (1 << 42) and n < (1 << 19) and -1 <= high <= 0
    if small:
        total = (high << 32) + low
        if -(1 << 31) < total < (1 << 31):
            left = n * (s0 + (s1 << 34)) - total * total
            return float(left) / float(n * (n - 1))
    return float(_spread_large(n, low, high, s0, s1, s2, scratch)) / float(n * (n - 1))
