"""Values by name: money in major units, what follows from the time, window features also of slices."""

import numpy as np
import pyarrow as pa
import pytest

from tallystick.feature_extraction import WINDOW_FEATURES, ValueReader, Values, window_column

TIME = pa.timestamp("us", tz="UTC")


def values_of(rows: pa.RecordBatch, zone: str, currency: str, windows: tuple[str, ...] = ()) -> Values:
    return ValueReader("event_time", {"amount": "currency"}, zone, currency, windows).read(rows)


def batch(**columns: pa.Array) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict(columns)


def test_money_is_in_major_units_of_its_own_currency() -> None:
    rows = batch(
        amount=pa.array([1234, 1234, 1234, -5, None, 1234], pa.int64()),
        currency=pa.array(["USD", "JPY", "KWD", "EUR", "USD", None]),
    )
    found = values_of(rows, "UTC", "JPY").number("amount")
    assert found[:4].tolist() == [12.34, 1234.0, 1.234, -0.05]
    assert np.isnan(found[4])
    assert found[5] == 1234.0  # without a currency: the setting


@pytest.mark.parametrize(("currency", "amount"), [("USD", 12.34), ("JPY", 1234.0), ("KWD", 1.234)])
def test_without_a_column_the_setting_is_the_currency(currency: str, amount: float) -> None:
    rows = batch(amount=pa.array([1234], pa.int64()))
    assert values_of(rows, "UTC", currency)["amount"].tolist() == [amount]


@pytest.mark.parametrize("rows", [1, 47, 48, 100])
def test_money_of_a_row_does_not_depend_on_its_neighbours(rows: int) -> None:
    codes = pa.array([["JPY", "KWD", "EUR", None][i % 4] for i in range(rows)])
    whole = batch(amount=pa.array(range(rows), pa.int64()), currency=codes)
    together = values_of(whole, "UTC", "USD").number("amount")
    alone = [values_of(whole.slice(i, 1), "UTC", "USD").number("amount")[0] for i in range(rows)]
    assert together.tolist() == alone


def test_the_calendar_is_that_of_the_zone() -> None:
    # The Sunday on which New York sets its clocks on: 01:30, an hour later 03:30.
    utc = np.array(["2025-03-09T06:30", "2025-03-09T07:30", "2025-03-10T03:59"], "M8[us]").astype(np.int64)
    rows = batch(event_time=pa.array([*utc.tolist(), None], pa.int64()).cast(TIME))
    found = values_of(rows, "America/New_York", "USD")
    assert found["hour"][:3].tolist() == [1, 3, 23]
    assert found["weekday"][:3].tolist() == [6, 6, 6]
    assert found["night"][:3].tolist() == [1, 1, 0]
    assert found["weekend"][:3].tolist() == [1, 1, 1]
    assert all(np.isnan(found[name][3]) for name in ("hour", "weekday", "night", "weekend"))
    assert values_of(rows, "UTC", "USD")["weekday"][:3].tolist() == [6, 6, 0]


def test_without_a_time_there_is_no_calendar() -> None:
    assert np.isnan(values_of(batch(amount=pa.array([1], pa.int64())), "UTC", "USD")["night"]).all()


@pytest.mark.parametrize(("start", "length"), [(0, 6), (2, 3), (5, 1), (6, 0), (3, 0)])
def test_window_features_of_a_slice_is_that_of_its_rows(start: int, length: int) -> None:
    features = np.arange(12.0).reshape(6, 2)
    rows = batch(amount=pa.array(range(6), pa.int64()), **{WINDOW_FEATURES: window_column(features)})
    part = values_of(rows.slice(start, length), "UTC", "USD", ("a", "b"))
    assert part.window_features.shape == (length, 2)
    assert part.window_features.tolist() == features[start : start + length].tolist()
    assert part["b"].tolist() == features[start : start + length, 1].tolist()
    twice = values_of(rows.slice(1).slice(start, length), "UTC", "USD", ("a", "b"))
    assert twice["a"].tolist() == features[1:][start : start + length, 0].tolist()


