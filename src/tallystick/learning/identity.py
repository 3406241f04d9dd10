"""What tells training rows apart: the fingerprint of the data, and which held-out scores a bundle keeps."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tallystick.feature_extraction import Features, identity_of
from tallystick.tasks import Dataset

__all__ = ["identity"]


def identity(dataset: Dataset, features: Sequence[Features]) -> NDArray[np.uint64]:
    """Return 64 bits of each row: of what its features say, else of its id."""
    found = identity_of(features, dataset.rows)
    if found is not None:
        return found
    digests = (hashlib.blake2b(str(one).encode(), digest_size=8).digest() for one in dataset.ids.to_pylist())
    return np.frombuffer(b"".join(digests), dtype="<u8").astype(np.uint64)
