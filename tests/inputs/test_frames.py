"""Frames as people have them: mixed cells, doubled columns, half characters."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import narwhals as nw
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import tallystick as ts
from tallystick.errors import DataError
from tallystick.inputs.frame_columns import mapping_rows
from tallystick.inputs.frames import rows_of

NARRATIVE = ["They lied.", "They lied again."]


def test_cells_of_several_kinds_are_text() -> None:
    frame = pd.DataFrame(
        {
            "complaint_id": [1, "A2", 3.0, Decimal("4.50")],
            "received_at": [datetime(2024, 1, 2, tzinfo=UTC), "2024-01-03", date(2024, 1, 4), pd.NaT],
            "narrative": ["a", b"caf\xe9", {"words": [1]}, None],
            7: [True, "x", float("nan"), pd.NA],
        }
    )
    found = rows_of(frame)
    assert found.broken == ()
    assert found.table.to_pydict() == {
        "complaint_id": ["1", "A2", "3", "4.50"],
        "received_at": ["2024-01-02T00:00:00+00:00", "2024-01-03", "2024-01-04", None],
        "narrative": ["a", "café", '{"words": [1]}', None],
        "7": ["true", "x", None, None],
    }


@pytest.mark.parametrize("cell", ["half \ud83d", object()])
def test_an_odd_cell_is_a_row_in_quarantine(cell: Any, tmp_path: Path) -> None:
    frame = pd.DataFrame({"complaint_id": [1, 2, "A3"], "narrative": [*NARRATIVE, cell]}, dtype=object)
    done = ts.validate("complaints", frame, quarantine=tmp_path / "bad.jsonl")
    code = "bad_encoding" if isinstance(cell, str) else "not_a_value"
    assert done.input_report.reasons == {code: 1}
    assert done.input_report.rows_clean == 2
    assert '"row":3' in (tmp_path / "bad.jsonl").read_text()
    found = mapping_rows([{"narrative": "a"}, {"narrative": cell}])
    assert found.records.tolist() == [1]
    assert [one.code for one in found.broken] == [code]


def test_a_frame_of_odd_rows_alone_is_refused_with_the_reason() -> None:
    frame = pd.DataFrame({"complaint_id": ["1"], "narrative": ["\ud83d"]}, dtype=object)
    with pytest.raises(DataError, match="1 bad_encoding"):
        ts.validate("complaints", frame)


@pytest.mark.parametrize("kind", ["pandas", "arrow"])
def test_a_doubled_column_is_named(kind: str) -> None:
    frame: Any = pd.DataFrame([["1", "a", "b"]], columns=["complaint_id", "narrative", "narrative"])
    if kind == "arrow":
        frame = pa.table([["1"], ["a"], ["b"]], names=["complaint_id", "narrative", "narrative"])
    with pytest.raises(DataError, match='"narrative" more than once'):
        ts.validate("complaints", frame)


def test_rows_that_differ_in_their_names_keep_all_of_them() -> None:
    found = mapping_rows([{"id": 1, "at": date(2024, 1, 1)}, {"id": "A2", "at": "2024-01-02", "text": "x"}])
    assert found.table.to_pylist() == [
        {"id": "1", "at": "2024-01-01", "text": None},
        {"id": "A2", "at": "2024-01-02", "text": "x"},
    ]


def test_every_kind_of_frame_gives_the_same_rows() -> None:
    columns = {"complaint_id": ["1", "2"], "narrative": NARRATIVE, "place": [{"a": 1}, {"a": 2}]}
    frames = [pd.DataFrame(columns), pl.DataFrame(columns), pl.LazyFrame(columns), pa.table(columns)]
    tables = [rows_of(frame).table.to_pydict() for frame in frames]
    assert all(table == tables[0] for table in tables)
    assert tables[0]["place"] == ['{"a":1}', '{"a":2}']
    odd = pl.DataFrame({"narrative": pl.Series([1, "a", None], dtype=pl.Object)})
    assert rows_of(odd).table.to_pydict() == {"narrative": ["1", "a", None]}
    assert nw.from_native(frames[0]).shape == (2, 3)
