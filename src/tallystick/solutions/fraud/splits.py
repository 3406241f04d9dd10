"""Published protocols that payments are measured by, and the best that can be expected of simulated ones."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from tallystick.contracts.times import DAY
from tallystick.contracts.zones import LATEST
from tallystick.errors import DataError, UsageError
from tallystick.evaluation import day_numbers
from tallystick.solutions.fraud.oracle import oracle_of
from tallystick.solutions.fraud.protocols import Part, handbook, prequential
from tallystick.tasks import Dataset, Fold, Split, SplitMaker, Truth

__all__ = ["SPLITS", "oracle"]

WEEK = 7


def by_handbook(dataset: Dataset, truth: Truth, start: int | None) -> Split:
    """Test one week by what was known when it began, as the Handbook's get_train_test_set does."""
    return _by_week("handbook", dataset, truth, start)


def by_week(dataset: Dataset, truth: Truth, start: int | None) -> Split:
    """Test week after week by what was known when each began."""
    return _by_week("prequential", dataset, truth, start)


SPLITS: Mapping[str, SplitMaker] = {"handbook": by_handbook, "prequential": by_week}


def _by_week(name: str, dataset: Dataset, truth: Truth, start: int | None) -> Split:
    zone = dataset.settings.zone
    dated = np.flatnonzero(dataset.time < LATEST)
    card = dataset.person
    if card is None:
        raise DataError(
            f"The split {name} leaves out cards that are known to be compromised, and no row has one.",
            "Say which column it is: --map THEIRS=customer_id. Or use --split time.",
        )
    card, fraud = card[dated], (truth.values == 1)[dated]
    day = day_numbers(dataset.time[dated], zone)
    end = int(day.max()) + 1
    first = end - (WEEK if name == "handbook" else 3 * WEEK)
    if start is not None:
        first = int(day_numbers(np.array([start]), zone)[0])
    weeks = list(range(first, end - WEEK + 1, WEEK))[: 1 if name == "handbook" else None]
    if not weeks:
        raise UsageError(
            f"There is no whole week to test from {_day(first * DAY)}.", "Name an earlier --from."
        )
    if name == "handbook":
        parts = [handbook(day, card, fraud, first - 2 * WEEK)]
    else:
        parts = prequential(day, weeks, protocol="published", card=card, fraud=fraud)
    known = dataset.known["is_fraud"][dated]  # cards are left out from when their fraud was known
    folds = tuple(
        Fold(dated[part.train], dated[part.test], answers=part.seen(fraud, known, zone).astype(np.float64))
        for part in parts
    )
    return Split(folds, _described(name, parts))


def _described(name: str, parts: list[Part]) -> dict[str, str | int]:
    first, last = parts[0].describe(), parts[-1].describe()
    return {
        "kind": name,
        "tested on": f"{first['first']} to {last['last']}",
        "weeks": len(parts),
        "learned from": f"{first['train_rows']:,} rows"
        + (f" to {last['train_rows']:,}" if len(parts) > 1 else ""),
        "left out": "cards that were known to be compromised",
    }


def _day(micros: int) -> str:
    return datetime.fromtimestamp(int(micros) / 1e6, UTC).strftime("%Y-%m-%d")


def oracle(dataset: Dataset) -> NDArray[np.float64] | None:
    """Return what the best that can be expected says of the payments of a simulation; None for others.

    It knows how the simulator works and every label that was known by then; see `oracle_scores`. dataset: all
    payments, those of the history among them.
    """
    card, amount, scenario = dataset.person, dataset.money("amount"), dataset.text("scenario")
    if card is None or amount is None or scenario is None:
        return None
    if (dataset.time == LATEST).any():
        return None
    fraud = np.asarray(dataset.rows.column("is_fraud").fill_null(False).to_numpy(zero_copy_only=False))
    waited = dataset.known["is_fraud"][fraud] - dataset.time[fraud]
    late = float(np.median(waited)) / DAY if len(waited) else 0.0
    return oracle_of(
        dataset.rows,
        time=dataset.time,
        entity=card,
        amount=amount,
        truth=fraud,
        scenario=scenario,
        delay=late,
        zone=dataset.settings.zone,
    )
