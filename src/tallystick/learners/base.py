"""The one door of learners: a matrix and class codes in, a model out that is scored without its library."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tallystick.errors import UsageError
from tallystick.models import LinearModel

__all__ = [
    "TABLE",
    "TEXT",
    "Learner",
    "Sample",
    "class_weights",
    "one_versus_rest",
    "refuse_unless",
    "spread",
]

#: What a learner may take: texts as a sparse matrix of weights, tables as a dense matrix of numbers.
TEXT, TABLE = "text", "table"


@dataclass(frozen=True)
class Sample:
    """What is learned from.

    matrix: of texts SciPy CSR float64 (rows, features), of tables a dense float64 array (rows, features) in
    which NaN is missing; truth: codes 0 … classes - 1 (rows,), a class may be absent, and of tables 0 or 1
    (1: the event); weight: float64 (rows,), how much each row counts, all alike when None; names: of the
    columns of a table, where a setting may speak of them; threads: how many may be used, which changes no
    bit.
    """

    matrix: Any
    truth: NDArray[np.int64]
    classes: int
    weight: NDArray[np.float64] | None = None
    seed: int = 0
    settings: dict[str, Any] = field(default_factory=dict)
    names: tuple[str, ...] = ()
    threads: int = 1

    @property
    def weights(self) -> NDArray[np.float64]:
        """How much each row counts."""
        return np.ones(len(self.truth)) if self.weight is None else self.weight

    @property
    def counts(self) -> NDArray[np.float64]:
        """How much the rows of each class count together."""
        return np.bincount(self.truth, self.weights, minlength=self.classes).astype(np.float64)

    @property
    def present(self) -> NDArray[np.int64]:
        """The codes of the classes that have rows."""
        return np.unique(self.truth)


class Learner(Protocol):
    """A way to fit. Same sample, same model, to the bit.

    takes: what it can learn from, "text" or "table"; needs_labels: False for one that looks for what is odd
    and never at `truth`.
    """

    name: str
    title: str
    takes: frozenset[str]
    needs_labels: bool

    def fit(self, sample: Sample) -> Any:
        """Fit: a LinearModel for text, a model of `tallystick.models` for tables.

        Of texts a class without rows gets a score below that of all others; of tables it is a DataError.
        """


def refuse_unless(learner: Learner, kind: str, others: Iterable[Learner] | None = None) -> None:
    """Raise UsageError where a learner does not take such data; it names those that do.

    kind: "text" or "table"; others: the learners to name, the built-in ones when None.

    >>> from tallystick.learners.naive_bayes import LEARNER
    >>> refuse_unless(LEARNER, "text")
    """
    if kind in learner.takes:
        return
    able = sorted(one.name for one in (built_in() if others is None else others) if kind in one.takes)
    raise UsageError(
        f'The learner "{learner.name}" learns from {" and ".join(sorted(learner.takes))}, not from {kind}.',
        f"These do: {', '.join(able)}." if able else "None of those there are does.",
    )


def built_in() -> list[Learner]:
    """Load the learners that lie beside this file."""
    package = importlib.import_module("tallystick.learners")
    modules = (
        importlib.import_module(f"tallystick.learners.{m.name}")
        for m in pkgutil.iter_modules(package.__path__)
    )
    return [module.LEARNER for module in modules if hasattr(module, "LEARNER")]


def class_weights(sample: Sample, power: float) -> dict[int, float]:
    """Weigh each class that has rows by (mean count / count) ** power: 1 is balanced, 0 is as they come."""
    present = sample.present
    counts = sample.counts[present]
    return dict(zip(present.tolist(), ((counts.mean() / counts) ** power).tolist(), strict=True))


def spread(sample: Sample, weights: NDArray[np.float64], intercept: NDArray[np.float64]) -> LinearModel:
    """Put the columns of the classes that had rows at their codes among all classes.

    weights: (features, present classes); intercept: (present classes,). A class without rows scores below all
    others on any text, since features are never negative.
    """
    full = np.repeat(weights.min(axis=1, keepdims=True), sample.classes, axis=1)
    bias = np.full(sample.classes, float(intercept.min()) - 10.0)
    full[:, sample.present] = weights
    bias[sample.present] = intercept
    return LinearModel(full, bias)


def one_versus_rest(coefficients: NDArray[np.float64], intercept: NDArray[np.float64]) -> Any:
    """Turn scikit-learn's (classes, features) into ours, also where two classes share one row."""
    if len(intercept) == 1:
        return np.concatenate([-coefficients, coefficients]).T, np.concatenate([-intercept, intercept])
    return coefficients.T, intercept
