"""The kernels of aggregates can be compiled ahead, all of them."""

from __future__ import annotations

from tallystick.streams.aggregates import warm


def test_compiling_ahead_compiles_every_kernel() -> None:
    warm.compile_kernels()
    assert warm.KERNELS.compiled()
