"""The kernels of aggregates can be compiled ahead, all of them."""

from __future__ import annotations

import subprocess
import sys

CODE = """
from tallystick.streams.aggregates import warm
warm.compile_kernels()
print(warm.KERNELS.compiled())
"""


def test_compiling_ahead_compiles_every_kernel() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"
