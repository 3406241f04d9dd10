"""Rows of several places that came together are checked at once, and are as one place at a time."""

from __future__ import annotations

from datetime import UTC, datetime
from queue import Queue
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick import registry
from tallystick.config import Settings
from tallystick.connectors import Chunk
from tallystick.connectors.chunk import Broken
from tallystick.contracts import Contract
from tallystick.streams.reading import FEW, CheckedBatch, SourceReader
from tallystick.streams.source import SourceBase, SourceBatch

CONTRACT = registry.solution("fraud").contract
SCHEMA = pa.schema([(c.name, c.arrow) for c in CONTRACT.columns if c.name != "sequence"])
ARRIVED = int(datetime(2025, 1, 2, tzinfo=UTC).timestamp() * 1e6)


class Source(SourceBase):
    name = "parts"


def reader() -> SourceReader:
    return SourceReader(Source(), CONTRACT, SCHEMA, Settings(), Queue())  # type: ignore[arg-type]


def taken(number: int, rows: list[tuple[str, str, int]], named: str, broken: bool) -> SourceBatch:
    """Rows of one place: amount, event time, and how many seconds later than others each arrived."""
    columns = {
        "transaction_id": [f"T{number}-{i}" for i in range(len(rows))],
        named: [amount for amount, _, _ in rows],
        "event_time": [moment for _, moment, _ in rows],
    }
    batch = pa.record_batch({name: pa.array(values, pa.string()) for name, values in columns.items()})
    wrong = (Broken(99, "bad_json", None, "{", "no JSON"),) if broken else ()
    arrived = np.array([ARRIVED + late * 1_000_000 for _, _, late in rows], np.int64)
    chunk = Chunk(batch, f"place:{number}", np.arange(10, 10 + len(rows)), wrong)
    return SourceBatch(chunk, arrived, {"at": number})


def plain(read: CheckedBatch) -> dict[str, Any]:
    return {
        "rows": read.rows.to_pylist(),
        "name": read.name,
        "number": read.number.tolist(),
        "arrived": read.arrived.tolist(),
        "taken": read.taken,
        "bad": read.bad.to_pylist(),
        "position": read.position,
    }


ROWS = st.tuples(
    st.sampled_from(["1.00", "2.50", "much"]),
    # Of the arrivals some lie before the last moment, some after it.
    st.sampled_from(["2025-01-01T00:00:00Z", "2025-01-02T00:00:30Z"]),
    st.sampled_from([0, 60]),
)
GOOD = st.tuples(st.just("1.00"), st.just("2025-01-01T00:00:00Z"), st.just(0))
PLACES = st.tuples(
    st.lists(GOOD, max_size=3) | st.lists(ROWS, max_size=3),
    st.sampled_from(["amount", "amount", "amount", "Amount"]),
    st.sampled_from([False, False, False, True]),
)


@given(st.lists(PLACES, max_size=4))
def test_together_is_as_one_by_one(places: list[tuple[list[tuple[str, str, int]], str, bool]]) -> None:
    came = [taken(number, *place) for number, place in enumerate(places)]
    one_by_one = reader()
    together = [plain(one) for reads in reader()._reads(came) for one in reads]
    assert together == [plain(checked) for one in came for checked in one_by_one._check([one])]


def test_a_row_is_judged_by_its_own_arrival() -> None:
    late = taken(0, [("1.00", "2025-01-01T00:00:00Z", 60)], "amount", False)
    early = taken(1, [("1.00", "2025-01-02T00:00:30Z", 0)], "amount", False)
    ((first, second),) = reader()._reads([late, early])
    assert (len(first.rows), len(second.rows)) == (1, 0)
    # With what stood in the record, as of any that the contract refuses.
    (bad,) = second.bad.to_pylist()
    assert (bad["code"], bad["value"]) == ("future_time", "2025-01-02T00:00:30Z")
    assert bad["record"] == '{"transaction_id":"T1-0","amount":"1.00","event_time":"2025-01-02T00:00:30Z"}'


def test_records_without_a_known_column_are_kept_whole() -> None:
    known = taken(0, [("1.00", "2025-01-01T00:00:00Z", 0)], "amount", False)
    names = pa.record_batch({"colour": ["red", "blue"]})
    nothing = pa.RecordBatch.from_arrays([], names=[])
    strange = [Chunk(batch, "place:1", np.array([4, 6])) for batch in (names, nothing)]
    came = [known, *(SourceBatch(chunk, np.full(2, ARRIVED), {"at": 1}) for chunk in strange)]
    ((_, *others),) = reader()._reads(came)
    assert [(len(one.rows), len(one.number), one.taken) for one in others] == [(0, 0, 2), (0, 0, 2)]
    bad = [row for one in others for row in one.bad.to_pylist()]
    assert [(row["code"], row["row"], row["record"]) for row in bad] == [
        ("unknown_record", 4, '{"colour":"red"}'),
        ("unknown_record", 6, '{"colour":"blue"}'),
        ("unknown_record", 4, "{}"),
        ("unknown_record", 6, "{}"),
    ]


def test_good_rows_are_checked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    checks, check = [], Contract.check

    def counting(self: Contract, rows: pa.RecordBatch, *args: Any, **more: Any) -> Any:
        checks.append(len(rows))
        return check(self, rows, *args, **more)

    monkeypatch.setattr(Contract, "check", counting)
    good = [("1.00", "2025-01-01T00:00:00Z", 0)] * 3
    (reads,) = reader()._reads([taken(number, good, "amount", False) for number in range(4)])
    assert (len(reads), checks) == (4, [12])


def test_a_few_records_are_handed_on_together_and_many_place_by_place() -> None:
    good = [("1.00", "2025-01-01T00:00:00Z", 0)]
    few = [taken(number, good * 3, "amount", False) for number in range(3)]
    broken = [*few, taken(3, good, "amount", True)]
    many = [taken(number, good * (FEW // 2), "amount", False) for number in range(3)]
    found = [[len(reads) for reads in reader()._reads(one)] for one in (few, broken, many, [])]
    assert found == [[3], [4], [1, 1, 1], []]
