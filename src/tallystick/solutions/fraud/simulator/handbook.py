"""The Handbook's frauds that last: terminals compromised for 28 days, customers for 14.

All payments at a compromised terminal are frauds. Of a compromised customer's payments of 14 days a third are
frauds, five times as high. The first kind, amounts above 220, is told where payments are made.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from tallystick.solutions.fraud.simulator.bank import Bank
from tallystick.solutions.fraud.simulator.chance import MOST, Draws, normals, poissons
from tallystick.solutions.fraud.simulator.ordinary import keys
from tallystick.solutions.fraud.simulator.payments import (
    AMOUNT,
    KEY,
    SCENARIO,
    SCENARIOS,
    TERMINAL,
    Payments,
)

__all__ = ["Compromised"]

Ints = NDArray[np.int64]

_TERMINAL: Final = "compromised_terminal"
_CUSTOMER: Final = "compromised_customer"
_TERMINAL_DAYS: Final = 28
_CUSTOMER_DAYS: Final = 14
_TIMES: Final = 5


class Compromised:
    """Who is compromised until when; days come in order."""

    def __init__(self, bank: Bank) -> None:
        self._bank = bank
        self._until = np.zeros(bank.terminals, np.int32)
        self._coming: dict[int, list[Ints]] = {}

    def mark(self, rows: Payments, day: int) -> None:
        """Begin what begins on this day, and turn the payments (by key) that are hit into frauds."""
        self._begin(day)
        at = rows[TERMINAL]
        hit = (at >= 0) & (self._until[at] > day) & (rows[AMOUNT] >= 0)
        rows[SCENARIO, hit] = SCENARIOS.index(_TERMINAL)
        for chosen in self._coming.pop(day, []):
            found = np.minimum(np.searchsorted(rows[KEY], chosen), rows.shape[1] - 1)
            found = found[rows[KEY, found] == chosen]
            rows[AMOUNT, found] = np.abs(rows[AMOUNT, found]) * _TIMES
            rows[SCENARIO, found] = SCENARIOS.index(_CUSTOMER)

    def _begin(self, day: int) -> None:
        bank = self._bank
        draws = Draws(bank.seed, 1, day)
        begun = bank.begun(_TERMINAL, day)
        self._until[draws.below(bank.terminals, begun)] = day + _TERMINAL_DAYS
        for customer in draws.below(bank.customers, bank.begun(_CUSTOMER, day)):
            self._choose(int(customer), day, draws)

    def _choose(self, customer: int, day: int, draws: Draws) -> None:
        """Choose a third of a customer's payments, those of days to come as well."""
        preset, seed = self._bank.preset, np.uint64(self._bank.seed)
        places = [
            keys(seed, customer, when, preset.noon, preset.spread, poissons(preset.most_payments), normals())
            for when in range(day, day + _CUSTOMER_DAYS)
        ]
        when = np.repeat(np.arange(day, day + _CUSTOMER_DAYS), [len(some) for some in places])
        all_keys = customer * MOST + np.concatenate(places)
        third = np.argsort(draws.below(1 << 32, len(all_keys)), kind="stable")[: len(all_keys) // 3]
        for one in np.unique(when[third]):
            self._coming.setdefault(int(one), []).append(np.sort(all_keys[third][when[third] == one]))
