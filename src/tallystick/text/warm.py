"""Compile every kernel ahead of its first use; Numba keeps the machine code on disk."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from tallystick.text.amounts import amounts, largest_amounts
from tallystick.text.copies import near_copies, sketch
from tallystick.text.counting import count_texts
from tallystick.text.features import build_table, know_words, make_work
from tallystick.text.matrix import matrix_rows
from tallystick.text.naming import read_names
from tallystick.text.scoring import TextScorer, score_rows
from tallystick.text.spec import TextSpec
from tallystick.text.vocabulary import Vocabulary

__all__ = ["compile_kernels", "compiled"]

# The kernels that Python calls; each holds the code of those that it calls.
ENTRIES: tuple[Any, ...] = (
    build_table, count_texts, know_words, largest_amounts, make_work, matrix_rows, read_names, score_rows,
    sketch,
)  # fmt: skip


def _modules() -> list[Path]:
    return sorted(Path(__file__).parent.glob("*.py"))


def _cached(pattern: str) -> list[Path]:
    """Files of Numba's cache for this package."""
    return sorted(Path(ENTRIES[0].stats.cache_path).glob(pattern))


def compiled() -> bool:
    """Say whether the kernels were compiled since this package was last changed, without compiling any."""
    changed = max(module.stat().st_mtime for module in _modules())
    version = f"py{sys.version_info.major}{sys.version_info.minor}"
    for kernel in ENTRIES:
        function = kernel.py_func
        module = Path(function.__code__.co_filename).stem
        found = _cached(f"{module}.{function.__qualname__}-*.{version}*.nbi")
        if not any(path.stat().st_mtime >= changed for path in found):
            return False
    return True


def compile_kernels() -> None:
    """Compile all kernels of this package, unless that was done since it was last changed.

    Numba looks only at the file that a kernel stands in, not at those of the kernels that it calls, so
    after any change all of the package's machine code is thrown away first.
    """
    if not compiled():
        for module in _modules():
            for path in _cached(f"{module.stem}.*.nb[ic]"):
                path.unlink(missing_ok=True)
    texts = pa.array(["one two", "one two", "Ünder"])
    known = Vocabulary.fit(texts, TextSpec(characters=(3, 3)))
    known.matrix(texts)
    TextScorer(known, np.zeros((len(known), 2)), np.zeros(2)).logits_and_reasons(texts)
    near_copies(texts)
    amounts(texts)
