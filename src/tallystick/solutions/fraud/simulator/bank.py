"""The bank of a simulation: its customers and terminals, where they are, and how much fraud begins when."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tallystick.solutions.fraud.simulator.chance import SCALE, Draws, normals, poissons
from tallystick.solutions.fraud.simulator.ground import Ground, near
from tallystick.solutions.fraud.simulator.ordinary import DAY, day_of
from tallystick.solutions.fraud.simulator.payments import SCENARIOS, Payments
from tallystick.solutions.fraud.simulator.preset import MILLION, Preset

__all__ = ["Bank"]

Ints = NDArray[np.int64]

#: With more customers a day would not fit into memory; more rows are then more days.
MOST_CUSTOMERS: Final = 500_000
#: With fewer, nobody would be like anybody; fewer rows are then fewer days.
LEAST_CUSTOMERS: Final = 20


@dataclass(frozen=True)
class Bank:
    """Sizes that follow from the rows asked for; `seed` is that of all that is drawn."""

    preset: Preset
    seed: int
    customers: int
    terminals: int

    @classmethod
    def of(cls, preset: Preset, seed: int, rows: int) -> Bank:
        """Take as many customers as make the rows in the preset's days."""
        within = float(np.mean(np.abs(_moments(preset) - DAY / 2) < DAY / 2))
        each = preset.most_payments / 2 * within * preset.days
        customers = preset.customers or min(max(round(rows / each), LEAST_CUSTOMERS), MOST_CUSTOMERS)
        return cls(preset, seed, customers, max(round(preset.terminals * customers), 1))

    @cached_property
    def ground(self) -> Ground:
        """The map with its terminals."""
        return Ground.of(self.seed, self.terminals)

    def begun(self, kind: str, day: int) -> int:
        """Say how many frauds of a kind begin on a day: evenly, so that few customers have some as well.

        Each kind has a head start of its own, most of the way to its first fraud.
        """
        rate = round(self.preset.frauds.get(kind, 0.0) * self.customers * MILLION / 10_000)
        before = int(Draws(self.seed, 6, SCENARIOS.index(kind)).between(800_000, 960_000, 1)[0])
        return (rate * (day + 1) + before) // MILLION - (rate * day + before) // MILLION

    def ordinary(self, day: int) -> Payments:
        """Make the payments of a day that honest customers make."""
        preset, ground = self.preset, self.ground
        shares = (preset.large, preset.away, preset.refunds, preset.contactless, preset.online,
                  preset.transfers, preset.other_device)  # fmt: skip
        rows: Payments = day_of(
            np.uint64(self.seed), self.customers, day, preset.noon, preset.spread, preset.high_amount,
            np.array([round(share * MILLION) for share in shares]),
            poissons(preset.most_payments), normals(),
            ground.side, ground.cells, ground.x, ground.y, ground.order, ground.start,
        )  # fmt: skip
        return rows

    def near(self, x: Ints, y: Ints, chances: Ints) -> Ints:
        """Draw a terminal within reach of each spot, or any where there is none."""
        ground = self.ground
        found = [
            near(np.uint64(chance), int(at), int(up), ground.side, ground.cells, ground.x, ground.y,
                 ground.order, ground.start)
            for at, up, chance in zip(x, y, chances, strict=True)
        ]  # fmt: skip
        return np.array(found, np.int64).reshape(-1) % self.terminals


def _moments(preset: Preset) -> Ints:
    return preset.noon + preset.spread * normals() // SCALE
