"""Payments while they are made: one int64 row for each thing that is known of them, one column a payment."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "AMOUNT",
    "ARRIVAL",
    "CHANNEL",
    "CHANNELS",
    "CUSTOMER",
    "DEVICE",
    "DEVICES",
    "DEVICE_ID",
    "KEY",
    "NONE",
    "NUMBER",
    "OUTSIDE",
    "PAYEE",
    "PLACE",
    "PLACES",
    "ROWS",
    "SCENARIO",
    "SCENARIOS",
    "SECOND",
    "TERMINAL",
    "Payments",
    "ahead",
    "blank",
]  # fmt: skip

Payments = NDArray[np.int64]

# SECOND and ARRIVAL count from the first midnight; AMOUNT is in cents; KEY is customer × 32 + the payment's
# place in its customer's day; NUMBER follows the event times.
SECOND: Final = 0
CUSTOMER: Final = 1
TERMINAL: Final = 2
AMOUNT: Final = 3
CHANNEL: Final = 4
DEVICE: Final = 5
DEVICE_ID: Final = 6
PAYEE: Final = 7
PLACE: Final = 8
SCENARIO: Final = 9
KEY: Final = 10
NUMBER: Final = 11
ARRIVAL: Final = 12
ROWS: Final = 13

NONE: Final = -1
#: Payees from here on have their account at another bank.
OUTSIDE: Final = 1 << 40

CHANNELS: Final = ("chip", "contactless", "online", "transfer")
DEVICES: Final = ("card", "phone", "desktop", "tablet")
#: Towns, in six columns and four rows on the map; none of them exists.
PLACES: Final = (
    "Alderwick", "Brackholm", "Cresswater", "Dunmarsh", "Eastfold", "Fennbridge", "Garrowby", "Hartwell End",
    "Ivelmouth", "Kestrel Hill", "Larkstead", "Millhaven", "Netherby", "Oakhurst", "Penmoor", "Quarrytown",
    "Ravensford", "Stonebeck", "Thornley", "Upperdale", "Vineham", "Westerby", "Yarrowgate", "Zennick",
)  # fmt: skip
#: Nought is no fraud.
SCENARIOS: Final = (
    None, "high_amount", "compromised_terminal", "compromised_customer", "very_high_amount", "unusual_place",
    "odd_hours", "rapid_burst", "card_testing", "account_takeover", "mule_ring",
)  # fmt: skip


def blank(size: int) -> Payments:
    """Give payments of which nothing is known yet: no terminal, device or payee, and no fraud.

    >>> blank(2)[TERMINAL].tolist(), blank(2)[SCENARIO].tolist()
    ([-1, -1], [0, 0])
    """
    rows = np.zeros((ROWS, size), np.int64)
    rows[[TERMINAL, DEVICE_ID, PAYEE, KEY]] = NONE
    return rows


def ahead(parts: list[Payments], row: int, until: int) -> tuple[Payments, Payments]:
    """Cut payments into those whose `row` is below `until`, sorted by it, and the rest."""
    rows = np.concatenate([*parts, blank(0)], axis=1)
    now = rows[row] < until
    first = rows[:, now]
    return first[:, np.argsort(first[row], kind="stable")], rows[:, ~now]
