"""Four points of an integral at a time: the arithmetic of one turn of a tree, said to LLVM as vectors.

LLVM turns these into what the machine at hand has (AVX2, NEON); the values are the same on each. A *state* is
what is known of a node at four points, 16 numbers: the product of all factors down to it (on the way back the
leaves below, added up), its effect, and, where the row goes there, the inverse of its feature's factor and
what knowing that feature changes. The points are 16 numbers too: q, 1 - q, -1 / (1 - q) and the weights.
"""

# ruff: noqa: ARG001 (Numba passes arguments by place)
from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numba.extending
import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba.core import types
from numpy.typing import NDArray

__all__ = ["LANES", "WIDTH", "add_up", "pass_on", "pass_on_to_leaves", "rule", "turn", "turn_to_leaves"]

LANES = 4
#: Numbers of a state, and of four points.
WIDTH = 4 * LANES
PRODUCT, EFFECT, INVERSE, CHANGE = range(0, WIDTH, LANES)

_DOUBLE, _LONG = ir.DoubleType(), ir.IntType(64)
_VECTOR = ir.VectorType(_DOUBLE, LANES)
_NUMBERS = types.Array(types.float64, 1, "C")


def rule(count: int) -> NDArray[np.float64]:
    """Return Gauss-Legendre's points and weights on 0 … 1, four a row; those that fill a row weigh nothing.

    >>> rule(1)[0, [0, 12, 13]].tolist()
    [0.5, 1.0, 0.0]
    """
    x, w = np.polynomial.legendre.leggauss(count)
    rows = -(-count // LANES)
    q, weight = np.full(rows * LANES, 0.5), np.zeros(rows * LANES)
    q[:count], weight[:count] = (x + 1) / 2, w / 2
    parts = [part.reshape(rows, LANES) for part in (q, 1 - q, -1 / (1 - q), weight)]
    return np.ascontiguousarray(np.concatenate(parts, axis=1))


def _intrinsic(function: Callable[..., Any]) -> Callable[..., Any]:
    """Let kernels call a function that writes LLVM code."""
    known: Callable[..., Any] = numba.extending.intrinsic(function)
    return known


class _Code:
    """Writes vector code: loads from and stores to numbers of an array, without bounds or wrap-around."""

    def __init__(self, context: Any, builder: Any, signature: Any, args: Any) -> None:
        self.builder = builder
        self.arguments = [
            context.make_array(kind)(context, builder, value).data if isinstance(kind, types.Array) else value
            for kind, value in zip(signature.args, args, strict=True)
        ]

    def place(self, data: Any, row: Any, width: int, offset: int) -> Any:
        at = self.builder.add(self.builder.mul(row, _LONG(width)), _LONG(offset))
        return self.builder.bitcast(self.builder.gep(data, [at]), _VECTOR.as_pointer())

    def load(self, data: Any, row: Any, offset: int = 0, width: int = WIDTH) -> Any:
        return self.builder.load(self.place(data, row, width, offset), align=8)

    def store(self, value: Any, data: Any, row: Any, offset: int = 0, width: int = WIDTH) -> None:
        self.builder.store(value, self.place(data, row, width, offset), align=8)

    def all_of(self, number: Any) -> Any:
        nothing = ir.Constant(_VECTOR, ir.Undefined)
        zeros = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
        return self.builder.shuffle_vector(
            self.builder.insert_element(nothing, number, ir.IntType(32)(0)), nothing, zeros
        )

    def add_to(self, sums: Any, row: Any, value: Any) -> None:
        self.store(self.builder.fadd(self.load(sums, row, width=LANES), value), sums, row, width=LANES)


class _Turn(NamedTuple):
    """Of both ways: products and effects; of the row's own: inverse and change."""

    product: Any
    other: Any
    effect: Any
    away: Any
    inverse: Any
    change: Any


def _turned(
    code: _Code, state: Any, points: Any, own: Any, up: Any, share: Any, value: Any, rest: Any
) -> _Turn:
    b, first = code.builder, _LONG(0)
    q, unknown, away = (code.load(points, first, at) for at in (0, LANES, 2 * LANES))
    # The factor takes the place of the one that the same feature had further up.
    here = b.fmul(code.load(state, own, PRODUCT), code.load(state, up, INVERSE))
    before = code.load(state, up, CHANGE)
    factor = b.fadd(q, b.fmul(unknown, code.all_of(share)))
    inverse = b.fdiv(ir.Constant(_VECTOR, [1.0] * LANES), factor)
    change = b.fmul(code.all_of(b.fsub(ir.Constant(_DOUBLE, 1.0), share)), inverse)
    return _Turn(
        b.fmul(b.fmul(here, factor), code.all_of(value)),
        b.fmul(b.fmul(here, unknown), code.all_of(rest)),
        b.fsub(change, before),
        b.fsub(away, before),
        inverse,
        change,
    )


@_intrinsic
def turn(
    typing_context: Any, state: Any, points: Any, own: Any, up: Any, goes: Any, other: Any, share: Any,
    value: Any, rest: Any,
) -> Any:  # fmt: skip
    """Go on from node `own` to its children: `goes`, where the row goes, and the `other`.

    up: the nearest node above on the same feature, where the row went; share, value: of the child that the
    row goes to; rest: share times value of the other.
    """

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        code = _Code(context, builder, signature, args)
        state, points, own, up, goes, other, share, value, rest = code.arguments
        found = _turned(code, state, points, own, up, share, value, rest)
        code.store(found.product, state, goes, PRODUCT)
        code.store(found.effect, state, goes, EFFECT)
        code.store(found.inverse, state, goes, INVERSE)
        code.store(found.change, state, goes, CHANGE)
        code.store(found.other, state, other, PRODUCT)
        code.store(found.away, state, other, EFFECT)
        return context.get_dummy_value()

    whole, number = types.uint64, types.float64
    return types.void(_NUMBERS, _NUMBERS, whole, whole, whole, whole, number, number, number), generate


@_intrinsic
def turn_to_leaves(
    typing_context: Any, state: Any, points: Any, own: Any, up: Any, share: Any, value: Any, rest: Any,
    sums: Any, feature: Any,
) -> Any:  # fmt: skip
    """Do as `turn` and `add_up` where both children are leaves, which need no state then."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        code = _Code(context, builder, signature, args)
        state, points, own, up, share, value, rest, sums, feature = code.arguments
        found = _turned(code, state, points, own, up, share, value, rest)
        known, unknown = builder.fmul(found.product, found.effect), builder.fmul(found.other, found.away)
        code.add_to(sums, feature, builder.fadd(known, unknown))
        code.store(builder.fadd(found.product, found.other), state, own, PRODUCT)
        return context.get_dummy_value()

    whole, number = types.uint64, types.float64
    return types.void(_NUMBERS, _NUMBERS, whole, whole, number, number, number, _NUMBERS, whole), generate


@_intrinsic
def pass_on(typing_context: Any, state: Any, own: Any, child: Any, share: Any) -> Any:
    """Go on to a child on a feature whose turns the row has left already: its share, and no effect."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        code = _Code(context, builder, signature, args)
        state, own, child, share = code.arguments
        code.store(builder.fmul(code.load(state, own, PRODUCT), code.all_of(share)), state, child, PRODUCT)
        code.store(ir.Constant(_VECTOR, [0.0] * LANES), state, child, EFFECT)
        return context.get_dummy_value()

    return types.void(_NUMBERS, types.uint64, types.uint64, types.float64), generate


@_intrinsic
def pass_on_to_leaves(typing_context: Any, state: Any, own: Any, rest: Any) -> Any:
    """Do as `pass_on` and `add_up` where both children are leaves; rest: share times value of both."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        code = _Code(context, builder, signature, args)
        state, own, rest = code.arguments
        code.store(builder.fmul(code.load(state, own, PRODUCT), code.all_of(rest)), state, own, PRODUCT)
        return context.get_dummy_value()

    return types.void(_NUMBERS, types.uint64, types.float64), generate


@_intrinsic
def add_up(typing_context: Any, state: Any, own: Any, left: Any, sums: Any, feature: Any) -> Any:
    """Add the effects of both children to the sums of a feature (four numbers each), and up their leaves."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        code = _Code(context, builder, signature, args)
        state, own, left, sums, feature = code.arguments
        right = builder.add(left, _LONG(1))
        a, b = code.load(state, left, PRODUCT), code.load(state, right, PRODUCT)
        effect = builder.fmul(a, code.load(state, left, EFFECT))
        effect = builder.fadd(effect, builder.fmul(b, code.load(state, right, EFFECT)))
        code.add_to(sums, feature, effect)
        code.store(builder.fadd(a, b), state, own, PRODUCT)
        return context.get_dummy_value()

    return types.void(_NUMBERS, types.uint64, types.uint64, _NUMBERS, types.uint64), generate
