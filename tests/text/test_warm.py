"""Kernels are compiled once, and known to be."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tallystick.text import compile_kernels, compiled
from tallystick.text.warm import ENTRIES


def test_compile_kernels_leaves_nothing_to_compile() -> None:
    compile_kernels()
    assert compiled()
    assert all(len(kernel.signatures) >= 1 for kernel in ENTRIES)


def test_an_empty_cache_is_seen(tmp_path: Path) -> None:
    code = "from tallystick.text import compiled; print(compiled())"
    env = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
