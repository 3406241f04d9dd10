"""A table is a place like any file: the same verbs, the same answers."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import tallystick as ts
from tallystick.errors import DataError, UsageError

Rows = Callable[[str, str], list[dict[str, Any]]]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Rows]:
    """The URI of an empty database, and what reads a table of it."""
    if request.param == "sqlite":

        def of_file(table: str, order: str) -> list[dict[str, Any]]:
            connection = sqlite3.connect(tmp_path / "bank.db")
            connection.row_factory = sqlite3.Row
            try:
                return [dict(row) for row in connection.execute(f'SELECT * FROM "{table}" ORDER BY {order}')]
            finally:
                connection.close()

        return f"sqlite:///{tmp_path / 'bank.db'}", of_file
    import psycopg
    from psycopg.rows import dict_row

    uri = request.getfixturevalue("postgres")

    def of_server(table: str, order: str) -> list[dict[str, Any]]:
        with psycopg.connect(uri, row_factory=dict_row) as connection:
            return list(connection.execute(f'SELECT * FROM "{table}" ORDER BY {order}'))

    return uri, of_server


@pytest.fixture(scope="module")
def payments(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("payments") / "payments.csv"
    ts.simulate("fraud", rows=2500, preset="handbook", output=path, seed=6)
    return path


def told(row: dict[str, Any]) -> tuple[Any, ...]:
    """What is compared: without the number of the model, and JSON as it is meant."""
    sequence = row["sequence"]
    return row["id"], row["label"], row["score"], row["action"], _read(sequence)


def _read(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


def test_payments_through_a_database_give_what_they_give_through_files(
    payments: Path, database: tuple[str, Rows], tmp_path: Path
) -> None:
    uri, rows = database
    ts.validate("fraud", payments, output=f"{uri}?table=payments")
    source = f"{uri}?table=payments"
    from_file = ts.train("fraud", payments, model=tmp_path / "a").tasks[0].manifest["model"]
    from_table = ts.train("fraud", source, model=tmp_path / "b").tasks[0].manifest["model"]
    assert from_file == from_table
    ts.score("fraud", payments, model=tmp_path / "a", output=tmp_path / "out.jsonl")
    ts.score("fraud", source, model=tmp_path / "a", output=f"{uri}?table=decided")
    ours = [told(row) for row in rows("decided", "id")]
    files = [told(json.loads(line)) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert ours == sorted(files)
    ts.features("fraud", source, output=f"{uri}?table=behaviour")
    assert len(rows("behaviour", "id")) == 2500
    streamed = ts.stream(
        "fraud", source=source, sink=f"{uri}?table=streamed", model=tmp_path / "a",
        state=f"sqlite:///{tmp_path / 'state.db'}", rate=1e6,
    )  # fmt: skip
    assert streamed.figures.events == 2500
    assert [told(row) for row in rows("streamed", "id")] == ours


def test_bad_rows_go_to_a_table_and_a_refused_input_leaves_the_old_one(
    database: tuple[str, Rows], tmp_path: Path
) -> None:
    uri, rows = database
    frame = pl.DataFrame(
        {"transaction_id": ["a", "b", "c"], "event_time": ["2025-01-01", "soon", "2025-01-02"],
         "customer_id": ["x", "x", "y"], "amount": ["1.50", "2", "3"]}
    )  # fmt: skip
    frame.write_csv(tmp_path / "some.csv")
    clean, bad = f"{uri}?table=clean", f"{uri}?table=bad"
    ts.validate("fraud", tmp_path / "some.csv", output=clean, quarantine=bad)
    assert [row["transaction_id"] for row in rows("clean", "transaction_id")] == ["a", "c"]
    assert [(row["code"], row["row"]) for row in rows("bad", "row")] == [("bad_time", 2)]
    with pytest.raises(DataError):
        ts.validate("fraud", tmp_path / "some.csv", output=clean, strict=True)
    assert len(rows("clean", "transaction_id")) == 2
    with pytest.raises(UsageError, match="clean"):
        ts.validate("fraud", f"{uri}?table=claen")
    with pytest.raises(UsageError):
        ts.validate("fraud", clean, output=clean)
