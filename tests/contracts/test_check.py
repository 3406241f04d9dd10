from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.config import Settings
from tallystick.contracts import REASONS, Checked, Column, Contract
from tallystick.errors import DataError

EVERY = Contract(
    "every",
    1,
    (
        Column("id", "text", "Key", max_bytes=40),
        Column("at", "time", "When", nulls=("N/A",)),
        Column("words", "text", "Prose", max_bytes=60),
        Column("kind", "category", "Label"),
        Column("detail", "category", "Label of an honest blank", may_be_blank=True),
        Column("status", "category", "Listed", allowed=("Open", "Closed out"), nulls=("?",)),
        Column("zip", "text", "Patterned", pattern=r"\d{3}(\d\d|XX)"),
        Column("amount", "number", "Money", minimum=0, maximum=1_000, nulls=("N/A",)),
        Column("count", "integer", "How many", minimum=-5),
        Column("ok", "flag", "Yes or no"),
    ),
    key="id",
    event_time="at",
    labels=("kind", "detail"),
)
DEFAULT = Settings()
NOW = datetime(2024, 6, 1, tzinfo=UTC)


def check(rows: pa.RecordBatch, settings: Settings = DEFAULT, **how: Any) -> Checked:
    how.setdefault("as_of", NOW)
    return EVERY.check(rows, EVERY.resolve(rows.schema.names), settings, **how)


def one(
    name: str, value: Any, kind: pa.DataType | None = None, settings: Settings = DEFAULT, **how: Any
) -> Any:
    """Return the clean value, or (code,) when it is bad."""
    checked = check(pa.record_batch({name: pa.array([value], kind)}), settings, **how)
    if len(checked.bad):
        assert checked.bad.column == (name,)
        return checked.bad.code
    return checked.rows.column(name)[0].as_py()


CASES = {
    "id": [None, "", " ", "7", " 7\n", "b'7'", "x" * 41, "a\0b", "ä"],
    "at": [
        *(None, "", "N/A", "n/a", "2024-01-31", "2024-05-31T23:59:59.999999Z", "2024-06-01",
        "2024-06-01T00:00:00.000001Z"),
        *("soon", "31/12/2023", "12/31/2023 9:05 PM", "1899-01-01", "2\0"),
    ],
    "words": [None, "", "\u00a0", " it broke ", "b'it\\'s \\xe2\\x82\\xac5\\n'", "b'   '", "b'\\x00'",
    "y" * 61, "b'" + "\\x41" * 20 + "'"],
    "kind": [None, "", "  ", "Mortgage", " mortgage", "new class", "k\0"],
    "detail": [None, "", " x "],
    "status": [None, "", "open", " CLOSED  OUT ", "?", "gone"],
    "zip": [None, "", "330XX", "33012", "33x12", " 33012 "],
    "amount": [None, "", "N/A", "0", "1,000", "1000.01", "-1", "$5.25", "x", "nan", "1e400"],
    "count": [None, "", "-5", "-6", "3.0", "3.5", "9" * 25, "x"],
    "ok": [None, "", "Yes", "n", "TRUE", "0", "N/A", "maybe"],
}  # fmt: skip

ROWS = st.lists(
    st.fixed_dictionaries({name: st.sampled_from(values) for name, values in CASES.items()}), max_size=70
)
SCHEMA = pa.schema([(name, pa.string()) for name in CASES])
WANTED = st.sampled_from([True, False, ("kind", "detail"), ()])


