"""Checks and weights of dense samples."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from tallystick.errors import DataError
from tallystick.learners.base import Sample, class_weights

__all__ = ["balanced_weights", "dense_matrix", "one_thread", "refuse_unlearnable"]

Floats = NDArray[np.float64]

#: Trees compare values in float32.
LARGEST = float(np.finfo(np.float32).max)


def dense_matrix(sample: Sample, needs_labels: bool = True) -> Floats:
    """Return the matrix of a sample, C-contiguous; DataError where nothing can be learned from it.

    >>> import numpy as np
    >>> dense_matrix(Sample(np.ones((2, 1)), np.array([0, 1]), 2)).tolist()
    [[1.0], [1.0]]
    """
    matrix = np.ascontiguousarray(sample.matrix, dtype=np.float64)
    rows, features = matrix.shape
    if not rows or not features:
        raise DataError(
            f"There is nothing to learn from: {rows} rows of {features} features.",
            "Give rows, and columns that features can be made of.",
        )
    # NaN compares False and stays: it is missing.
    too_large = np.abs(matrix) > LARGEST
    if too_large.any():
        column = int(too_large.any(axis=0).argmax())
        raise DataError(
            f"Feature number {column + 1} holds the value {matrix[too_large[:, column], column][0]}.",
            "Leave such values out, or make them missing.",
        )
    if needs_labels:
        refuse_unlearnable(sample)
    return matrix


def refuse_unlearnable(sample: Sample) -> None:
    """Raise DataError where labels leave nothing to learn."""
    rows = len(sample.truth)
    if sample.target == "amount":
        if not np.isfinite(sample.truth).all():
            raise DataError("An amount to learn from is no number.", "Leave rows without an amount out.")
    elif len(sample.present) < 2 and sample.target == "binary":
        # Two classes are taken apart here, so one that is absent leaves nothing to learn.
        what = "an event (1)" if int(sample.present[0]) else "no event (0)"
        raise DataError(
            f"All {rows:,} rows to learn from are {what}; nothing can be told apart.",
            "Give rows of both, for instance a longer time; or learn without labels what is odd.",
        )
    elif len(sample.present) < 2:
        raise DataError(
            f"All {rows:,} rows to learn from are of one class; nothing can be told apart.",
            "Give rows of other classes.",
        )


def balanced_weights(sample: Sample, power: float) -> Floats:
    """Weigh rows by their own weight and by (mean count / count of their class) ** power, mean one.

    An amount has no classes: rows then count by their own weight alone.
    """
    weights = sample.weights
    if sample.target != "amount":
        by_class = np.zeros(sample.classes)
        for code, weight in class_weights(sample, power).items():
            by_class[code] = weight
        weights = weights * by_class[sample.truth]
    return np.asarray(weights * (len(weights) / weights.sum()), dtype=np.float64)


@contextmanager
def one_thread() -> Iterator[None]:
    """Hold NumPy's and SciPy's linear algebra to one thread: with two, last bits may differ."""
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    with threadpool_limits(1):
        yield
