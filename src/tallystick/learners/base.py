"""Protocol of learners: a sample in, a model out that is scored without its library."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tallystick import plugins
from tallystick.errors import UsageError
from tallystick.models import LinearModel, Model
from tallystick.models.outputs import Outputs

__all__ = [
    "LABELLED",
    "LAYOUTS",
    "TARGETS",
    "Learner",
    "Sample",
    "all_classes",
    "class_weights",
    "expand_classes",
    "one_versus_rest",
    "refuse_unless",
]

#: How features are laid out: a float64 array with NaN for missing, or SciPy CSR (n-grams of texts).
LAYOUTS = {"dense": "dense features (columns)", "sparse": "sparse features (texts)"}

#: What can be learned, and how a message names it.
TARGETS = {
    "classes": "classes",
    "binary": "a binary target",
    "amount": "an amount",
    "anomaly": "anomalies",
    "segments": "segments",
}

#: Targets that are learned from labels.
LABELLED = frozenset({"classes", "binary", "amount"})


@dataclass(frozen=True)
class Sample:
    """Rows to learn from.

    matrix: a dense float64 array (rows, features) with NaN for missing, or SciPy CSR float64; truth: of
    "classes" and "binary" int64 codes 0 … classes - 1 (rows,), of which some may be absent (binary: 1 is the
    event), of "amount" float64, of "anomaly" and "segments" not read; weight: float64 (rows,), the weight of
    each row, None for equal weights; settings: hyperparameters; names: of the columns, where a hyperparameter
    may name them; threads: how many may be used, which changes no bit; target: a key of TARGETS.
    """

    matrix: Any
    truth: NDArray[Any]
    classes: int
    weight: NDArray[np.float64] | None = None
    seed: int = 0
    settings: dict[str, Any] = field(default_factory=dict)
    names: tuple[str, ...] = ()
    threads: int = 1
    target: str = "classes"

    @property
    def dense(self) -> bool:
        """Whether the features are a dense array."""
        return isinstance(self.matrix, np.ndarray)

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
    """A way to fit a model. Same sample, same model, to the bit.

    takes: layouts of features, "dense" or "sparse"; targets: keys of TARGETS. Every target can be learned
    from every layout.
    """

    name: str
    title: str
    takes: frozenset[str]
    targets: frozenset[str]

    @property
    def needs_labels(self) -> bool:
        """Whether `truth` is read."""
        return bool(self.targets & LABELLED)

    def fit(self, sample: Sample) -> Model:
        """Fit a model to a sample.

        A class without rows never has the highest output; a binary target without rows of both kinds is a
        DataError.
        """
        ...


def refuse_unless(
    learner: Learner, target: str, layout: str = "dense", others: Iterable[Learner] | None = None
) -> None:
    """Raise UsageError where a learner cannot learn a target from a layout; it names those that can.

    target: a key of TARGETS; layout: of LAYOUTS; others: the learners to name, the built-in ones when None.

    >>> from tallystick.learners.naive_bayes import LEARNER
    >>> refuse_unless(LEARNER, "classes", "sparse")
    """
    if target in learner.targets and layout in learner.takes:
        return
    able = sorted(
        other.name
        for other in (built_in() if others is None else others)
        if target in other.targets and layout in other.takes
    )
    targets = " and ".join(TARGETS[one] for one in TARGETS if one in learner.targets)
    layouts = " and ".join(LAYOUTS[one] for one in LAYOUTS if one in learner.takes)
    raise UsageError(
        f'The learner "{learner.name}" learns {targets} from {layouts}, '
        f"not {TARGETS[target]} from {LAYOUTS[layout]}.",
        f"These do: {', '.join(able)}." if able else "No learner does.",
    )


def built_in() -> list[Learner]:
    """Load the learners that lie beside this file."""
    ours, _ = plugins.holders("tallystick.learners", "tallystick.learners")
    return [module.LEARNER for module in ours if hasattr(module, "LEARNER")]


def class_weights(sample: Sample, power: float) -> dict[int, float]:
    """Weigh each class that has rows by (mean count / count) ** power: 1 is balanced, 0 is as they come."""
    present = sample.present
    counts = sample.counts[present]
    return dict(zip(present.tolist(), ((counts.mean() / counts) ** power).tolist(), strict=True))


def expand_classes(
    sample: Sample, weights: NDArray[np.float64], intercept: NDArray[np.float64]
) -> LinearModel:
    """Put the outputs of the classes that have rows at their codes among all classes.

    weights: (features, present classes); intercept: (present classes,). A class without rows scores below all
    others on any row of features that are never negative.
    """
    full = np.repeat(weights.min(axis=1, keepdims=True), sample.classes, axis=1)
    bias = np.full(sample.classes, float(intercept.min()) - 10.0)
    full[:, sample.present] = weights
    bias[sample.present] = intercept
    return LinearModel(full, bias)


def all_classes(sample: Sample, models: Sequence[Model], absent: Model) -> Outputs:
    """Put the models of the classes that have rows at their codes, `absent` at the others."""
    own = dict(zip(sample.present.tolist(), models, strict=True))
    return Outputs(tuple(own.get(code, absent) for code in range(sample.classes)))


def one_versus_rest(coefficients: NDArray[np.float64], intercept: NDArray[np.float64]) -> Any:
    """Turn scikit-learn's (classes, features) into ours, also where two classes share one row."""
    if len(intercept) == 1:
        return np.concatenate([-coefficients, coefficients]).T, np.concatenate([-intercept, intercept])
    return coefficients.T, intercept
