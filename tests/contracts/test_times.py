from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.contracts.text import NULL, OK, scan
from tallystick.contracts.times import BAD, from_typed, parse
from tallystick.contracts.zones import micros

MOMENTS = st.datetimes(datetime(1900, 1, 2), datetime(2262, 12, 30))


def read(*texts: str | None, order: str = "month-first", zone: str = "UTC") -> list[int | str | None]:
    moments, state = parse(scan(pa.array(texts, pa.string()), 64), order, zone)
    return [int(m) if s == OK else None if s == NULL else "bad" for m, s in zip(moments, state, strict=True)]


def at(*parts: int) -> int:
    return micros(datetime(*parts, tzinfo=UTC))  # type: ignore[arg-type, misc]


@pytest.mark.parametrize(
    "text",
    [
        "2024-01-31",
        "20240131",
        "2024/1/31",
        "01/31/2024",
        "1/31/2024",
        "1/31/24",
        "01-31-2024",
        "31.01.2024",
        "31.1.24",
        "31 Jan 2024",
        "31 january 2024",
        "31-Jan-2024",
        "31-JAN-24",
        "Jan 31, 2024",
        "January 31 2024",
        "Jan. 31, 2024",
        "  2024-01-31\n",
        "2024-01-31T00:00:00Z",
        "2024-01-31Z",
        "2024-01-31 00:00:00 UTC",
        "2024-01-31T12:00:00.000-12:00",
    ],
)
def test_every_way_to_write_one_day(text: str) -> None:
    assert read(text) == [at(2024, 1, 31) + (86_400_000_000 if "-12:00" in text else 0)]


@pytest.mark.parametrize(
    ("clock", "expected"),
    [
        (" 9:05", (9, 5)),
        (" 09:05:07", (9, 5, 7)),
        (" 9:05 PM", (21, 5)),
        (" 9:05:07 am", (9, 5, 7)),
        (" 12:00 AM", (0, 0)),
        (" 12:30PM", (12, 30)),
        (" 3 PM", (15, 0)),
        (", 9:05 PM", (21, 5)),
        (" 09:05:07.1234567", (9, 5, 7, 123456)),
        (" 09:05:07,5", (9, 5, 7, 500000)),
    ],
)
def test_every_date_takes_every_clock(clock: str, expected: tuple[int, ...]) -> None:
    for day in ("2024-01-31", "20240131", "01/31/2024", "31.01.2024", "31 Jan 2024", "Jan 31, 2024"):
        assert read(day + clock) == [at(2024, 1, 31, *expected)], day + clock


@pytest.mark.parametrize(
    "text",
    [
        "soon", "2024", "2024-01", "2024-13-01", "2024-02-30", "2023-02-29", "1900-02-29", "2024-00-10",
        "2024-01-00",
        "13/31/2024", "31/01/2024", "2024-01-31T25:00", "2024-01-31T24:00", "2024-01-31T10:60",
        "2024-01-31T10:00:60",
        "2024-01-31 10", "2024-01-31T10:00:00.", "2024-01-31T10:00+25:00", "2024-01-31T10:00+1",
        "2024-01-31x",
        "2024-01/31", "01/31-2024", "31.01,2024", "31 Foo 2024", "31 Janu 2024", "Jan 2024", "1/2/3",
        "1/2/202", "01-02-24",
        "1899-12-31", "2263-01-01", "0001-01-01", "9999-12-31", "2024-01-31 13:00 PM", "2024-01-31 0:30 AM",
        "--", "-",
        "2024-01-31T10:00:00 Europe/Berlin", "20240131T1", "202401311", "XX/XX/2024", "45322",
        "2024-01-31T", "\u0662024-01-31",
    ],
)  # fmt: skip
def test_what_is_no_time(text: str) -> None:
    assert read(text) == ["bad"]


def test_blank_and_null_are_unknown() -> None:
    assert read("", "  ", None, "\u00a0") == [None] * 4


def test_slashes_follow_the_setting_and_nothing_else() -> None:
    assert read("03/04/2024") == [at(2024, 3, 4)]
    assert read("03/04/2024", order="day-first") == [at(2024, 4, 3)]
    # No row may lend its order to another.
    assert read("31/12/2024", "03/04/2024") == ["bad", at(2024, 3, 4)]
    assert read("12/31/2024", "03/04/2024", order="day-first") == ["bad", at(2024, 4, 3)]
    assert read("03.04.2024") == read("03.04.2024", order="day-first") == [at(2024, 4, 3)]


def test_two_digits_of_a_year_pivot_as_in_posix() -> None:
    assert read("1/1/68", "1/1/69") == [at(2068, 1, 1), at(1969, 1, 1)]


