"""Weights of counts, and row normalisation."""

from __future__ import annotations

import numpy as np

from tallystick.text.lanes import kernel

__all__ = ["JOINT", "count_weights", "scales", "weigh"]

COMMON = 256  # counts whose weight is looked up
JOINT = -1.0  # in place of a weight of characters: words and characters are one vector


def count_weights(sublinear: bool) -> np.ndarray:
    """Weight of each count below COMMON."""
    counts = np.arange(COMMON, dtype=np.float64)
    return 1 + np.log(np.maximum(counts, 1)) if sublinear else counts


@kernel
def weigh(count: int, weights: np.ndarray, sublinear: bool) -> float:
    """Weight of a count: 1 + ln n, or n."""
    weight: float = weights[min(count, len(weights) - 1)]
    if count >= len(weights):
        weight = 1 + np.log(count) if sublinear else float(count)
    return weight


@kernel
def scales(words: float, characters: float, characters_weight: float) -> tuple[float, float]:
    """Factors for words and for characters, from their sums of squares."""
    if characters_weight == JOINT:
        both = words + characters
        scale = 1 / np.sqrt(both) if both > 0 else 0.0
        return scale, scale
    return (
        1 / np.sqrt(words) if words > 0 else 0.0,
        characters_weight / np.sqrt(characters) if characters > 0 else 0.0,
    )
