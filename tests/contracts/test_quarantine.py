from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal

import numpy as np
import pyarrow as pa

from tallystick.config import Settings
from tallystick.contracts import QUARANTINE, Column, Contract, Faults, quarantine_rows

NOTES = Contract(
    "notes",
    1,
    (Column("at", "time", "When"), Column("words", "text", "What", max_bytes=1_000)),
    event_time="at",
)


def test_nothing_of_a_bad_record_is_lost_and_mended_it_is_clean() -> None:
    rows = pa.record_batch(
        {
            "AT": ["2024-01-31", "soon", "2024-02-01"],
            "Words": ["a", 'say "ä"\n', "x" * 5_000],
            "colour": ["r", None, "b"],
        }
    )
    column_mapping = NOTES.resolve(rows.schema.names)
    bad = NOTES.check(rows, column_mapping, Settings()).bad
    table = quarantine_rows(rows, bad, "in/a.csv", np.array([10, 12, 15])).to_pylist()
    assert [(r["code"], r["column"], r["file"], r["row"]) for r in table] == [
        ("bad_time", "at", "in/a.csv", 12),
        ("too_long", "words", "in/a.csv", 15),
    ]
    assert table[0]["value"] == "soon"
    assert len(table[1]["value"]) == 200
    assert json.loads(table[0]["record"]) == {"AT": "soon", "Words": 'say "ä"\n', "colour": None}
    assert json.loads(table[1]["record"])["Words"] == "x" * 5_000
    mended = pa.RecordBatch.from_pylist([json.loads(table[0]["record"]) | {"AT": "2024-01-31"}], rows.schema)
    assert NOTES.check(mended, column_mapping, Settings()).rows.to_pylist() == [
        {"at": datetime(2024, 1, 31, tzinfo=UTC), "words": 'say "ä"'}
    ]


def test_typed_values_are_written_as_they_read_again() -> None:
    rows = pa.record_batch(
        {
            "t": pa.array([datetime(2024, 1, 31, 1)], pa.timestamp("us", "UTC")),
            "ns": pa.array([1], pa.timestamp("ns")),
            "far": pa.array([2**62], pa.timestamp("s")),
            "d": [date(2024, 1, 31)],
            "f": [float("nan")],
            "n": [Decimal("1.50")],
            "b": [b"\xff"],
            "l": [{"a": [2.5, None]}],
            "i": [7],
            "o": [True],
            "v": pa.array(["é"], pa.string_view()),
        }
    )
    fault = Faults(np.array([0]), ("bad_time",), ("at",), (None,), ("",))
    table = quarantine_rows(rows, fault, "a", 5)
    assert table.schema == QUARANTINE
    assert table["row"].to_pylist() == [5]
    record = json.loads(table["record"][0].as_py())
    assert record["t"] == "2024-01-31T01:00:00+00:00"
    assert record["ns"].endswith("00:00:00.000000001")
    assert (record["d"], record["f"], record["n"]) == ("2024-01-31", "nan", "1.50")
    assert (record["b"], record["l"], record["i"], record["o"], record["v"]) == (
        "\\xff",
        {"a": [2.5, None]},
        7,
        True,
        "é",
    )


def test_two_columns_of_one_name_are_both_kept() -> None:
    rows = pa.RecordBatch.from_arrays([pa.array(["1"]), pa.array(["2"])], names=["a", "a"])
    fault = Faults(np.array([0]), ("bad_time",), ("at",), (None,), ("",))
    assert quarantine_rows(rows, fault, "a")["record"].to_pylist() == ['{"a":"1","a":"2"}']


def test_no_fault_no_row() -> None:
    assert quarantine_rows(pa.record_batch({"a": ["1"]}), Faults.none(), "a").num_rows == 0