def test_the_ends_of_the_range_are_judged_in_utc() -> None:
    assert read("1900-01-01T00:00Z", "1900-01-01T00:00+00:01") == [at(1900, 1, 1), "bad"]
    last = at(2262, 12, 31, 23, 59, 59, 999999)
    assert read("2262-12-31T23:59:59.999999Z", "2262-12-31T23:59:59-01:00") == [last, "bad"]


def test_a_naive_time_is_local_to_the_zone_and_an_aware_one_is_not() -> None:
    assert read("2024-07-01 12:00", "2024-07-01 12:00Z", zone="Europe/Berlin") == [
        at(2024, 7, 1, 10),
        at(2024, 7, 1, 12),
    ]


@given(
    MOMENTS,
    st.one_of(st.none(), st.integers(-86_399 // 60 + 1, 86_399 // 60 - 1)),
    st.sampled_from([" ", "T"]),
    st.sampled_from(["auto", "hours", "minutes", "seconds", "milliseconds", "microseconds"]),
)
def test_iso_reads_as_python_reads_it(moment: datetime, offset: int | None, sep: str, spec: str) -> None:
    if offset is not None:
        moment = moment.replace(tzinfo=timezone(timedelta(minutes=offset)))
    sep = "T" if spec == "hours" else sep  # an hour alone needs its T
    text = moment.isoformat(sep, spec)
    python = datetime.fromisoformat(text)
    assert read(text) == [micros(python if python.tzinfo else python.replace(tzinfo=UTC))]


FORMATS = [
    "%Y-%m-%dT%H:%M:%S", "%Y%m%dT%H%M%S", "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %I:%M:%S %p", "%d.%m.%Y %H:%M:%S",
    "%d %b %Y %H:%M:%S",
    "%d %B %Y %I:%M:%S%p", "%b %d, %Y %H:%M:%S", "%B %d, %Y, %I:%M:%S %p", "%Y/%m/%d %H:%M:%S",
    "%d-%b-%Y %H:%M:%S",
]  # fmt: skip


@given(
    st.lists(MOMENTS.map(lambda m: m.replace(microsecond=0)), min_size=1, max_size=5),
    st.sampled_from(FORMATS),
)
def test_all_formats_come_back(moments: list[datetime], form: str) -> None:
    texts = [m.strftime(form.replace("%Y", f"{m.year:04d}")) for m in moments]
    assert read(*texts) == [micros(m.replace(tzinfo=UTC)) for m in moments]


@given(st.text(st.sampled_from("0123456789/-.:, TZ+apmJanFeb\u00e9"), max_size=24))
def test_no_text_breaks_the_parser_or_depends_on_its_neighbours(text: str) -> None:
    alone = read(text)
    assert read("2024-01-31", text, "x")[1:2] == alone
    if text.isascii() and text == text.strip() and len(text) == 10 and text[4:5] == "-" == text[7:8]:
        try:
            expected: int | str = micros(datetime.fromisoformat(text).replace(tzinfo=UTC))
        except ValueError:
            return
        assert alone == [expected] or not 1900 <= int(text[:4]) <= 2262


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "America/New_York"])
def test_typed_times_of_every_unit(unit: str, zone: str | None) -> None:
    values = [datetime(2024, 7, 1, 12), None, datetime(1969, 12, 31, 23, 59, 59)]
    array = pa.array(values, pa.timestamp(unit, tz=zone)).slice(0, 3)
    moments, state = from_typed(array, "Europe/Berlin")
    assert state.tolist() == [OK, NULL, OK]
    # pyarrow takes naive Python datetimes as UTC; without a zone they are what a clock in Berlin shows.
    expected = [at(2024, 7, 1, 12), at(1969, 12, 31, 23, 59, 59)]
    if zone is None:
        expected = [expected[0] - 7_200_000_000, expected[1] - 3_600_000_000]
    assert moments[[0, 2]].tolist() == expected


def test_nanoseconds_are_cut_towards_the_past() -> None:
    assert from_typed(pa.array([-1, 1_999], pa.timestamp("ns")), "UTC")[0].tolist() == [-1, 1]


def test_typed_dates_are_midnights_and_far_ones_are_bad() -> None:
    for kind in (pa.date32(), pa.date64()):
        moments, state = from_typed(pa.array([date(2024, 1, 31), None], kind), "UTC")
        assert (moments[0], state.tolist()) == (at(2024, 1, 31), [OK, NULL])
    far = pa.array([2**62, -(2**62), 0], pa.int64())
    for kind in (pa.timestamp("s"), pa.timestamp("ms"), pa.timestamp("us"), pa.date64()):
        assert from_typed(far.cast(kind), "UTC")[1].tolist() == [BAD, BAD, OK], kind
    assert from_typed(pa.array([2**31 - 1], pa.int32()).cast(pa.date32()), "UTC")[1].tolist() == [BAD]
