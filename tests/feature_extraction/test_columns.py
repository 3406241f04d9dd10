"""Features of tables: which there are, what they hold, and that a row alone gets the bits of a batch."""

import json
import random
from datetime import UTC, datetime

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.errors import DataError, UsageError
from tallystick.feature_extraction import (
    WINDOW_FEATURES,
    Columns,
    FitContext,
    FittedFeatures,
    ValueReader,
    WindowFeatures,
    fit_features,
    window_column,
)
from tallystick.feature_extraction.columns import LEAST, MOST

COLUMNS = Columns(
    numbers=("amount", "v1"),
    calendar=("hour", "weekday", "night", "weekend"),
    categories=("place", "channel"),
    identified_by=("transaction_id", "event_time", "amount"),
)
FEATURES = (COLUMNS, WindowFeatures())
TIME = pa.timestamp("us", tz="UTC")
WINDOWS = ("customer_id__count__1d", "customer_id__mean_amount__7d", "terminal_id__risk__30d")


def rows(
    count: int = 40, behaviour: np.ndarray | None = None, **columns: pa.Array | list | None
) -> pa.RecordBatch:
    """Clean payments; a column given as None is left out."""
    made: dict[str, pa.Array] = {
        "transaction_id": pa.array([f"t{i}" for i in range(count)]),
        "event_time": pa.array([i * 3_600_000_000 for i in range(count)], pa.int64()).cast(TIME),
        "amount": pa.array(range(0, count * 100, 100), pa.int64()),
        "place": pa.array(["north" if i % 2 else "south" for i in range(count)]),
    }
    for name, column in columns.items():
        made[name] = pa.array(column) if isinstance(column, list) else column
    made = {name: column for name, column in made.items() if column is not None}
    if behaviour is not None:
        made[WINDOW_FEATURES] = window_column(behaviour)
    return pa.RecordBatch.from_pydict(made)


def fit(
    batch: pa.RecordBatch, only: tuple[str, ...] = (), names: tuple[str, ...] = (), zone: str = "UTC"
) -> FittedFeatures:
    reader = ValueReader("event_time", {"amount": "currency"}, zone, "USD", names)
    return fit_features(FEATURES, batch, FitContext(reader, frozenset(only)))


def load(description: dict) -> FittedFeatures:
    reader = ValueReader("event_time", {"amount": "currency"}, windows=WINDOWS)
    return FittedFeatures.load(FEATURES, reader, description, {})


def test_the_columns_that_hold_something_are_looked_at() -> None:
    fitted = fit(rows(v1=pa.nulls(40, pa.float64())))
    assert fitted.names == ("amount", "hour", "weekday", "night", "weekend", "place=north", "place=south")
    assert fitted.count == len(fitted.names) == fitted.matrix(rows()).shape[1]
    bare = fit(rows(event_time=None, place=None))
    assert bare.names == ("amount",)


def test_what_is_there_by_name() -> None:
    X = fit(rows()).matrix(rows())
    # The 30th hour of 1970: six in the morning of Friday the second.
    assert X[30].tolist() == [30.0, 6.0, 4.0, 0.0, 0.0, 0.0, 1.0]
    assert X[29].tolist() == [29.0, 5.0, 4.0, 1.0, 0.0, 1.0, 0.0]


def test_nothing_to_look_at_is_told_with_what_would_be() -> None:
    with pytest.raises(DataError, match="nothing to learn from") as caught:
        fit(rows(event_time=None, place=None, amount=pa.nulls(40, pa.int64())))
    assert "amount, v1, place, channel" in caught.value.hint


@pytest.mark.parametrize("other", ["none", "column"])
def test_what_is_unknown_is_nan_and_of_no_category(other: str) -> None:
    fitted = fit(rows())
    gaps = rows(
        amount=pa.nulls(40, pa.int64()) if other == "none" else None,
        event_time=pa.nulls(40, TIME) if other == "none" else None,
        place=pa.nulls(40, pa.string()) if other == "none" else None,
    )
    X = fitted.matrix(gaps)
    assert np.isnan(X[:, :5]).all()
    assert (X[:, 5:] == 0).all()


def test_a_category_keeps_its_most_frequent_values() -> None:
    """At most MOST of them, and each on at least LEAST rows; equal counts by the alphabet."""
    places = [f"p{i:02d}" for i in range(MOST + 5) for _ in range(LEAST)]
    places += [f"p{MOST + 4:02d}", "rare"] + ["nearly"] * (LEAST - 1)
    fitted = fit(rows(len(places), place=places))
    kept = fitted.parts[0][1].categories["place"]
    assert kept == (*(f"p{i:02d}" for i in range(MOST - 1)), f"p{MOST + 4:02d}")
    assert fit(rows(LEAST, place=["here"] * LEAST)).parts[0][1].categories == {"place": ("here",)}
    assert fit(rows(LEAST, place=["here"] * (LEAST - 1) + ["there"])).parts[0][1].categories == {}


def test_a_value_never_seen_is_of_no_category() -> None:
    fitted = fit(rows())
    X = fitted.matrix(rows(3, place=["west", None, "south"]))
    assert X[:, 5:].tolist() == [[0, 0], [0, 0], [0, 1]]


