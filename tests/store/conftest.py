"""Stores to test, the same way for SQLite and for PostgreSQL, and entries to put into them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from tallystick.contracts import QUARANTINE
from tallystick.scorer.decision import decision_schema
from tallystick.store import Entry, Store

#: 2024-01-02, a time of commit, microseconds UTC, and its day.
AT, DAY = 1_704_153_600_000_000, 19_724
SCHEMA = decision_schema(all_scores=True)


@pytest.fixture
def uri(database: str) -> str:
    """Where a store can be made, in each kind of database."""
    return database


@pytest.fixture
def store(uri: str) -> Iterator[Store]:
    with Store.open(uri) as opened:
        yield opened


@pytest.fixture
def schema() -> pa.Schema:
    return SCHEMA


@pytest.fixture
def entry() -> Callable[..., Entry]:
    """Make an entry: its number, how many rows, and whatever is to be otherwise."""

    def make(number: int, rows: int = 3, day: int = 0, **other: Any) -> Entry:
        names = [f"e{number}-{i}" for i in range(rows)]
        values: dict[str, Any] = {
            "at": AT + day * 86_400_000_000 + number,
            "events": pa.record_batch({"transaction_id": names, "amount": np.arange(rows)}),
            "rows": rows,
            "decisions": decisions(names),
            "bad": QUARANTINE.empty_table(),
            "positions": {"pay.csv": {"at": number}},
            "marks": {},
            "notices": [],
            "duplicates": 0,
        }
        values |= other
        arrived = np.full(len(values["decisions"]), AT - 5, np.int64)
        return Entry(number, **{"arrived": arrived, **values})

    return make


def decisions(names: Sequence[str]) -> pa.RecordBatch:
    """Decisions with something in every column, and with nothing in most of them in every other row."""
    rows = []
    for i, name in enumerate(names):
        full = i % 2 == 0
        reason = {"feature": "amount", "value": 1.5, "effect": -0.25, "words": 'more than "usual"\n\u00e9'}
        rows.append(
            {
                "id": name,
                "event_time": AT - i if full else None,
                "task": "fraud",
                "label": "yes" if full else None,
                "score": 0.1 + i if full else None,
                "action": "review",
                "route": {"department": "cards", "priority": "high", "due": AT + 1, "rule": None}
                if full
                else None,
                "reasons": [reason, {**reason, "value": None}] if full else [],
                "model": "fraud/fraud@0123",
                "sequence": [("customer_id", i + 1), ("card_id", 2**60)] if full else None,
                "late": full,
                "scores": [("yes", 1 / 3), ("no", 1e-300)] if full else [],
            }
        )
    return pa.RecordBatch.from_pylist(rows, schema=SCHEMA)


def bad_rows(count: int, value: str = "x") -> pa.Table:
    """Quarantine rows."""
    row = {
        "code": "bad_time", "column": "event_time", "value": value, "file": "a.csv", "message": "no time",
        "record": '{"t":"\\u0000"}',
    }  # fmt: skip
    return pa.Table.from_pylist([{**row, "row": i + 1} for i in range(count)], schema=QUARANTINE)


@pytest.fixture
def bad() -> Callable[..., pa.Table]:
    return bad_rows
