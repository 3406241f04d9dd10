"""What every format must do; the list of those found is checked too, so that none is passed over."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tallystick.config import Settings
from tallystick.connectors import found_file_systems, found_formats, open_sink, open_source

ENDINGS = [
    suffix + packed
    for form in found_formats().values()
    for suffix in form.suffixes
    for packed in (("", ".gz", ".zst") if form.is_text else ("",))
]

NOON = dt.datetime(2024, 1, 31, 12, tzinfo=dt.UTC)
TEXTS = [
    "plain",
    "",
    None,
    "é😀\u2028",
    'say "x"',
    "a,b;c|d\te",
    "two\nlines\r\nmore\r",
    " pad ",
    "NULL",
    "\ufeff",
    "\\n",
]
N = len(TEXTS)
TABLE = pa.table(
    {
        "text": pa.array(TEXTS),
        "large": pa.array(TEXTS, pa.large_string()),
        "class": pa.array(TEXTS).dictionary_encode(),
        "whole": pa.array([2**63 - 1, -(2**63), None, *range(N - 3)], pa.int64()),
        "real": pa.array([0.1, 1e-7, None, -2.5, *[1.0] * (N - 4)]),
        "yes": pa.array([True, False, None] + [True] * (N - 3)),
        "time": pa.array(
            [NOON, NOON + dt.timedelta(microseconds=5), None] + [NOON] * (N - 3), pa.timestamp("us", tz="UTC")
        ),
        "local": pa.array([NOON] * N, pa.timestamp("us", tz="Asia/Tokyo")),
        "naive": pa.array([NOON.replace(tzinfo=None)] * N, pa.timestamp("ns")),
        "day": pa.array([NOON.date()] * N),
        "money": pa.array([Decimal("85.10")] * N, pa.decimal128(12, 2)),
        "nested": pa.array([[{"feature": "é\n", "effect": 0.5, "value": None}], [], None] + [[]] * (N - 3)),
        "dated": pa.array([[{"at": NOON}]] * N),
        "map": pa.array([[("a", 1.5)]] * N, pa.map_(pa.string(), pa.float64())),
        "nothing": pa.nulls(N),
    }
)
WRITTEN = {
    "text": TEXTS,
    "large": TEXTS,
    "class": TEXTS,
    "whole": ["9223372036854775807", "-9223372036854775808", None, *map(str, range(N - 3))],
    "yes": ["true", "false", None] + ["true"] * (N - 3),
    "time": ["2024-01-31T12:00:00Z", "2024-01-31T12:00:00.000005Z", None]
    + ["2024-01-31T12:00:00Z"] * (N - 3),
    "local": ["2024-01-31T12:00:00Z"] * N,
    "naive": ["2024-01-31T12:00:00"] * N,
    "day": ["2024-01-31"] * N,
    "money": ["85.10"] * N,
    "nested": ['[{"feature":"é\\n","effect":0.5,"value":null}]', "[]", None] + ["[]"] * (N - 3),
    "dated": ['[{"at":"2024-01-31T12:00:00Z"}]'] * N,
    "map": ['{"a":1.5}'] * N,
    "nothing": [None] * N,
}


def write(path: Path, table: pa.Table = TABLE, rows: int = 4) -> None:
    with open_sink(path, table.schema) as sink:
        for batch in table.to_batches(max_chunksize=rows):
            sink.write(batch)


def read(path: Path) -> dict[str, list[Any]]:
    chunks = list(open_source(path, Settings(batch_rows=3)).chunks())
    assert not any(chunk.broken for chunk in chunks)
    assert [int(n) for chunk in chunks for n in chunk.records] == list(range(1, N + 1))
    return pa.Table.from_batches([chunk.rows for chunk in chunks]).to_pydict()


def test_what_is_found_is_what_should_be() -> None:
    assert sorted(ENDINGS) == [
        ".csv",
        ".csv.gz",
        ".csv.zst",
        ".json",
        ".json.gz",
        ".json.zst",
        ".jsonl",
        ".jsonl.gz",
        ".jsonl.zst",
        ".ndjson",
        ".ndjson.gz",
        ".ndjson.zst",
        ".parquet",
        ".tsv",
        ".tsv.gz",
        ".tsv.zst",
    ]
    assert list(found_file_systems()) == ["file"]


@pytest.mark.parametrize("ending", ENDINGS)
def test_values_come_back(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a{ending}"
    write(path)
    found = read(path)
    assert list(found) == TABLE.schema.names
    assert [float(v) if v else None for v in found.pop("real")] == TABLE["real"].to_pylist()
    if ending == ".parquet":
        assert [found[name] for name in ("text", "large", "class")] == [TEXTS] * 3
        for name in ("whole", "yes", "time", "day", "money", "nothing"):
            assert found[name] == TABLE[name].to_pylist(), name
        assert [found[name] for name in ("nested", "dated", "map")] == [
            WRITTEN[name] for name in ("nested", "dated", "map")
        ]
    elif ending.startswith((".csv", ".tsv")):
        assert found == {name: ["" if v is None else v for v in values] for name, values in WRITTEN.items()}
    else:
        assert found == WRITTEN


@pytest.mark.parametrize("ending", ENDINGS)
def test_twice_gives_the_same_bytes(tmp_path: Path, ending: str) -> None:
    for name, rows in (("a", 4), ("b", 4)):
        write(tmp_path / f"{name}{ending}", rows=rows)
    data = (tmp_path / f"a{ending}").read_bytes()
    assert data == (tmp_path / f"b{ending}").read_bytes()
    if ending.endswith(".gz"):
        assert data[3:8] == bytes(5)  # no name, and no time, which is the same within a second only


@pytest.mark.parametrize("ending", [ending for ending in ENDINGS if not ending.endswith("zst")])
def test_how_rows_are_batched_does_not_show(tmp_path: Path, ending: str) -> None:
    write(tmp_path / f"a{ending}", rows=1)
    write(tmp_path / f"b{ending}", rows=100)
    read_a, read_b = (
        (pq.read_table if ending == ".parquet" else Path.read_bytes)(tmp_path / f"{name}{ending}")
        for name in "ab"
    )
    if not ending.endswith(".gz"):
        assert read_a == read_b
    assert read(tmp_path / f"a{ending}") == read(tmp_path / f"b{ending}")


@pytest.mark.parametrize("ending", ENDINGS)
def test_one_column_with_nothing_in_it_keeps_its_rows(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a{ending}"
    write(path, pa.table({"only": pa.array([None, "", "x"], pa.string())}))
    rows = [
        row["only"] or ""
        for chunk in open_source(path, Settings()).chunks()
        for row in chunk.rows.to_pylist()
    ]
    assert rows == ["", "", "x"]


@pytest.mark.parametrize("ending", ENDINGS)
def test_headers_are_known_without_reading_it_all(tmp_path: Path, ending: str) -> None:
    write(tmp_path / f"a{ending}")
    assert open_source(tmp_path / f"a{ending}", Settings()).headers() == {
        f"a{ending}": tuple(TABLE.schema.names)
    }


def test_json_keeps_nested_values_nested_and_numbers_numbers(tmp_path: Path) -> None:
    table = TABLE.select(["whole", "yes", "time", "nested"]).slice(0, 1)
    write(tmp_path / "a.jsonl", table)
    assert json.loads((tmp_path / "a.jsonl").read_text()) == {
        "whole": 2**63 - 1,
        "yes": True,
        "time": "2024-01-31T12:00:00Z",
        "nested": [{"feature": "é\n", "effect": 0.5, "value": None}],
    }
    write(tmp_path / "a.json", table)
    assert isinstance(json.loads((tmp_path / "a.json").read_text()), list)


def test_csv_quotes_only_what_needs_it(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", pa.table({"a": ["x", "a,b", 'q"', "t\t", None], "b,c": [1, 2, 3, 4, None]}))
    assert (tmp_path / "a.csv").read_text() == 'a,"b,c"\nx,1\n"a,b",2\n"q""",3\nt\t,4\n,\n'
