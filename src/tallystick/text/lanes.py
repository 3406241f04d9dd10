"""SIMD helpers on 8 and 64 bytes, written in LLVM IR where Numba has no equivalent.

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
from numba.core import cgutils, types

__all__ = [
    "add_four",
    "at_bits",
    "bit_count",
    "digit_bits",
    "high_bits",
    "kernel",
    "low_bit",
    "read8",
    "widened",
    "word_bits",
]

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
def digit_bits(typing_context: Any, data: Any, at: Any) -> Any:
    """Which of the 64 bytes from `data[at]` on are ASCII digits: bit i for byte i."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        chunk, all_of = _lanes(context, builder, signature, args)
        digit = builder.icmp_unsigned("<", builder.sub(chunk, all_of(ord("0"))), all_of(10))
        return builder.bitcast(digit, LONG)

    return SIGNATURE, generate


@intrinsic
def at_bits(typing_context: Any, data: Any, at: Any) -> Any:
    """Which of the 64 bytes from `data[at]` on are an @: bit i for byte i."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        chunk, all_of = _lanes(context, builder, signature, args)
        return builder.bitcast(builder.icmp_unsigned("==", chunk, all_of(ord("@"))), LONG)

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
def add_four(
    typing_context: Any, rows: Any, starts: Any, weights: Any, at: Any, blocks: Any, sums: Any
) -> Any:
    """Add weights[at + i] * rows[starts[at + i] + c] for i = 0 … 3 to sums[c], for c below 8 * blocks.

    Eight float64 at a time, in this order, each product rounded before it is added.
    """

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        vector = ir.VectorType(ir.DoubleType(), 8)
        nothing = ir.Constant(vector, ir.Undefined)
        zeros = ir.Constant(ir.VectorType(ir.IntType(32), 8), [0] * 8)
        row_data, start_data, weight_data, sum_data = (
            context.make_array(signature.args[i])(context, builder, args[i]).data for i in (0, 1, 2, 5)
        )
        starts, weights = [], []
        for i in range(4):
            place = builder.add(args[3], LONG(i))
            starts.append(builder.load(builder.gep(start_data, [place])))
            weight = builder.load(builder.gep(weight_data, [place]))
            weight = builder.insert_element(nothing, weight, ir.IntType(32)(0))
            weights.append(builder.shuffle_vector(weight, nothing, zeros))
        with cgutils.for_range(builder, args[4]) as loop:
            block = builder.mul(loop.index, LONG(8))
            place = builder.bitcast(builder.gep(sum_data, [block]), vector.as_pointer())
            total = builder.load(place, align=8)
            for start, weight in zip(starts, weights, strict=True):
                row = builder.gep(row_data, [builder.add(start, block)])
                values = builder.load(builder.bitcast(row, vector.as_pointer()), align=8)
                total = builder.fadd(total, builder.fmul(weight, values))
            builder.store(total, place, align=8)
        return context.get_dummy_value()

    numbers, places = types.Array(types.float64, 1, "C"), types.Array(types.int64, 1, "C")
    return types.void(numbers, places, numbers, types.int64, types.int64, numbers), generate


@intrinsic
def bit_count(typing_context: Any, bits: Any) -> Any:
    """How many bits are set."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.ctpop(args[0])

    return types.int64(types.uint64), generate


@intrinsic
def low_bit(typing_context: Any, bits: Any) -> Any:
    """Place of the lowest bit that is set, 0 … 63; of nothing, 64."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 0))

    return types.int64(types.uint64), generate
