"""Lines of memory asked for before they are needed: what Numba cannot say itself, said to LLVM."""

# ruff: noqa: ARG001 (Numba passes arguments by place)
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba.extending
from llvmlite import ir  # type: ignore[import-untyped]
from numba.core import cgutils, types

__all__ = ["ask"]

_LONG, _INT, _BYTES = ir.IntType(64), ir.IntType(32), ir.IntType(8).as_pointer()
# To be written to, to be kept near, data.
_HOW = (_INT(1), _INT(3), _INT(1))


def _intrinsic(function: Callable[..., Any]) -> Callable[..., Any]:
    """Let kernels call a function that writes LLVM code."""
    known: Callable[..., Any] = numba.extending.intrinsic(function)
    return known


@_intrinsic
def ask(typing_context: Any, table: Any, row: Any, column: Any) -> Any:
    """Ask for the line of a table's cell (eight bytes each, unsigned places); changes no value."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, args[0])
        stride = cgutils.unpack_tuple(builder, array.strides, 2)[0]
        place = builder.add(builder.ptrtoint(array.data, _LONG), builder.mul(args[1], stride))
        place = builder.inttoptr(builder.add(place, builder.mul(args[2], _LONG(8))), _BYTES)
        kind = ir.FunctionType(ir.VoidType(), [_BYTES, _INT, _INT, _INT])
        fetch = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0i8")
        builder.call(fetch, [place, *_HOW])
        return context.get_dummy_value()

    return types.void(table, types.uint64, types.uint64), generate
