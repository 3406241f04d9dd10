"""Memory of window state: a million cards with four windows, and one card under heavy traffic.

python benchmarks/window_memory.py [--cards N]
"""

from __future__ import annotations

import argparse
import resource

import numpy as np
import pyarrow as pa

from _claims import claim
from tallystick.windows import TableRoles, Windows, WindowState

DECLARED = Windows.of({"features": [
    {"entity": "customer_id", "windows": ["1h", "1d", "7d", "30d"],
     "aggregates": ["count", "sum amount", "mean amount"]},
]}, TableRoles("event_time", {"amount": "currency"}))  # fmt: skip
SECOND = 1_000_000


def rows(times: np.ndarray, cards: np.ndarray) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays(
        [
            pa.array(times).cast(pa.timestamp("us", "UTC")),
            pa.array(cards).cast(pa.string()),
            pa.array(times % 9_999),
        ],
        names=["event_time", "customer_id", "amount"],
    )


def resident() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--cards", type=int, default=1_000_000)
    parser.add_argument("--events", type=int, default=12, help="for each card, over 30 days")
    given = parser.parse_args()
    chance = np.random.default_rng(7)
    state, before = WindowState(DECLARED), resident()
    step = 30 * 86_400 * SECOND // given.events
    for turn in range(given.events):
        order = chance.permutation(given.cards)
        for part in np.array_split(order, max(1, given.cards // 100_000)):
            state.apply(rows(turn * step + np.sort(chance.integers(0, step, len(part))), part))
    claim("memory of window state", state.nbytes / given.cards, unit="bytes a card",
          what=f"{given.cards} cards, 4 windows of 30 tiles, {given.events} events each in 30 days",
          with_names_and_room_to_grow=round((resident() - before) / given.cards))  # fmt: skip
    one, sizes = WindowState(DECLARED), []
    for turn in range(20):
        times = (turn * 100_000 + np.arange(100_000)) * 5 * SECOND
        one.apply(rows(times, np.zeros(100_000, np.int64)))
        sizes.append(one.nbytes)
    claim("memory of one card under heavy traffic", sizes[-1], unit="bytes",
          what="2 M events, one each 5 seconds for 116 days",
          wanted="no more than after the first 40 days", met=sizes[-1] <= sizes[7])  # fmt: skip


if __name__ == "__main__":
    main()
