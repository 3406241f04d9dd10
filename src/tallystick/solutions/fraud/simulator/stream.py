"""The rows of a bank, day by day, and never more of them in memory than a day and what it leaves."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from tallystick.solutions.fraud.simulator.bank import Bank
from tallystick.solutions.fraud.simulator.broken import spoil
from tallystick.solutions.fraud.simulator.campaigns import begin
from tallystick.solutions.fraud.simulator.chance import Draws
from tallystick.solutions.fraud.simulator.delivery import arrive
from tallystick.solutions.fraud.simulator.handbook import Compromised
from tallystick.solutions.fraud.simulator.ordinary import DAY
from tallystick.solutions.fraud.simulator.payments import ARRIVAL, NUMBER, SECOND, Payments, ahead
from tallystick.solutions.fraud.simulator.preset import Preset
from tallystick.solutions.fraud.simulator.table import table

__all__ = ["BATCH", "batches", "days"]

BATCH = 65_536


def days(bank: Bank) -> Iterator[Payments]:
    """Give the payments of each day in the order in which they arrive, without an end."""
    compromised = Compromised(bank)
    later: list[Payments] = []
    on_the_way: list[Payments] = []
    number = day = 0
    while True:
        ordinary = bank.ordinary(day)
        compromised.mark(ordinary, day)
        rows, rest = ahead([*later, ordinary, *begin(bank, day)], SECOND, (day + 1) * DAY)
        later = [rest]
        rows[NUMBER] = np.arange(number, number + rows.shape[1])
        number += rows.shape[1]
        arrived, rest = ahead([*on_the_way, arrive(bank, rows, day)], ARRIVAL, (day + 1) * DAY)
        on_the_way = [rest]
        yield arrived
        day += 1


def batches(preset: Preset, seed: int, rows: int) -> Iterator[pa.RecordBatch]:
    """Give so many rows as batches of at most 65,536."""
    bank = Bank.of(preset, seed, rows)
    for place, part in enumerate(_parts(bank, rows)):
        batch = table(bank, part)
        yield spoil(batch, preset.broken, Draws(bank.seed, 4, place)) if preset.broken else batch


def _parts(bank: Bank, rows: int) -> Iterator[Payments]:
    """Cut the days anew into parts of `BATCH` rows, and end after the last that was asked for."""
    held: list[Payments] = []
    left = rows
    coming = days(bank)
    while left:
        size = sum(part.shape[1] for part in held)
        wanted = min(BATCH, left)
        if size < wanted:
            held.append(next(coming))
            continue
        whole = np.concatenate(held, axis=1)
        yield whole[:, :wanted]
        held, left = [whole[:, wanted:]], left - wanted
