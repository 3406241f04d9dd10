"""Which rows are copies of rows that a model was trained on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tallystick.feature_extraction import Features, copy_keys_of
from tallystick.text import fingerprints

__all__ = ["copy_keys"]


def copy_keys(
    features: Sequence[Features], rows: pa.RecordBatch, ids: pa.Array, *, training: bool = False
) -> NDArray[np.uint64]:
    """Hash what rows share with their near copies, uint64 (rows, levels): what features say, else the id.

    training: these are all training rows.
    """
    found = copy_keys_of(features, rows, training=training)
    if found is None:
        of_ids: NDArray[np.uint64] = fingerprints(ids.cast(pa.string()))
        found = of_ids[:, None]
    return found