def test_only_what_was_asked_for() -> None:
    behaviour = np.arange(120.0).reshape(40, 3)
    fitted = fit(rows(behaviour=behaviour), ("amount", "night", WINDOWS[2]), WINDOWS)
    assert fitted.names == ("amount", "night", WINDOWS[2])
    assert fitted.matrix(rows(behaviour=behaviour))[:, 2].tolist() == behaviour[:, 2].tolist()
    with pytest.raises(UsageError, match='"amont" is no feature here') as caught:
        fit(rows(), ("amont",))
    assert "amount" in caught.value.hint


def test_a_description_brings_all_back() -> None:
    """Also by way of a manifest, which sorts keys: the columns stay where the model has learned them."""
    batch = rows(
        behaviour=np.random.default_rng(0).normal(size=(40, 3)), channel=["web", "chip", "app", "web"] * 10
    )
    fitted = fit(batch, ("amount", "hour", "place", "channel", WINDOWS[0], WINDOWS[2]), WINDOWS)
    assert list(fitted.parts[0][1].categories) == ["place", "channel"]
    again = load(json.loads(json.dumps(fitted.describe(), sort_keys=True)))
    assert again == fitted
    assert again.names == fitted.names
    assert again.matrix(batch).tobytes() == fitted.matrix(batch).tobytes()
    words = fitted.describe()["words"]
    assert words == "2 numbers, 5 values of categories, 2 window features"


def test_features_in_another_order_are_refused() -> None:
    said = fit(rows(channel=["web", "chip"] * 20)).describe()
    (part,) = said["parts"]
    with pytest.raises(ValueError, match="in the order in which they were learned"):
        load({**said, "parts": [{**part, "categories": part["categories"][::-1]}]})


@given(st.integers(65, 90), st.integers(0, 2**32))
def test_a_row_alone_is_the_row_in_a_batch_to_the_bit(count: int, seed: int) -> None:
    """Beyond 64 rows a category is coded in another way."""
    chance = random.Random(seed)

    def column(kind: pa.DataType, *values: object) -> pa.Array:
        return pa.array([chance.choice((None, *values)) for _ in range(count)], kind)

    known = np.random.default_rng(seed)
    features = np.where(known.random((count, 3)) < 0.5, np.nan, known.normal(size=(count, 3)))
    batch = rows(
        count,
        behaviour=features,
        amount=column(pa.int64(), -(10**9), -7, 0, 1, 1234, 10**14 + 1),
        currency=column(pa.string(), "JPY", "KWD", "EUR"),
        place=column(pa.string(), "north", "south", "", "é"),
        v1=column(pa.float64(), 0.1, -1e-9, 3.0),
        event_time=column(pa.int64(), 0, 10**12 + 1, 7 * 10**14, 2 * 10**15).cast(TIME),
    )
    fitted = fit(batch, names=WINDOWS, zone="America/New_York")
    X = fitted.matrix(batch)
    for i in (0, count // 2, count - 1):
        assert fitted.matrix(batch.slice(i, 1)).tobytes() == X[i : i + 1].tobytes()
        assert fitted.matrix(batch.take(pa.array([i]))).tobytes() == X[i : i + 1].tobytes()
    assert fitted.matrix(batch.slice(3, 50)).tobytes() == X[3:53].tobytes()


def test_rows_are_told_apart_by_what_identifies_them() -> None:
    batch = rows()
    first = COLUMNS.identity(batch)
    assert len(set(first.tolist())) == 40
    assert COLUMNS.identity(batch.slice(7, 2)).tolist() == first[7:9].tolist()
    # The key alone says which row it is: another export may have other columns, or other cents.
    assert COLUMNS.identity(rows(place=["west"] * 40)).tolist() == first.tolist()
    assert COLUMNS.identity(rows(amount=[1] * 40)).tolist() == first.tolist()
    # Without a key it is what else identifies; and no key is not an empty one.
    keyless = pa.nulls(40, pa.string())
    bare = COLUMNS.identity(rows(transaction_id=keyless))
    assert not set(COLUMNS.identity(rows(transaction_id=keyless, amount=[1] * 40)).tolist()) & set(
        bare.tolist()
    )
    nothing, empty = rows(1, transaction_id=pa.nulls(1, pa.string())), rows(1, transaction_id=[""])
    assert COLUMNS.identity(nothing) != COLUMNS.identity(empty)


def test_night_is_that_of_the_zone_it_was_learned_under() -> None:
    at = [datetime(2025, 7, 1, hour, tzinfo=UTC) for hour in (3, 9, 11)]
    batch = rows(3, event_time=pa.array(at, TIME))
    utc, york = (fit(batch, zone=zone) for zone in ("UTC", "America/New_York"))
    place = utc.names.index("night")
    assert utc.matrix(batch)[:, place].tolist() == [1, 0, 0]
    assert york.matrix(batch)[:, place].tolist() == [0, 1, 0]  # 23:00, 05:00, 07:00
    assert load(york.describe()).reader.zone == "America/New_York"


def test_polars_columns_read_as_well() -> None:
    """Large strings, as some frames have them."""
    frame = pl.DataFrame({"amount": [1, 2] * 20, "place": ["north", "south"] * 20})
    batch = pa.RecordBatch.from_pydict({name: frame[name].to_arrow() for name in frame.columns})
    fitted = fit(batch)
    assert fitted.names == ("amount", "place=north", "place=south")
    assert fitted.matrix(batch)[1].tolist() == [0.02, 0, 1]
