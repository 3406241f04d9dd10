"""Compile every kernel ahead of its first use; Numba keeps the machine code on disk."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from tallystick.kernels import Kernels
from tallystick.text.amounts import amounts, largest_amounts
from tallystick.text.copies import copy_keys, joined, sketch
from tallystick.text.counting import count_texts
from tallystick.text.features import build_table, know_words, make_work
from tallystick.text.fingerprints import fingerprints, hash_texts
from tallystick.text.matrix import matrix_rows, support_rows
from tallystick.text.naming import read_names
from tallystick.text.scoring import TextScorer, score_rows
from tallystick.text.spec import TextSpec
from tallystick.text.vocabulary import Vocabulary

__all__ = ["compile_kernels", "compiled"]

# The kernels that Python calls; each holds the code of those that it calls.
ENTRIES: tuple[Any, ...] = (
    build_table, count_texts, hash_texts, joined, know_words, largest_amounts, make_work, matrix_rows,
    read_names, score_rows, sketch, support_rows,
)  # fmt: skip
KERNELS = Kernels(ENTRIES)


def compiled() -> bool:
    """Say whether the kernels were compiled since this package was last changed, without compiling any."""
    return KERNELS.compiled()


def compile_kernels() -> None:
    """Compile all kernels of this package, unless that was done since it was last changed."""
    KERNELS.clear()
    texts = pa.array(["one two", "one two", "Ünder"])
    known = Vocabulary.fit(texts, TextSpec(characters=(3, 3)))
    known.matrix(texts)
    known.support(texts)
    TextScorer(known, np.zeros((len(known), 2)), np.zeros(2)).logits_and_reasons(texts)
    copy_keys(texts)
    fingerprints(texts)
    amounts(texts)
