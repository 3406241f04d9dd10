"""What honest customers pay: the Handbook's profiles, amounts and times, and a few habits beside.

A customer has a mean amount between 5 and 100 and a standard deviation of half of it, and makes 0 to 4
payments a day on average, around noon, at the terminals within reach (Le Borgne et al., Reproducible Machine
Learning for Credit Card Fraud Detection, chapter 3). Beside that, in shares that a preset names: large and
faraway payments, refunds, transfers, payments by phone and online. Every payment follows from its customer's
number, its day and its place in that day.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from tallystick.solutions.fraud.simulator.chance import MOST, RATES, SCALE, below, deviate, mixed, word
from tallystick.solutions.fraud.simulator.ground import CUSTOMERS, near, town
from tallystick.solutions.fraud.simulator.payments import (
    AMOUNT,
    CHANNEL,
    CUSTOMER,
    DEVICE,
    DEVICE_ID,
    KEY,
    OUTSIDE,
    PAYEE,
    PLACE,
    ROWS,
    SCENARIO,
    SECOND,
    TERMINAL,
)

__all__ = ["DAY", "DEVICES_EACH", "day_of", "keys", "means", "usual_device"]

Ints = NDArray[np.int64]

DAY: Final = 86_400
DEVICES_EACH: Final = 4
_PAYMENTS: Final = 3
_PAYEES: Final = 4
_MILLION: Final = 1_000_000


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _mean(seed: np.uint64, customer: int) -> int:
    return int(500 + below(word(seed, CUSTOMERS, customer, 1), 9_501))


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def usual_device(seed: np.uint64, customer: int) -> int:
    """Say what a customer pays with online: a phone, mostly."""
    return int(max(below(word(seed, CUSTOMERS, customer, 3), 6) - 2, 1))


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def means(seed: np.uint64, customers: Ints) -> Ints:
    """Give the mean amounts of customers, in cents."""
    out = np.empty(len(customers), np.int64)
    for i in range(len(customers)):
        out[i] = _mean(seed, customers[i])
    return out


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _count(seed: np.uint64, customer: int, day: int, poisson: NDArray[np.uint64]) -> int:
    rate = below(word(seed, CUSTOMERS, customer, 2), RATES)
    chance = word(seed, CUSTOMERS, customer, 16 + day) >> np.uint64(32)
    count = 0
    while count < MOST and chance >= poisson[rate, count]:
        count += 1
    return count


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _second(chance: np.uint64, noon: int, spread: int, normal: Ints) -> int:
    """Draw a time of day; below nought where it lies outside the day, and the payment is not made."""
    second = noon + spread * deviate(chance, normal) // SCALE
    return second if 0 < second < DAY else -1


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def keys(
    seed: np.uint64, customer: int, day: int, noon: int, spread: int,
    poisson: NDArray[np.uint64], normal: Ints,
) -> Ints:  # fmt: skip
    """Give the places of a customer's payments in its day, whether that day has been made or not."""
    count = _count(seed, customer, day, poisson)
    found = np.empty(count, np.int64)
    kept = 0
    for place in range(count):
        if _second(word(seed, _PAYMENTS, customer, day * MOST + place), noon, spread, normal) > 0:
            found[kept] = place
            kept += 1
    return found[:kept]


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def day_of(
    seed: np.uint64, customers: int, day: int, noon: int, spread: int, high: int, shares: Ints,
    poisson: NDArray[np.uint64], normal: Ints,
    side: int, cells: int, x: Ints, y: Ints, order: Ints, start: Ints,
) -> Ints:  # fmt: skip
    """Make all ordinary payments of a day: int64 (ROWS, payments), by customer.

    high: the amount in cents above which a payment is the Handbook's first fraud; none where it is 0.
    shares: millionths of payments that are large, far away, refunds, contactless, online, transfers, and by
    another device than usual.
    """
    total = 0
    for customer in range(customers):
        total += _count(seed, customer, day, poisson)
    out = np.zeros((ROWS, total), np.int64)
    at = 0
    for customer in range(customers):
        count = _count(seed, customer, day, poisson)
        if count == 0:
            continue
        mean = _mean(seed, customer)
        home = word(seed, CUSTOMERS, customer, 0)
        here_x, here_y = below(home, side), below(mixed(home), side)
        for place in range(count):
            chance = word(seed, _PAYMENTS, customer, day * MOST + place)
            second = _second(chance, noon, spread, normal)
            if second < 0:
                continue
            chance = mixed(chance)
            terminal = near(chance, here_x, here_y, side, cells, x, y, order, start)
            if terminal < 0:
                continue
            chance = mixed(chance ^ np.uint64(1))
            amount = mean + mean * deviate(chance, normal) // (2 * SCALE)
            chance = mixed(chance)
            if amount < 0:
                amount = below(chance, 2 * mean)
            chance = mixed(chance)
            scenario = 1 if 0 < high < amount else 0
            if scenario == 0:
                kind = below(chance, _MILLION)
                if kind < shares[0]:
                    amount = amount * (300 + below(mixed(chance), 500)) // 100
                elif kind < shares[0] + shares[1]:
                    terminal = below(mixed(chance), len(x))
                elif kind < shares[0] + shares[1] + shares[2]:
                    amount = -amount
            chance = mixed(chance ^ np.uint64(2))
            kind = below(chance, _MILLION)
            chance = mixed(chance)
            channel, device, number, payee = 0, 0, -1, -1
            if kind < shares[3]:
                channel = 1
            elif kind < shares[3] + shares[4]:
                channel = 2
            elif kind < shares[3] + shares[4] + shares[5] and amount >= 0 and scenario == 0:
                channel = 3
                which = word(seed, CUSTOMERS, customer, 8 + below(chance, _PAYEES))
                # Half of them have their account at this bank too.
                payee = below(which, customers)
                if which & np.uint64(1):
                    payee = OUTSIDE + below(mixed(which), customers // 2 + 50)
                terminal = -1
            chance = mixed(chance)
            if channel > 0:
                device, number = usual_device(seed, customer), customer * DEVICES_EACH
                if channel == 1:
                    device = 1 if device == 1 else 0
                    number = number if device == 1 else -1
                elif below(chance, _MILLION) < shares[6]:
                    extra = 1 + below(mixed(chance), DEVICES_EACH - 1)
                    device, number = (device + extra - 1) % 3 + 1, number + extra
            out[SECOND, at] = day * DAY + second
            out[CUSTOMER, at] = customer
            out[TERMINAL, at] = terminal
            out[AMOUNT, at] = amount
            out[CHANNEL, at] = channel
            out[DEVICE, at] = device
            out[DEVICE_ID, at] = number
            out[PAYEE, at] = payee
            if channel < 2:
                out[PLACE, at] = town(x[terminal], y[terminal], side)
            else:
                out[PLACE, at] = town(here_x, here_y, side)
            out[SCENARIO, at] = scenario
            out[KEY, at] = customer * MOST + place
            at += 1
    return out[:, :at]
