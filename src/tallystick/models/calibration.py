"""Scores made honest: what turns the scores of a class model into probabilities that mean what they say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tallystick.models.linear import LinearModel, probabilities

__all__ = ["Calibration", "fit_calibration"]

Floats = NDArray[np.float64]

# Penalties a row, found on out-of-fold scores of the CFPB's public narratives: scales of rare classes stay
# near the common one, and their offsets near zero, unless their rows say otherwise.
SCALE_PENALTY = 3e-4
OFFSET_PENALTY = 1e-5


@dataclass(frozen=True)
class Calibration:
    """Vector scaling with a floor: p = (1 - floor) softmax(scale × score + offset) + floor × prior.

    Vector scaling is of Guo et al. 2017, "On calibration of modern neural networks"; the floor keeps a letter
    that was labelled by mistake from being taken for impossible. The label is the class with the highest
    softmax × prior ** -lean: a lean above 0 favours rare classes a little. All of it but the floor folds into
    the linear model, whose scores are then logits with the label as the highest.

    scale, offset, prior: float64 (classes,).
    """

    scale: Floats
    offset: Floats
    prior: Floats
    floor: float
    lean: float = 0.0

    def fold(self, model: LinearModel) -> LinearModel:
        """Return the model whose scores are the logits that `probabilities` takes."""
        return model.scaled(self.scale, self.offset - self.lean * np.log(self.prior))

    def logits(self, scores: Floats) -> Floats:
        """Turn scores (rows, classes) into what the folded model would give."""
        return scores * self.scale + (self.offset - self.lean * np.log(self.prior))

    def probabilities(self, logits: Floats) -> Floats:
        """Turn logits (rows, classes) into probabilities; a row gives the same bits alone and in a batch."""
        return (1 - self.floor) * probabilities(
            logits + self.lean * np.log(self.prior)
        ) + self.floor * self.prior

    def describe(self) -> dict[str, float]:
        """Return the numbers that a manifest keeps."""
        return {"floor": self.floor, "lean": self.lean}

    def arrays(self) -> dict[str, Floats]:
        """Return what else a bundle keeps once the rest is folded into a model."""
        return {"prior": self.prior}

    @classmethod
    def of(cls, prior: Floats, floor: float, lean: float) -> Calibration:
        """Bring back what was left to do after folding."""
        ones = np.ones_like(prior)
        return cls(ones, 0 * ones, prior, floor, lean)

    def folded(self) -> Calibration:
        """Return what is left to do once the rest is folded into a model."""
        return self.of(self.prior, self.floor, self.lean)


def fit_calibration(scores: Floats, truth: NDArray[Any], lean: float = 0.0) -> Calibration:
    """Fit scale, offset and floor by penalised maximum likelihood.

    scores: float64 (rows, classes) of rows that the model was not fitted on; truth: class codes (rows,).

    >>> import numpy as np
    >>> scores = np.array([[1.0, -1.0], [-1.0, 1.0]] * 18 + [[-1.0, 1.0]] * 4)
    >>> calibration = fit_calibration(scores, np.array([0, 1] * 18 + [0] * 4))
    >>> p = calibration.probabilities(calibration.logits(scores[:1]))
    >>> bool(0.8 < p[0, 0] < 1)
    True
    """
    from scipy.optimize import minimize

    rows, classes = scores.shape
    # One row more for each class: a class without rows must not be impossible.
    prior = (np.bincount(truth, minlength=classes) + 1.0) / (rows + classes)
    size = max(float(np.abs(scores).mean()), 1e-12)
    start = np.concatenate([[0.0], np.zeros(2 * classes), [-3.0]])
    found = minimize(
        _loss,
        start,
        (scores / size, np.asarray(truth, np.int64), prior),
        jac=True,
        method="L-BFGS-B",
        bounds=[(-8, 8)] + [(-3, 3)] * classes + [(-20, 20)] * classes + [(-12, 0)],
        options={"maxiter": 500, "ftol": 1e-10, "gtol": 1e-7},
    ).x
    scale = np.exp(found[0] + found[1 : classes + 1]) / size
    return Calibration(scale, found[classes + 1 : -1].copy(), prior, float(_share(found[-1])), lean)


def _share(x: float) -> float:
    return float(1 / (1 + np.exp(-x)))


def _loss(
    parameters: Floats, scores: Floats, truth: NDArray[np.int64], prior: Floats
) -> tuple[float, Floats]:
    """Mean negative log-likelihood with penalties, and its gradient.

    parameters: log of the common scale, log of each class's own, offsets, log-odds of the floor.
    """
    rows, classes = scores.shape
    own, offset = parameters[1 : classes + 1], parameters[classes + 1 : -1]
    floor = _share(parameters[-1])
    scaled = scores * np.exp(parameters[0] + own)
    q = probabilities(scaled + offset)
    told = q[np.arange(rows), truth]
    p = (1 - floor) * told + floor * prior[truth]
    slope = q * ((1 - floor) * told / p)[:, None]
    slope[np.arange(rows), truth] -= (1 - floor) * told / p
    by_scale = (slope * scaled).mean(axis=0)
    gradient = np.concatenate(
        [
            [by_scale.sum()],
            by_scale + 2 * SCALE_PENALTY * own,
            slope.mean(axis=0) + 2 * OFFSET_PENALTY * offset,
            [((told - prior[truth]) / p).mean() * floor * (1 - floor)],
        ]
    )
    penalty = SCALE_PENALTY * (own**2).sum() + OFFSET_PENALTY * (offset**2).sum()
    return float(-np.log(p).mean() + penalty), gradient