@given(ROWS, WANTED, st.sampled_from(["UTC", "Europe/Berlin"]), st.sampled_from(["month-first", "day-first"]))
def test_a_batch_is_its_rows_one_by_one(
    rows: list[dict[str, Any]], wanted: Any, zone: str, order: str
) -> None:
    settings = Settings(zone=zone, date_order=order)
    batch = pa.RecordBatch.from_pylist(rows, SCHEMA)
    whole = check(batch, settings, labels_wanted=wanted)
    assert len(whole.kept) + len(whole.bad) == len(rows)
    assert sorted([*whole.kept, *whole.bad.index]) == list(range(len(rows)))
    assert (np.diff(whole.kept) > 0).all()
    assert (np.diff(whole.bad.index) > 0).all()
    assert whole.rows.num_rows == len(whole.kept)
    whole.rows.validate(full=True)
    assert all(whole.rows.column(name).equals(column) for name, column in whole.columns.items())
    clean, bad = [], []
    for i in range(len(rows)):
        alone = check(batch.slice(i, 1), settings, labels_wanted=wanted)
        clean += alone.rows.to_pylist()
        assert all(alone.rows.column(name).equals(column) for name, column in alone.columns.items())
        bad += [
            (i, *rest)
            for rest in zip(alone.bad.code, alone.bad.column, alone.bad.value, alone.bad.message, strict=True)
        ]
    assert whole.rows.to_pylist() == clean
    b = whole.bad
    assert list(zip(b.index.tolist(), b.code, b.column, b.value, b.message, strict=True)) == bad
    assert set(b.code) <= set(REASONS)


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin"])
@pytest.mark.parametrize(
    "at",
    [
        pa.array([0, 10**9, None, -(2**62)], pa.timestamp("ms")),
        pa.array([0, 10**18 + 999, None, 2**63 - 1], pa.timestamp("ns")),
        pa.array([0, 10**9, None, 2**62], pa.timestamp("s", "UTC")),
    ],
)
def test_a_typed_batch_is_its_rows_one_by_one(at: pa.Array, zone: str) -> None:
    whole = pa.array([7, 33_012, None, -1], pa.int32())
    flags = pa.array([0, 1, None, 2], pa.int8())
    settings = Settings(zone=zone)
    for name, column in {"id": whole, "at": at, "zip": whole, "status": whole, "ok": flags}.items():
        batch = pa.record_batch({name: column})
        together = check(batch, settings)
        apart = [check(batch.slice(i, 1), settings) for i in range(len(batch))]
        assert together.rows.to_pylist() == [row for one in apart for row in one.rows.to_pylist()]
        for said in ("code", "column", "value", "message"):
            assert list(getattr(together.bad, said)) == [s for one in apart for s in getattr(one.bad, said)]


@given(ROWS, WANTED)
def test_what_is_clean_stays_as_it_is(rows: list[dict[str, Any]], wanted: Any) -> None:
    clean = check(pa.RecordBatch.from_pylist(rows, SCHEMA), labels_wanted=wanted).rows
    again = check(clean, labels_wanted=wanted)
    assert len(again.bad) == 0
    assert again.rows.equals(clean)
    # The same once more through text, as a CSV would hold it; what was unknown stays so.
    text = pa.RecordBatch.from_arrays([c.cast(pa.string()) for c in clean.columns], names=clean.schema.names)
    third = check(text, labels_wanted=wanted)
    assert len(third.bad) == 0
    assert third.rows.equals(clean)


