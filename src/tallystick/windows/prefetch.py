"""Prefetching of memory in kernels: an LLVM instruction that Numba does not offer."""

# ruff: noqa: ARG001 (Numba passes arguments by place)
from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numba.extending
import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba.core import cgutils, types
from numpy.typing import NDArray

__all__ = ["LINE", "aligned", "prefetch"]

#: Words of one line of memory.
LINE: Final = 8
_INT, _BYTES = ir.IntType(32), ir.IntType(8).as_pointer()
# To be read, to lie in the second cache (the first is full of the rows at work), data.
_HOW = (_INT(0), _INT(2), _INT(1))


def _intrinsic(function: Callable[..., Any]) -> Callable[..., Any]:
    """Let kernels call a function that writes LLVM code."""
    known: Callable[..., Any] = numba.extending.intrinsic(function)
    return known


@_intrinsic
def prefetch(typing_context: Any, address: Any) -> Any:
    """Prefetch the line of memory at an address; changes no value."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind = ir.FunctionType(ir.VoidType(), [_BYTES, _INT, _INT, _INT])
        fetch = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0i8")
        builder.call(fetch, [builder.inttoptr(args[0], _BYTES), *_HOW])
        return context.get_dummy_value()

    return types.void(types.int64), generate


def aligned(rows: int, wide: int, kind: type[np.generic]) -> NDArray[Any]:
    """Return room for rows of words of eight bytes that begins where a line does.

    >>> aligned(1000, 3, np.int64).ctypes.data % 64
    0
    """
    room = np.empty(rows * wide + LINE - 1, kind)
    first = -(room.ctypes.data // room.itemsize) % LINE
    return room[first : first + rows * wide].reshape(rows, wide)
