from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.contracts.zones import local_to_utc, micros

ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "Pacific/Apia",
    "Asia/Kolkata",
]


@given(st.datetimes(datetime(1900, 1, 3), datetime(2262, 12, 29)), st.sampled_from(ZONES))
def test_as_python_reads_a_local_time(local: datetime, zone: str) -> None:
    local = local.replace(fold=0)
    expected = micros(local.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC))
    assert local_to_utc(np.array([micros(local.replace(tzinfo=UTC))]), zone).tolist() == [expected]


@pytest.mark.parametrize("zone", ZONES)
def test_every_quarter_hour_around_the_changes_of_twenty_years(zone: str) -> None:
    start = micros(datetime(2005, 1, 1, tzinfo=UTC))
    local = start + np.arange(0, 20 * 366 * 24, dtype=np.int64) * 3_600_000_000
    utc = local_to_utc(local, zone)
    info = ZoneInfo(zone)
    # Each hour where the offset differs from the one before, and its quarters.
    changed = np.flatnonzero(np.diff(local - utc)) + 1
    for i in changed:
        for quarter in range(-8, 9):
            at = int(local[i]) + quarter * 900_000_000
            wall = datetime.fromtimestamp(at / 1_000_000, UTC).replace(tzinfo=info)
            assert local_to_utc(np.array([at]), zone)[0] == micros(wall.astimezone(UTC)), wall


def test_a_gap_moves_on_and_an_overlap_takes_the_first() -> None:
    def berlin(*parts: int) -> datetime:
        local = micros(datetime(*parts, tzinfo=UTC))  # type: ignore[arg-type, misc]
        found = int(local_to_utc(np.array([local]), "Europe/Berlin")[0])
        return datetime.fromtimestamp(found / 1_000_000, UTC)

    assert berlin(2024, 3, 31, 2, 30) == datetime(2024, 3, 31, 1, 30, tzinfo=UTC)  # shown as 03:30
    assert berlin(2024, 10, 27, 2, 30) == datetime(2024, 10, 27, 0, 30, tzinfo=UTC)  # still summer
