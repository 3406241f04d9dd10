"""Eight and sixty-four bytes at a time: what Numba cannot say itself, said to LLVM.

LLVM turns these into what the machine at hand has (AVX-512, AVX2, NEON); the values are the same on each.
All read past `at`: callers see to it that the bytes are there.
"""

# ruff: noqa: ARG001 (Numba passes arguments by place)
from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numba.extending
import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba.core import types

__all__ = ["high_bits", "kernel", "low_bit", "read8", "widened", "word_bits"]

F = TypeVar("F", bound=Callable[..., Any])
BYTE, LONG = ir.IntType(8), ir.IntType(64)
SIGNATURE = types.uint64(types.Array(types.uint8, 1, "C"), types.int64)


def kernel(function: F) -> F:
    """Compile a function with Numba: without the GIL, without fast-math, kept on disk."""
    compiled: F = numba.njit(nogil=True, cache=True)(function)
    return compiled


@kernel
def widened(array: np.ndarray, size: int) -> np.ndarray:
    """Move an array into a larger one. (np.concatenate takes Numba ten times as long to compile.)"""
    larger = np.empty(size, array.dtype)
    for i in range(len(array)):
        larger[i] = array[i]
    return larger


def intrinsic(function: Callable[..., Any]) -> Callable[..., Any]:
    """Let kernels call a function that writes LLVM code."""
    known: Callable[..., Any] = numba.extending.intrinsic(function)
    return known


def _pointer(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    """Address of `data[at]`, without bounds or wrap-around."""
    array = context.make_array(signature.args[0])(context, builder, args[0])
    return builder.gep(array.data, [args[1]])


@intrinsic
def read8(typing_context: Any, data: Any, at: Any) -> Any:
    """Eight bytes from `data[at]` on, as one little-endian number."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        place = builder.bitcast(_pointer(context, builder, signature, args), LONG.as_pointer())
        return builder.load(place, align=1)

    return SIGNATURE, generate


def _lanes(context: Any, builder: Any, signature: Any, args: Any) -> tuple[Any, Callable[[int], Any]]:
    """The 64 bytes from `data[at]` on as one vector, and a way to write vectors of one value."""
    vector = ir.VectorType(BYTE, 64)
    place = builder.bitcast(_pointer(context, builder, signature, args), vector.as_pointer())
    return builder.load(place, align=1), lambda value: ir.Constant(vector, [value] * 64)


@intrinsic
def high_bits(typing_context: Any, data: Any, at: Any) -> Any:
    """Which of the 64 bytes from `data[at]` on lie above ASCII: bit i for byte i."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        chunk, all_of = _lanes(context, builder, signature, args)
        return builder.bitcast(builder.icmp_unsigned(">=", chunk, all_of(0x80)), LONG)

    return SIGNATURE, generate


@intrinsic
def word_bits(typing_context: Any, data: Any, at: Any) -> Any:
    """Which of the 64 bytes from `data[at]` on belong to words: bit i for byte i.

    A byte belongs to a word if it is an ASCII letter, digit or underscore, or any byte above ASCII.
    """

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        chunk, all_of = _lanes(context, builder, signature, args)

        def within(of: Any, first: str, count: int) -> Any:
            return builder.icmp_unsigned("<", builder.sub(of, all_of(ord(first))), all_of(count))

        word = builder.icmp_unsigned(">=", chunk, all_of(0x80))
        word = builder.or_(word, within(builder.or_(chunk, all_of(0x20)), "a", 26))
        word = builder.or_(word, within(chunk, "0", 10))
        word = builder.or_(word, builder.icmp_unsigned("==", chunk, all_of(ord("_"))))
        return builder.bitcast(word, LONG)

    return SIGNATURE, generate


@intrinsic
def low_bit(typing_context: Any, bits: Any) -> Any:
    """Place of the lowest bit that is set, 0 … 63; of nothing, 64."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 0))

    return types.int64(types.uint64), generate
