"""How payments arrive: in order, or some of them late, out of order and twice."""

from __future__ import annotations

from typing import Final

import numpy as np

from tallystick.solutions.fraud.simulator.bank import Bank
from tallystick.solutions.fraud.simulator.chance import Draws
from tallystick.solutions.fraud.simulator.payments import ARRIVAL, SECOND, Payments
from tallystick.solutions.fraud.simulator.preset import MILLION

__all__ = ["arrive"]

#: Seconds by which a payment can be out of order without being late, and within which it comes twice.
_JITTER: Final = 120
_AGAIN: Final = 900


def arrive(bank: Bank, rows: Payments, day: int) -> Payments:
    """Say when the payments of a day arrive, and add those that arrive twice."""
    preset, size = bank.preset, rows.shape[1]
    rows[ARRIVAL] = rows[SECOND]
    if not (preset.disorder or preset.late or preset.duplicates):
        return rows
    draws = Draws(bank.seed, 3, day)
    kind = draws.below(MILLION, size)
    disorder, late = round(preset.disorder * MILLION), round(preset.late * MILLION)
    rows[ARRIVAL] += np.where(kind < disorder, draws.between(1, _JITTER, size), 0)
    much = draws.between(max(preset.late_by // 2, 1), max(preset.late_by, 1), size)
    rows[ARRIVAL] += np.where((kind >= disorder) & (kind < disorder + late), much, 0)
    again = rows[:, draws.happens(round(preset.duplicates * MILLION), size)].copy()
    again[ARRIVAL] += draws.between(1, _AGAIN, again.shape[1])
    return np.concatenate([rows, again], axis=1)
