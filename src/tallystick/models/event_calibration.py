"""Raw scores of an event made honest: the probability of the event among rows as they really come.

log-odds = a line through the score that may bend at a few knots, always rising (so the ranking is kept):

- with few events one straight line, Platt's logistic regression with his smoothed targets (Platt 1999);
- with more, knots at quantiles of the scores of events and of the rest, found by penalised maximum
  likelihood: neighbouring slopes like to be alike, so that it bends only where the events speak for it.

Scores that lie in 0 … 1 are laid out as log-odds first where that fits better (beta calibration, Kull et al.
2017, has the same shape). Beyond the scores seen the line goes on ever more slowly.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from tallystick.models.scores import Scores

__all__ = ["EventCalibration"]

Floats = NDArray[np.float64]

# How much unlike slopes (in logs) cost, in units of log-likelihood, and how many events a knot needs: found
# on simulated scores, straight and bent, of 20 to 600 events.
PENALTY = 8.0
EVENTS_FOR_A_KNOT = 12
# Keeps a slope that nothing speaks for near one unit of log-odds for one unit of spread.
STEEP = 0.02
MOST_KNOTS = 10
# Keeps scores of exactly 0 and 1 inside, where they are laid out as log-odds.
EDGE = 1e-3


@dataclass(frozen=True)
class EventCalibration:
    """A rising line of log-odds over scores.

    knots, odds: float64 (knots,), both rising: scores, and the log-odds of the event there; as_odds: scores
    are probabilities and laid out as log-odds first (knots too).

    >>> import numpy as np
    >>> calibration = EventCalibration(np.array([-1.0, 1.0]), np.array([-2.0, 2.0]))
    >>> calibration.probability(np.array([0.0])).tolist()
    [0.5]
    """

    knots: Floats
    odds: Floats
    as_odds: bool = False

    @classmethod
    def fit(cls, raw: Floats, truth: NDArray[Any], weight: Floats | None = None) -> EventCalibration:
        """Fit on scores of rows that the model was not fitted on.

        raw: float64 (rows,); truth: 1 or True for the event; weight: float64 (rows,), so that events and the
        rest count as often as they really come, all alike when None. One event is enough, if for little.
        """
        raw, event = np.asarray(raw, np.float64), np.asarray(truth).astype(bool)
        heavy = np.ones(len(raw)) if weight is None else np.asarray(weight, np.float64)
        kept = heavy > 0
        raw, event, heavy = raw[kept], event[kept], heavy[kept]
        fits = [_fit(raw, event, heavy)]
        if len(raw) and raw.min() >= 0 and raw.max() <= 1:
            edged = np.log((raw + EDGE) / (1 - raw + EDGE))
            fits.append(_fit(edged, event, heavy))
        number = int(np.argmin([loss for loss, _, _ in fits]))
        _, knots, odds = fits[number]
        return cls(knots, odds, number == 1)

    def apply(self, raw: Floats) -> Scores:
        """Calibrate raw scores (rows, 1); the policy decides what is labelled yes."""
        probability = self.probability(raw[:, 0])
        return Scores(probability[:, None], probability)

    def direction(self, scores: Scores) -> None:
        """The only output is explained."""

    def probability(self, raw: Floats) -> Floats:
        """Turn scores (rows,) into probabilities; a row gives the same bits alone and in a batch."""
        out = np.empty(len(raw))
        _apply(np.ascontiguousarray(raw, np.float64), self.knots, self.odds, self.as_odds, EDGE, out)
        return out

    def describe(self) -> dict[str, Any]:
        """Return what a manifest keeps."""
        return {"knots": self.knots.tolist(), "odds": self.odds.tolist(), "as_odds": self.as_odds}

    def arrays(self) -> dict[str, NDArray[Any]]:
        """All of it is in the description."""
        return {}

    @classmethod
    def of(cls, description: Mapping[str, Any]) -> EventCalibration:
        """Bring back what `describe` gave."""
        return cls(
            np.array(description["knots"], np.float64),
            np.array(description["odds"], np.float64),
            bool(description["as_odds"]),
        )


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _apply(raw: Floats, knots: Floats, odds: Floats, as_odds: bool, edge: float, out: Floats) -> None:
    last = len(knots) - 1
    for r in range(len(raw)):
        x = raw[r]
        if as_odds:
            x = min(max(x, 0.0), 1.0)
            x = math.log((x + edge) / (1.0 - x + edge))
        if x < knots[0]:
            width, high = knots[1] - knots[0], odds[1] - odds[0]
            found = odds[0] - high * math.log1p((knots[0] - x) / width)
        elif x > knots[last]:
            width, high = knots[last] - knots[last - 1], odds[last] - odds[last - 1]
            found = odds[last] + high * math.log1p((x - knots[last]) / width)
        else:
            k = 1
            while k < last and x > knots[k]:
                k += 1
            share = (x - knots[k - 1]) / (knots[k] - knots[k - 1])
            found = odds[k - 1] + (odds[k] - odds[k - 1]) * share
        # Beyond this the last digit would round to 1.
        found = min(max(found, -36.0), 36.0)
        out[r] = 1.0 / (1.0 + math.exp(-found))


def _knots(raw: Floats, event: NDArray[np.bool_], heavy: Floats, events: float) -> Floats:
    """Choose knots: the ends of what was seen, and quantiles of events and of the rest in turn between."""
    low, high = (float(raw.min()), float(raw.max())) if len(raw) else (0.0, 1.0)
    if not high > low:
        return np.array([low - 0.5, low + 0.5])
    count = min(MOST_KNOTS, int(events // EVENTS_FOR_A_KNOT))
    inner: list[float] = []
    if count:
        levels = (np.arange(count) + 1) / (count + 1)
        order = np.argsort(raw, kind="stable")
        mass = np.where(event, heavy / heavy[event].sum(), heavy / heavy[~event].sum())[order].cumsum()
        inner = raw[order][np.searchsorted(mass, levels * mass[-1])].tolist()
    least = (high - low) * 1e-6
    knots = [low]
    for knot in inner:
        if knot - knots[-1] > least and high - knot > least:
            knots.append(knot)
    return np.array([*knots, high])


def _fit(raw: Floats, event: NDArray[np.bool_], heavy: Floats) -> tuple[float, Floats, Floats]:
    """Fit the line: its penalised loss, its knots and the log-odds at them."""
    from scipy.optimize import minimize
    from scipy.special import expit

    ours, others = float(heavy[event].sum()), float(heavy[~event].sum())
    # How many events of weight one would say as much.
    events = ours**2 / float((heavy[event] ** 2).sum()) if ours > 0 else 0.0
    rest = others**2 / float((heavy[~event] ** 2).sum()) if others > 0 else 0.0
    knots = _knots(raw, event, heavy, min(events, rest))
    target = np.where(event, (events + 1) / (events + 2), 1 / (rest + 2))
    lengths = np.diff(knots)
    piece = np.clip(np.searchsorted(knots, raw, side="left"), 1, len(knots) - 1)
    share = (raw - knots[piece - 1]) / lengths[piece - 1]
    # Slopes are told in units of the spread of the scores, both kinds of rows counting alike.
    middles = [np.average(raw[one], weights=heavy[one]) for one in (event, ~event) if one.any()]
    unit = float(np.std(middles) + np.std(raw)) if len(raw) else 0.0
    # Scores that are alike but for their last digits have no spread.
    unit = unit if unit > 1e-9 * float(np.abs(knots).max()) else 1.0
    total = float(heavy.sum()) or 1.0

    def loss(parameters: Floats) -> tuple[float, Floats]:
        steps = np.exp(parameters[1:]) * lengths / unit
        odds = parameters[0] + np.concatenate([[0.0], steps.cumsum()])
        found = odds[piece - 1] * (1 - share) + odds[piece] * share
        value = (heavy * (np.logaddexp(0.0, found) - target * found)).sum()
        slope = heavy * (expit(found) - target)
        by_knot = np.bincount(piece - 1, slope * (1 - share), len(knots))
        by_knot += np.bincount(piece, slope * share, len(knots))
        by_step = by_knot[::-1].cumsum()[::-1][1:] * steps
        bend = np.diff(parameters[1:])
        by_step[1:] += PENALTY * bend
        by_step[:-1] -= PENALTY * bend
        by_step += STEEP * parameters[1:]
        gradient = np.concatenate([[by_knot.sum()], by_step])
        cost = PENALTY / 2 * (bend**2).sum() + STEEP / 2 * (parameters[1:] ** 2).sum()
        return float(value + cost) / total, gradient / total

    start = np.zeros(len(knots))
    start[0] = math.log((ours + 1) / (others + 1)) - 1.0
    found = minimize(
        loss,
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=[(None, None)] + [(-7.0, 4.0)] * (len(knots) - 1),
        options={"maxiter": 500, "ftol": 1e-13, "gtol": 1e-9},
    )
    steps = np.exp(found.x[1:]) * lengths / unit
    return float(found.fun), knots, found.x[0] + np.concatenate([[0.0], steps.cumsum()])
