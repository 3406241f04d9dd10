"""Days: local ones by number, and how many of them times cover."""

from __future__ import annotations

import numpy as np
import pytest

from tallystick.evaluation import day_numbers, days_covered
from tallystick.evaluation.days import DAY, HOUR

MINUTE = HOUR // 60


def every(minutes, start, end):
    return np.arange(start, end, minutes * MINUTE)


@pytest.mark.parametrize(
    ("start", "end"), [(0, 30), (0.5, 30), (0, 29.5), (0.5, 10.5), (0.25, 1.5), (0, 1), (0.25, 0.75), (3, 6)]
)
def test_half_days_count_as_halves(start, end):
    found = days_covered(every(10, int(start * DAY), int(end * DAY)))
    assert found == pytest.approx(end - start, abs=0.02)


def test_a_night_without_payments_is_no_part_of_a_day_that_is_missing():
    days = np.concatenate([every(10, day * DAY + 8 * HOUR, day * DAY + 20 * HOUR) for day in range(10)])
    assert days_covered(days) == pytest.approx(10, abs=0.02)
    until_two = days[days < 9 * DAY + 14 * HOUR]
    assert days_covered(until_two) == pytest.approx(9.5, abs=0.02)


def test_days_between_that_hold_nothing_are_not_counted():
    week = every(10, 0, 7 * DAY)
    assert days_covered(np.concatenate([week, week + 21 * DAY])) == pytest.approx(14, abs=0.02)


def test_days_are_those_of_the_zone():
    rows = every(10, -HOUR, 3 * DAY - HOUR)  # whole days in Berlin
    assert days_covered(rows, "Europe/Berlin") == pytest.approx(3, abs=0.02)
    assert len(np.unique(day_numbers(rows, "Europe/Berlin"))) == 3


def test_few_rows_of_one_day_are_of_an_hour_at_least():
    assert days_covered([5]) == 1 / 24
    assert days_covered([5, 6, 7]) == 1 / 24
    assert days_covered([]) == 0