@given(ROWS.filter(bool))
def test_the_way_that_text_is_stored_does_not_matter(rows: list[dict[str, Any]]) -> None:
    batch = pa.RecordBatch.from_pylist(rows, SCHEMA)
    plain = check(batch)
    for kind in (
        pa.large_string(),
        pa.string_view(),
        pa.dictionary(pa.int32(), pa.string()),
        pa.large_binary(),
    ):
        other = check(
            pa.RecordBatch.from_arrays([c.cast(kind) for c in batch.columns], names=batch.schema.names)
        )
        assert other.rows.equals(plain.rows), kind
        assert (other.bad.code, other.bad.value) == (plain.bad.code, plain.bad.value), kind


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("id", "a\0b", ("nul_byte",)),
        ("id", "x" * 41, ("too_long",)),
        ("id", " ", None),
        ("at", "soon", ("bad_time",)),
        ("at", "2024-06-01T00:00:00.000001Z", ("future_time",)),
        ("at", "2024-06-01", datetime(2024, 6, 1, tzinfo=UTC)),
        ("at", "n/a", None),
        ("words", " ", None),
        ("words", "b'it\\'s \\xe2\\x82\\xac5\\n'", "it's €5"),
        ("words", "b'\\x00'", ("nul_byte",)),
        ("words", "XXXX paid {$500.00}\r\non XX/XX/2023", "XXXX paid {$500.00}\r\non XX/XX/2023"),
        ("kind", "  ", ("blank_label",)),
        ("kind", None, None),
        ("kind", "new class", "new class"),
        ("detail", "", None),
        ("status", " CLOSED  OUT ", "Closed out"),
        ("status", "gone", ("not_allowed",)),
        ("zip", "330XX", "330XX"),
        ("zip", "33x12", ("pattern",)),
        ("amount", "$1,000.00", 1000.0),
        ("amount", "1000.01", ("out_of_range",)),
        ("amount", "nan", None),
        ("amount", "N/A", None),
        ("count", "3.0", 3),
        ("count", "3.5", ("not_an_integer",)),
        ("count", "x", ("not_a_number",)),
        ("count", "-6", ("out_of_range",)),
        ("count", "9" * 25, ("out_of_range",)),
        ("ok", "Y", True),
        ("ok", "0", False),
        ("ok", "N/A", None),
        ("ok", "maybe", ("not_a_flag",)),
    ],
)
def test_one_value(name: str, value: Any, expected: Any) -> None:
    assert one(name, value, pa.string()) == expected


@pytest.mark.parametrize(
    ("name", "array", "expected"),
    [
        ("id", pa.array([243002]), "243002"),
        ("id", pa.array([243002.0]), "243002"),
        ("id", pa.array([float("nan")]), None),
        ("at", pa.array([date(2024, 1, 31)]), datetime(2024, 1, 31, tzinfo=UTC)),
        ("at", pa.array([20240131]), datetime(2024, 1, 31, tzinfo=UTC)),
        ("at", pa.array([datetime(2024, 6, 2)]), ("future_time",)),
        ("at", pa.array([2**62], pa.timestamp("s")), ("bad_time",)),
        ("amount", pa.array([float("nan")]), None),
        ("amount", pa.array([float("inf")]), ("not_a_number",)),
        ("amount", pa.array([1], pa.uint8()), 1.0),
        ("amount", pa.array([1001]), ("out_of_range",)),
        ("amount", pa.array([None], pa.float32()), None),
        ("count", pa.array([3.0]), 3),
        ("count", pa.array([3.5]), ("not_an_integer",)),
        ("count", pa.array([2**64 - 1], pa.uint64()), ("out_of_range",)),
        ("count", pa.array([-6], pa.int8()), ("out_of_range",)),
        ("count", pa.array([None], pa.int8()), None),
        ("ok", pa.array([True]), True),
        ("ok", pa.array([0]), False),
        ("ok", pa.array([1.0]), True),
        ("ok", pa.array([2]), ("not_a_flag",)),
        ("words", pa.array([b"caf\xe9"]), ("bad_encoding",)),
        ("words", pa.array([b"\xff\xfe"], pa.binary(2)), ("bad_encoding",)),
        ("words", pa.array([b"\xff"], pa.binary_view()), ("bad_encoding",)),
        ("amount", pa.array([Decimal("12.50")]), 12.5),
        ("at", pa.array([time(9, 5)]), ("bad_time",)),
        ("kind", pa.array([None]), None),
        ("kind", pa.array(["a"]).dictionary_encode(), "a"),
    ],
)
def test_one_typed_value(name: str, array: pa.Array, expected: Any) -> None:
    checked = check(pa.record_batch({name: array}))
    found = checked.bad.code or checked.rows.column(name)[0].as_py()
    assert found == expected


def test_labels_are_wanted_by_name() -> None:
    assert one("detail", "", labels_wanted=("detail",)) is None  # its blank is honest
    assert one("kind", "", labels_wanted=False) is None
    assert one("kind", "", labels_wanted=("detail",)) is None
    assert one("kind", "", labels_wanted=("kind",)) == ("blank_label",)


