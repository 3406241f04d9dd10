"""Frauds that add payments: those of the published prototype, card testing, account takeover and mule rings.

Each kind makes all payments of the frauds that begin on a day; some lie on the days after. Amounts are in
cents and grow with what the victim usually pays. Devices of thieves have numbers above all customers' own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tallystick.solutions.fraud.simulator.bank import Bank
from tallystick.solutions.fraud.simulator.chance import Draws
from tallystick.solutions.fraud.simulator.ground import CUSTOMERS, homes, town
from tallystick.solutions.fraud.simulator.ordinary import DAY, DEVICES_EACH, means, usual_device
from tallystick.solutions.fraud.simulator.payments import (
    AMOUNT,
    CHANNEL,
    CHANNELS,
    CUSTOMER,
    DEVICE,
    DEVICE_ID,
    OUTSIDE,
    PAYEE,
    PLACE,
    SCENARIO,
    SCENARIOS,
    SECOND,
    TERMINAL,
    Payments,
    blank,
)

__all__ = ["KINDS", "begin"]

Ints = NDArray[np.int64]

_ONLINE: Final = CHANNELS.index("online")
_TRANSFER: Final = CHANNELS.index("transfer")


def begin(bank: Bank, day: int) -> list[Payments]:
    """Make all payments of the frauds that begin on a day."""
    made = []
    for kind, make in KINDS.items():
        begun = bank.begun(kind, day)
        if begun:
            number = SCENARIOS.index(kind)
            draws = Draws(bank.seed, 2, day, number)
            rows = make(bank, draws, draws.below(bank.customers, begun), day)
            rows[SCENARIO] = number
            made.append(rows)
    return made


def _spent(bank: Bank, draws: Draws, customers: Ints, seconds: Ints, low: int, high: int) -> Payments:
    """Let customers pay near their homes, by card, from `low` to `high` per cent of their mean amount."""
    rows = blank(len(customers))
    x, y = homes(np.uint64(bank.seed), CUSTOMERS, customers, bank.ground.side)
    rows[SECOND] = seconds
    rows[CUSTOMER] = customers
    rows[TERMINAL] = bank.near(x, y, draws.below(1 << 32, len(customers)))
    usual = means(np.uint64(bank.seed), customers)
    rows[AMOUNT] = np.maximum(usual * draws.between(low, high, len(customers)) // 100, 1)
    _at_terminal(bank, rows)
    return rows


def _at_terminal(bank: Bank, rows: Payments) -> None:
    ground, at = bank.ground, rows[TERMINAL]
    rows[PLACE] = [town(x, y, ground.side) for x, y in zip(ground.x[at], ground.y[at], strict=True)]


def _online(rows: Payments, device: Ints, number: Ints, places: Ints) -> None:
    rows[CHANNEL], rows[DEVICE], rows[DEVICE_ID], rows[PLACE] = _ONLINE, device, number, places


def _each(draws: Draws, items: Ints, low: int, high: int) -> tuple[Ints, Ints]:
    """Repeat each item `low` to `high` times; say also which of its copies each is."""
    counts = draws.between(low, high, len(items))
    starts = np.cumsum(counts) - counts
    return np.repeat(items, counts), np.arange(int(counts.sum())) - np.repeat(starts, counts)


def _very_high_amount(bank: Bank, draws: Draws, victims: Ints, day: int) -> Payments:
    seconds = day * DAY + draws.between(8 * 3600, DAY - 1, len(victims))
    return _spent(bank, draws, victims, seconds, 600, 2_500)


def _unusual_place(bank: Bank, draws: Draws, victims: Ints, day: int) -> Payments:
    begun = draws.between(6 * 3600, DAY - 1, len(victims))
    who, turn = _each(draws, np.arange(len(victims)), 1, 3)
    rows = _spent(bank, draws, victims[who], day * DAY + begun[who] + turn * 2_700, 80, 300)
    away = draws.below(bank.terminals, len(victims))
    ground = bank.ground  # all payments of one theft are made near each other
    rows[TERMINAL] = bank.near(ground.x[away[who]], ground.y[away[who]], draws.below(1 << 32, len(who)))
    _at_terminal(bank, rows)
    return rows


def _odd_hours(bank: Bank, draws: Draws, victims: Ints, day: int) -> Payments:
    who, _ = _each(draws, victims, 2, 4)
    return _spent(bank, draws, who, day * DAY + draws.between(3600, 5 * 3600, len(who)), 60, 300)


def _rapid_burst(bank: Bank, draws: Draws, victims: Ints, day: int) -> Payments:
    begun = draws.between(7 * 3600, DAY - 1, len(victims))
    who, turn = _each(draws, np.arange(len(victims)), 6, 14)
    seconds = day * DAY + begun[who] + turn * 35 + draws.below(30, len(who))
    return _spent(bank, draws, victims[who], seconds, 30, 150)


def _card_testing(bank: Bank, draws: Draws, victims: Ints, day: int) -> Payments:
    """Try eight cards at one terminal with tiny amounts, then use each once for a large one."""
    number = np.repeat(np.arange(len(victims)), 8)
    cards = draws.below(bank.customers, len(number))
    cards[::8] = victims
    begun = draws.between(0, DAY - 1, len(victims))[number]
    card, turn = _each(draws, np.arange(len(number)), 2, 4)
    seconds = day * DAY + begun[card] + turn * 60 + draws.below(1_800, len(card))
    tried = _spent(bank, draws, cards[card], seconds, 100, 100)
    tried[TERMINAL] = draws.below(bank.terminals, len(victims))[number[card]]
    _at_terminal(bank, tried)
    tried[AMOUNT] = draws.between(50, 250, len(card))
    later = day * DAY + begun + draws.between(3_600, 6 * 3_600, len(number))
    used = _spent(bank, draws, cards, later, 400, 1_500)
    for rows, whose in ((tried, number[card]), (used, number)):
        device = bank.customers * DEVICES_EACH + victims[whose] // 3
        _online(rows, np.full(len(whose), 2), device, rows[PLACE])
    return np.concatenate([tried, used], axis=1)


def _account_takeover(bank: Bank, draws: Draws, victims: Ints, day: int) -> Payments:
    """Pay online from a new device and place for up to three days; some devices take over many accounts."""
    who, _ = _each(draws, np.arange(len(victims)), 3, 8)
    seconds = day * DAY + draws.below(DAY, len(victims))[who] + draws.below(2 * DAY, len(who))
    rows = _spent(bank, draws, victims[who], seconds, 150, 500)
    device = bank.customers * DEVICES_EACH + draws.below(max(bank.customers // 100, 5), len(victims))
    other = [usual_device(np.uint64(bank.seed), one) % 3 + 1 for one in victims]
    places = draws.below(24, len(victims))
    _online(rows, np.array(other, np.int64)[who], device[who], places[who])
    return rows


def _mule_ring(bank: Bank, draws: Draws, mules: Ints, day: int) -> Payments:
    """Let 6 to 12 victims pay one mule in a day; it pays three more, and they an account elsewhere."""
    number = np.arange(len(mules))
    ring, _ = _each(draws, number, 6, 12)
    begun = day * DAY + draws.between(6 * 3600, 16 * 3600, len(mules))
    victims = draws.below(bank.customers, len(ring))
    paid = _spent(bank, draws, victims, begun[ring] + draws.below(6 * 3600, len(ring)), 300, 900)
    paid[PAYEE] = mules[ring]
    taken = np.bincount(ring, weights=paid[AMOUNT], minlength=len(mules)).astype(np.int64)
    middle = np.repeat(number, 3)
    middlemen = draws.below(bank.customers, len(middle))
    after = begun[middle] + draws.between(7 * 3600, 20 * 3600, len(middle))
    share = taken[middle] * draws.between(28, 32, len(middle)) // 100
    out = _spent(bank, draws, mules[middle], after, 100, 100)
    out[AMOUNT], out[PAYEE] = share, middlemen
    last = _spent(bank, draws, middlemen, after + draws.between(600, 4 * 3600, len(middle)), 100, 100)
    last[AMOUNT] = share * 95 // 100
    last[PAYEE] = OUTSIDE + bank.customers + mules[middle]
    rows = np.concatenate([paid, out, last], axis=1)
    seed = np.uint64(bank.seed)
    device = np.array([usual_device(seed, one) for one in rows[CUSTOMER]], np.int64)
    x, y = homes(seed, CUSTOMERS, rows[CUSTOMER], bank.ground.side)
    places = [town(a, b, bank.ground.side) for a, b in zip(x, y, strict=True)]
    _online(rows, device, rows[CUSTOMER] * DEVICES_EACH, np.array(places, np.int64))
    rows[CHANNEL], rows[TERMINAL] = _TRANSFER, -1
    return rows


KINDS: Final[dict[str, Callable[[Bank, Draws, Ints, int], Payments]]] = {
    "very_high_amount": _very_high_amount,
    "unusual_place": _unusual_place,
    "odd_hours": _odd_hours,
    "rapid_burst": _rapid_burst,
    "card_testing": _card_testing,
    "account_takeover": _account_takeover,
    "mule_ring": _mule_ring,
}
