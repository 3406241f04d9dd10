from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tallystick import durations
from tallystick.config import Settings
from tallystick.contracts import Checked, Column, Contract, Format

HOURS = Format("hourly", ("step", "payer"), names=(("step", "at"),), time="step", step="1h")
LOG = Contract(
    "log",
    1,
    (Column("at", "time", "When", aliases=("time",)), Column("payer", "text", "Who")),
    event_time="at",
    formats=(HOURS,),
)
START = datetime(1970, 1, 1, tzinfo=UTC)


def check(rows: dict[str, Any], **settings: str) -> Checked:
    batch = pa.record_batch(rows)
    return LOG.check(
        batch,
        LOG.resolve(batch.schema.names),
        Settings().with_values(settings, "--set"),
        as_of=datetime(2262, 1, 1),
    )


def one(value: Any, kind: pa.DataType | None = None, **settings: str) -> Any:
    """Return the time of one hourly row, or the code of what is wrong."""
    checked = check({"STEP": pa.array([value], kind), "payer": ["x"]}, **settings)
    return checked.bad.code[0] if len(checked.bad) else checked.rows["at"][0].as_py()


@pytest.mark.parametrize(
    ("value", "hours"),
    [("1", 1), (" 743 ", 743), ("0", 0), ("-1", -1), ("1.5", 1.5), ("1e+02", 100), (7, 7), (7.25, 7.25)],
)
def test_a_recognised_file_counts_steps(value: Any, hours: float) -> None:
    assert one(value) == START + timedelta(hours=hours)


@pytest.mark.parametrize("value", [None, "", " ", "nan", "N/A", float("nan")])
def test_no_count_is_no_time(value: Any) -> None:
    assert one(value) is None


@pytest.mark.parametrize("value", ["soon", "1,000", "$5", "€5", "1e30", 1e30, float("inf"), 2**62])
def test_what_is_no_count(value: Any) -> None:
    assert one(value) == "bad_time"


def test_other_times_are_read_as_ever() -> None:
    assert one("2024-01-31") == datetime(2024, 1, 31, tzinfo=UTC)
    assert one("31.01.2024") == datetime(2024, 1, 31, tzinfo=UTC)
    assert one(datetime(2024, 1, 31)) == datetime(2024, 1, 31, tzinfo=UTC)


def test_epoch_zone_and_step_are_settings() -> None:
    assert one("24", epoch="2024-03-01") == datetime(2024, 3, 2, tzinfo=UTC)
    assert one("0", epoch="2024-03-01", zone="Europe/Berlin") == datetime(2024, 2, 29, 23, tzinfo=UTC)
    # A step is as long when the clocks change: 31 March 2024 has 23 hours in Berlin.
    spring = one(31, epoch="2024-03-01", zone="Europe/Berlin", step="1d")
    assert spring == datetime(2024, 3, 31, 23, tzinfo=UTC)
    assert one("3", step="15m") == START + timedelta(minutes=45)


def test_a_date_without_signs_stays_one_where_nothing_counts() -> None:
    for at in ("20240131", 20240131):
        assert check({"at": [at], "payer": ["x"]}).rows["at"][0].as_py() == datetime(2024, 1, 31, tzinfo=UTC)
    assert check({"at": ["20240131"]}, step="1s").rows["at"][0].as_py() == START + timedelta(seconds=20240131)
    assert check({"time": ["12"]}, step="1d").rows["at"][0].as_py() == START + timedelta(days=12)
    bad = check({"time": ["12"]}).bad
    assert bad.code == ("bad_time",)
    assert "--set step=1h" in bad.message[0]
    # Only the heading of the format counts, also where it is recognised.
    mapped = LOG.resolve(["step", "payer", "day"], {"day": "at"})
    batch = pa.record_batch({"step": ["1"], "payer": ["x"], "day": ["20240131"]})
    assert LOG.check(batch, mapped, Settings()).rows["at"][0].as_py() == datetime(2024, 1, 31, tzinfo=UTC)


@given(st.floats(-25_000, 100_000), st.sampled_from(["1s", "15m", "1h", "1d"]))
@example(0.1, "1h")
def test_part_of_a_step_is_exact_to_the_microsecond(count: float, step: str) -> None:
    found = one(count, step=step)
    assert found == one(repr(count), step=step)
    exact = Fraction(count) * durations.parse(step)
    assert abs((found - START) // timedelta(microseconds=1) - exact) <= Fraction(50_001, 100_000)


VALUES = st.sampled_from([None, "", "1", "2.5", "-3", "soon", "2024-01-31", "20240131", "1e30", "1,000"])


@given(st.lists(VALUES, min_size=1, max_size=30), st.sampled_from(["", "1d"]))
def test_one_row_is_as_many(values: list[str | None], step: str) -> None:
    column = pa.array(values, pa.string())
    both = {"step": column, "payer": pa.array(["x"] * len(values))}
    together = check(both, step=step)
    alone = [check({n: c.slice(i, 1) for n, c in both.items()}, step=step) for i in range(len(values))]
    assert together.rows.to_pylist() == [row for part in alone for row in part.rows.to_pylist()]
    assert list(together.bad.code) == [code for part in alone for code in part.bad.code]
