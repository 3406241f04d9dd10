"""Placeholders are null wherever the contract has no such value, alone and among many."""

import numpy as np
import pyarrow as pa
import pytest

from tallystick.config import Settings
from tallystick.contracts import Column, Contract

TABLE = Contract(
    "things",
    1,
    (
        Column("id", "text", "Key"),
        Column("card", "text", "Entity"),
        Column("status", "category", "One of a list", allowed=("open", "unknown")),
        Column("job", "category", "Usual words", known_values=("unknown",)),
        Column("kind", "category", "Any word"),
        Column("amount", "money", "Paid"),
        Column("age", "integer", "Years"),
        Column("share", "number", "Share"),
        Column("at", "time", "When"),
        Column("yes", "flag", "Yes or no"),
        Column("text", "text", "What was said", max_bytes=10**6),
    ),
    key="id",
)
WORDS = [
    "N/A",
    "nan",
    "NaN",
    "None",
    "NULL",
    "null",
    "-",
    "unknown",
    "Unknown",
    " n/a ",
    "<NA>",
    "NaT",
    "nil",
    "#N/A",
]


def check(rows: dict[str, list], settings: Settings | None = None, **context: object) -> tuple[list, list]:
    batch = pa.record_batch(rows)
    checked = TABLE.check(batch, TABLE.resolve(list(rows)), settings or Settings(), **context)
    return checked.rows.to_pylist(), list(checked.bad.code)


@pytest.mark.parametrize("word", WORDS)
def test_a_placeholder_is_null_in_every_type(word: str) -> None:
    names = [column.name for column in TABLE.columns if column.name not in ("status", "job")]
    rows, bad = check({name: [word] * 3 for name in names})
    assert bad == []
    assert rows == [dict.fromkeys(names)] * 3
    alone, bad = check({name: [word] for name in names})
    assert (alone, bad) == (rows[:1], [])


def test_a_contract_that_has_such_a_value_keeps_it() -> None:
    rows, bad = check({"status": ["unknown", "open"], "job": ["unknown", "none"]})
    assert rows == [{"status": "unknown", "job": "unknown"}, {"status": "open", "job": None}]
    assert bad == []


def test_what_only_looks_like_one_stays() -> None:
    kept = ["NA", "nano", "none of these", "n", "0", "--x", "Nullwood", "Ünknown", "unknown2", "a-"]
    rows, _ = check({"card": kept, "text": kept})
    assert [row["card"] for row in rows] == [row["text"] for row in rows] == kept


def test_zero_means_missing_where_the_settings_say_so() -> None:
    settings = Settings(placeholders="0, missing")
    for cards in (["0", "7", "MISSING"], [0, 7, 0]):
        rows, _ = check({"card": cards}, settings)
        assert [row["card"] for row in rows] == [None, "7", None]
        assert [check({"card": [one]}, settings)[0][0]["card"] for one in cards] == [None, "7", None]
    assert [row["card"] for row in check({"card": [0, 7]})[0]] == ["0", "7"]


@pytest.mark.parametrize("name", ["amount", "share"])
def test_nan_among_floats_is_null(name: str) -> None:
    values = np.array([1.5, np.nan, np.inf])
    for kind in (pa.float64(), pa.float32()):
        rows, bad = check({name: pa.array(values, kind)})
        assert [row[name] for row in rows] == [150 if name == "amount" else 1.5, None]
        assert bad == ["not_a_number"]
        assert check({name: pa.array(values[1:2], kind)}) == ([{name: None}], [])
