"""Scores made honest: a scale and an offset for each class, fitted on scores of rows not trained on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tallystick.models.linear import LinearModel, probabilities

__all__ = ["Scaling", "fit_scaling"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Scaling:
    """Vector scaling (Guo et al. 2017, "On calibration of modern neural networks") with one shared scale.

    logits = scale × scores + offset; being linear, it folds into the model, so that one matrix remains.
    """

    scale: float
    offset: Floats

    def apply(self, scores: Floats) -> Floats:
        """Turn scores (rows, classes) into calibrated logits of the same shape."""
        return scores * self.scale + self.offset

    def fold(self, model: LinearModel) -> LinearModel:
        """Return the model whose scores are the calibrated logits."""
        return model.scaled(self.scale, self.offset)


def fit_scaling(scores: Floats, truth: NDArray[Any], penalty: float = 1.0, rounds: int = 100) -> Scaling:
    """Fit the scale and the offsets by penalised maximum likelihood, with Newton's method.

    scores: float64 (rows, classes) of rows that the model was not fitted on; truth: class codes (rows,).
    The penalty, in units of one row's weight, draws the offsets of rare classes to zero.

    >>> import numpy as np
    >>> scores = np.array([[1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [-1.0, 1.0]] * 9 + [[-1.0, 1.0]] * 4)
    >>> truth = np.array([0, 1, 0, 1] * 9 + [0] * 4)
    >>> fit_scaling(scores, truth).scale < 5
    True
    """
    rows, classes = scores.shape
    onehot = np.zeros_like(scores)
    onehot[np.arange(rows), truth] = 1.0
    # The scale is searched through its logarithm: it must stay positive, or the order of classes would turn.
    parameters = np.zeros(classes + 1)
    parameters[0] = -np.log(max(float(np.abs(scores).mean()), 1e-9))
    value = _loss(parameters, scores, onehot, penalty)
    for _ in range(rounds):
        gradient, hessian = _slope(parameters, scores, onehot, penalty)
        step = np.linalg.solve(hessian + 1e-9 * np.eye(classes + 1), gradient)
        size = 1.0
        while size > 1e-8:
            tried = parameters - size * step
            moved = _loss(tried, scores, onehot, penalty)
            if moved < value:
                break
            size /= 2
        else:
            break
        gain, parameters, value = value - moved, tried, moved
        if gain < 1e-10 * rows:
            break
    return Scaling(float(np.exp(parameters[0])), parameters[1:].copy())


def _loss(parameters: Floats, scores: Floats, onehot: Floats, penalty: float) -> float:
    logits = scores * np.exp(parameters[0]) + parameters[1:]
    top = logits.max(axis=1)
    spread = top + np.log(np.exp(logits - top[:, None]).sum(axis=1))
    return float((spread - (logits * onehot).sum(axis=1)).sum() + penalty / 2 * (parameters[1:] ** 2).sum())


def _slope(parameters: Floats, scores: Floats, onehot: Floats, penalty: float) -> tuple[Floats, Floats]:
    """Gradient and Gauss-Newton Hessian, which is positive where the true one need not be."""
    scaled = scores * np.exp(parameters[0])
    p = probabilities(scaled + parameters[1:])
    residual = p - onehot
    gradient = np.concatenate([[(residual * scaled).sum()], residual.sum(axis=0) + penalty * parameters[1:]])
    mean = (p * scaled).sum(axis=1, keepdims=True)
    hessian = np.empty((gradient.size, gradient.size))
    hessian[0, 0] = (p * (scaled - mean) ** 2).sum()
    hessian[0, 1:] = hessian[1:, 0] = (p * (scaled - mean)).sum(axis=0)
    hessian[1:, 1:] = np.diag(p.sum(axis=0) + penalty) - p.T @ p
    return gradient, hessian
