"""Four points of an integral at a time: the arithmetic of one turn of a tree, said to LLVM as vectors.

LLVM turns these into what the machine at hand has (AVX2, NEON); the values are the same on each. A *state* is
what is known of a node at four points, 16 numbers: the product of all factors down to it (on the way back the
leaves below, added up), its effect, the inverse of its feature's factor, and what knowing that feature does
to the factor, as a share of it. Of the points there are as many: q, 1 - q, the weights, and nothing.
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

__all__ = ["LANES", "WIDTH", "add_up", "rule", "turn", "turn_to_leaves"]

LANES = 4
#: Numbers of a state, and of four points.
WIDTH = 4 * LANES
PRODUCT, EFFECT, INVERSE, CHANGE = range(0, WIDTH, LANES)

_DOUBLE, _LONG = ir.DoubleType(), ir.IntType(64)
_VECTOR = ir.VectorType(_DOUBLE, LANES)
_NUMBERS = types.Array(types.float64, 1, "C")


def rule(count: int) -> NDArray[np.float64]:
    """Return Gauss-Legendre's points and weights on 0 … 1, four a row; those that fill a row weigh nothing.

    >>> rule(1)[0, [0, 8, 9]].tolist()
    [0.5, 1.0, 0.0]
    """
    x, w = np.polynomial.legendre.leggauss(count)
    rows = -(-count // LANES)
    q, weight = np.full(rows * LANES, 0.5), np.zeros(rows * LANES)
    q[:count], weight[:count] = (x + 1) / 2, w / 2
    parts = [part.reshape(rows, LANES) for part in (q, 1 - q, weight, 0 * q)]
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


class _Child(NamedTuple):
    product: Any
    effect: Any
    inverse: Any
    change: Any


def _children(
    code: _Code, state: Any, points: Any, four: Any, own: Any, up: Any, children: Any
) -> list[_Child]:
    """Return both children's states; children: of each whether the row goes there, its share, its value."""
    b = code.builder
    q, unknown = code.load(points, four), code.load(points, four, LANES)
    here, undone = code.load(state, own, PRODUCT), code.load(state, up, INVERSE)
    before = code.load(state, up, CHANGE)
    found = []
    for goes, share, value in (children[:3], children[3:]):
        factor = b.fadd(b.fmul(q, code.all_of(goes)), b.fmul(unknown, code.all_of(share)))
        inverse = b.fdiv(ir.Constant(_VECTOR, [1.0] * LANES), factor)
        change = b.fmul(code.all_of(b.fsub(goes, share)), inverse)
        # The factor takes the place of the one that the same feature had further up.
        product = b.fmul(b.fmul(b.fmul(here, factor), undone), code.all_of(value))
        found.append(_Child(product, b.fsub(change, before), inverse, change))
    return found


def _summed(code: _Code, both: list[_Child], state: Any, own: Any, effects: Any, spot: Any) -> None:
    """Write what the turns of a node add to its feature, and the leaves below it, added up."""
    left, right = both
    b = code.builder
    effect = b.fadd(b.fmul(left.product, left.effect), b.fmul(right.product, right.effect))
    code.store(effect, effects, spot, width=LANES)
    code.store(b.fadd(left.product, right.product), state, own, PRODUCT)


@_intrinsic
def turn(
    typing_context: Any, state: Any, points: Any, four: Any, own: Any, up: Any, left: Any, goes_left: Any,
    share_left: Any, value_left: Any, goes_right: Any, share_right: Any, value_right: Any,
) -> Any:  # fmt: skip
    """Go on from node `own` to its children, `left` and the one behind it.

    four: the row of the points; up: the nearest node above on the same feature; goes: 1 or 0.
    """

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        code = _Code(context, builder, signature, args)
        state, points, four, own, up, left, *children = code.arguments
        both = _children(code, state, points, four, own, up, children)
        for place, child in zip((left, builder.add(left, _LONG(1))), both, strict=True):
            for offset, value in zip((PRODUCT, EFFECT, INVERSE, CHANGE), child, strict=True):
                code.store(value, state, place, offset)
        return context.get_dummy_value()

    return types.void(_NUMBERS, _NUMBERS, *[types.uint64] * 4, *[types.float64] * 6), generate


@_intrinsic
def turn_to_leaves(
    typing_context: Any, state: Any, points: Any, four: Any, own: Any, up: Any, effects: Any, spot: Any,
    goes_left: Any, share_left: Any, value_left: Any, goes_right: Any, share_right: Any, value_right: Any,
) -> Any:  # fmt: skip
    """Do as `turn` and `add_up` where both children are leaves, which need no state then."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        code = _Code(context, builder, signature, args)
        state, points, four, own, up, effects, spot, *children = code.arguments
        both = _children(code, state, points, four, own, up, children)
        _summed(code, both, state, own, effects, spot)
        return context.get_dummy_value()

    whole = types.uint64
    return types.void(
        _NUMBERS, _NUMBERS, whole, whole, whole, _NUMBERS, whole, *[types.float64] * 6
    ), generate


@_intrinsic
def add_up(typing_context: Any, state: Any, own: Any, left: Any, effects: Any, spot: Any) -> Any:
    """Write what both children add to the feature of a node (four numbers), and add up their leaves."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        code = _Code(context, builder, signature, args)
        state, own, left, effects, spot = code.arguments
        both = [
            _Child(code.load(state, place, PRODUCT), code.load(state, place, EFFECT), None, None)
            for place in (left, builder.add(left, _LONG(1)))
        ]
        _summed(code, both, state, own, effects, spot)
        return context.get_dummy_value()

    return types.void(_NUMBERS, types.uint64, types.uint64, _NUMBERS, types.uint64), generate