def test_an_unknown_window_feature_stays_unknown() -> None:
    features = np.array([[np.nan, 1.0]])
    found = values_of(batch(**{WINDOW_FEATURES: window_column(features)}), "UTC", "USD", ("a", "b"))
    assert np.isnan(found["a"][0])
    assert found["b"][0] == 1.0


def test_a_window_feature_is_a_number_like_any_other() -> None:
    rows = batch(**{WINDOW_FEATURES: window_column(np.array([[1.0, 2.0], [3.0, 4.0]]))})
    found = values_of(rows, "UTC", "USD", ("a", "b"))
    assert found.number("b").tolist() == found["b"].tolist() == [2.0, 4.0]
    assert np.isnan(found.number("c")).all()


def test_texts_flags_and_numbers_by_name() -> None:
    rows = batch(
        place=pa.array(["x", None]), large=pa.array(["y", None], pa.large_string()),
        flag=pa.array([True, None]), v1=pa.array([0.5, None]),
    )  # fmt: skip
    found = values_of(rows, "UTC", "USD", ("a",))
    assert found["place"].tolist() == ["x", None]
    assert found["large"].tolist() == ["y", None]
    assert found["flag"][0] == 1.0
    assert np.isnan(found["flag"][1])
    assert np.isnan(found["v1"][1])
    assert list(found) == ["place", "large", "flag", "v1", "hour", "weekday", "night", "weekend", "a"]
    assert len(found) == 9
    for name in ("nothing", WINDOW_FEATURES):
        with pytest.raises(KeyError):
            found[name]
    assert np.isnan(found.number("v2")).all()  # a number that is not there is unknown


@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
@pytest.mark.parametrize("missing", [(), ("currency",), ("event_time",), ("amount", "v1")])
def test_numbers_written_of_a_row_alone_are_those_of_the_batch(missing: tuple[str, ...], zone: str) -> None:
    columns = {
        "amount": pa.array([1234, -5, None, 7, 10**15], pa.int64()),
        "currency": pa.array(["USD", "JPY", "KWD", None, "CLF"]),
        "event_time": pa.array([0, 1_741_503_600_000_000, None, -1, 10**15], pa.int64()).cast(TIME),
        "v1": pa.array([0.1, np.nan, None, -0.0, 1e300]),
        "count": pa.array([1, 2, None, 2**53 - 1, 0], pa.int64()),
        "known": pa.array([True, False, None, True, False]),
    }
    rows = batch(**{name: column for name, column in columns.items() if name not in missing})
    names = ("amount", "v1", "hour", "count", "weekday", "night", "known", "weekend")

    def written(some: pa.RecordBatch) -> np.ndarray:
        X = np.zeros((len(some), len(names) + 1))
        values_of(some, zone, "KWD").write(names, X)
        return X

    together = written(rows)
    assert (
        np.concatenate([written(rows.slice(i, 1)) for i in range(len(rows))]).tobytes() == together.tobytes()
    )
    for at in (0, 2):
        np.testing.assert_array_equal(together[:, at], values_of(rows, zone, "KWD").number(names[at]))


def test_roles_decide_and_not_names() -> None:
    """A money column of any name is in major units; the calendar is that of the contract's event time."""
    reader = ValueReader("booked_at", {"balance": "unit", "limit": ""}, "UTC", "JPY")
    rows = batch(
        balance=pa.array([1234, 1234], pa.int64()), unit=pa.array(["EUR", None]),
        limit=pa.array([500, 500], pa.int64()), amount=pa.array([7, 7], pa.int64()),
        booked_at=pa.array([5 * 3_600_000_000, None], pa.int64()).cast(TIME),
    )  # fmt: skip
    found = reader.read(rows)
    assert found["balance"].tolist() == [12.34, 1234]
    assert found["limit"].tolist() == [500, 500]
    assert found["amount"].tolist() == [7, 7]
    assert found["hour"][0] == 5
    for row in range(2):
        X, Y = np.zeros((1, 3)), np.zeros((2, 3))
        reader.read(rows.slice(row, 1)).write(("balance", "limit", "hour"), X)
        found.write(("balance", "limit", "hour"), Y)
        assert X[0].tobytes() == Y[row].tobytes()