def test_as_of_a_day_is_its_end_in_the_zone() -> None:
    berlin = Settings(zone="Europe/Berlin")
    inside, outside = "2024-06-01T21:59:59.999999Z", "2024-06-01T22:00:00Z"
    assert one("at", inside, settings=berlin, as_of=date(2024, 6, 1)) == datetime.fromisoformat(inside)
    assert one("at", outside, settings=berlin, as_of=date(2024, 6, 1)) == ("future_time",)
    assert one("at", "2024-06-01T12:00", settings=berlin, as_of=datetime(2024, 6, 1, 12)) is not None
    assert one("at", "2024-06-01T12:01", settings=berlin, as_of=datetime(2024, 6, 1, 12)) == ("future_time",)
    assert one("at", "2199-01-01", as_of=None) == ("future_time",)
    assert one("at", "", as_of=datetime(1950, 1, 1, tzinfo=UTC)) is None  # unknown is not in the future


def test_messages_say_what_would_help() -> None:
    def message(name: str, value: str) -> str:
        return check(pa.record_batch({name: [value]})).bad.message[0]

    assert "--set date_order=day-first" in message("at", "31/12/2023")
    assert "date_order" not in message("at", "soon")
    assert "It allows 0 to 1000" in message("amount", "-1")
    assert "Open, Closed out" in message("status", "gone")
    assert "60 bytes" in message("words", "y" * 61)


def test_the_first_fault_is_told_and_its_value_shortened() -> None:
    checked = check(pa.record_batch({"count": ["x"], "words": ["ä" * 5_000_000], "kind": [""]}))
    assert (checked.bad.code, checked.bad.column) == (("too_long",), ("words",))
    assert checked.bad.value == ("ä" * 199 + "…",)


def test_only_columns_that_are_there_come_out_in_the_contracts_order() -> None:
    rows = check(pa.record_batch({"ok": ["yes"], "x": [1], "ID": [7]})).rows
    assert rows.schema == pa.schema([("id", pa.string()), ("ok", pa.bool_())])


def test_a_batch_with_another_order_or_without_a_column() -> None:
    column_mapping = EVERY.resolve(["id", "words", "ok"])
    rows = EVERY.check(pa.record_batch({"ok": ["yes"], "id": ["7"]}), column_mapping, Settings()).rows
    assert rows.to_pylist() == [{"id": "7", "words": None, "ok": True}]
    assert rows.schema == column_mapping.schema
    rows = EVERY.check(pa.record_batch({"words": ["yes"], "id": ["7"]}), column_mapping, Settings()).rows
    assert rows.to_pylist() == [{"id": "7", "words": "yes", "ok": None}]


def test_an_empty_batch_is_clean() -> None:
    checked = check(pa.RecordBatch.from_pylist([], SCHEMA))
    assert (checked.rows.num_rows, len(checked.kept), len(checked.bad)) == (0, 0, 0)
    assert checked.rows.schema.names == list(CASES)


def test_a_column_that_is_too_large_for_a_batch_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    # Two GiB of text would be needed to see it for real.
    def too_large(array: pa.Array) -> pa.Array:
        raise pa.ArrowInvalid("offset overflow")

    monkeypatch.setattr("tallystick.contracts.text.as_text", too_large)
    with pytest.raises(DataError, match="words is too large") as caught:
        check(pa.record_batch({"words": pa.array(["a"], pa.large_string())}))
    assert "batch_rows" in caught.value.hint


def test_flags_that_are_whole_numbers() -> None:
    for kind in (pa.int8(), pa.int64(), pa.uint32()):
        flags = pa.array([9, 0, 1, 1], kind).slice(1)
        assert check(pa.record_batch({"ok": flags})).rows["ok"].to_pylist() == [False, True, True]
        mixed = check(pa.record_batch({"ok": pa.array([0, None, 2, 1], kind)}))
        assert mixed.rows["ok"].to_pylist() == [False, None, True]
        assert mixed.bad.code == ("not_a_flag",)
    assert one("ok", -1) == one("ok", 2) == ("not_a_flag",)
