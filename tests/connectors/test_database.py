"""What both databases must do as an input and an output: whole or not there, typed, in order."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tallystick.config import Settings
from tallystick.connectors import beside, is_state, open_sink, open_source
from tallystick.connectors.render import text
from tallystick.errors import DataError, UsageError

BATCH = pa.RecordBatch.from_pydict({"a": ["x", None], "n": [1, 2]})


def write(uri: str, *batches: pa.RecordBatch) -> None:
    with open_sink(uri, batches[0].schema) as sink:
        for batch in batches:
            sink.write(batch)


def read(uri: str, **how: Any) -> pa.Table:
    return pa.Table.from_batches([chunk.rows for chunk in open_source(uri, Settings(**how)).chunks()])


def test_what_is_written_is_read_with_its_places(database: str) -> None:
    uri = f"{database}?table=payments"
    write(uri, BATCH, BATCH)
    source = open_source(uri, Settings(batch_rows=3))
    chunks = list(source.chunks())
    assert [chunk.rows.to_pylist() for chunk in chunks] == [
        [{"a": "x", "n": 1}, {"a": None, "n": 2}, {"a": "x", "n": 1}],
        [{"a": None, "n": 2}],
    ]
    assert [chunk.records.tolist() for chunk in chunks] == [[1, 2, 3], [4]]
    assert {chunk.name for chunk in chunks} == {"payments"} == set(source.names)
    assert source.headers() == {"payments": ("a", "n")}
    assert (source.notes, [len(list(source.chunks()))]) == ((), [2])  # it can be read again


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_an_error_leaves_what_was_there(database: str, tmp_path: Path, error: type[BaseException]) -> None:
    uri = f"{database}?table=t"

    def half() -> None:
        with open_sink(uri) as sink:
            sink.write(BATCH)
            raise error

    with pytest.raises(error):
        half()
    assert [one.name for one in tmp_path.iterdir()] == []
    write(uri, BATCH)
    with pytest.raises(error):
        half()
    assert read(uri).to_pylist() == BATCH.to_pylist()
    with pytest.raises(UsageError, match="Its tables: t"):
        open_source(database, Settings())  # nothing half-made lies about


def test_nothing_is_seen_before_the_end_and_the_old_table_until_then(database: str) -> None:
    uri = f"{database}?table=t"
    write(uri, BATCH)
    new = pa.RecordBatch.from_pydict({"other": [1.5]})
    with open_sink(uri) as sink:
        sink.write(new)
        assert read(uri).to_pylist() == BATCH.to_pylist()
    assert read(uri).to_pylist() == [{"other": 1.5}]


def test_two_outputs_of_one_run_go_into_one_database(database: str) -> None:
    with open_sink(f"{database}?table=a", BATCH.schema) as one, open_sink(f"{database}?table=b") as two:
        one.write(BATCH)
        two.write(BATCH)
        one.write(BATCH)
    assert (len(read(f"{database}?table=a")), len(read(f"{database}?table=b"))) == (4, 2)


def test_one_that_is_refused_leaves_the_other(database: str) -> None:
    with open_sink(f"{database}?table=bad") as bad:
        bad.write(BATCH)
        good = open_sink(f"{database}?table=good").__enter__()
        good.write(BATCH)
        good.__exit__(DataError, DataError("refused"), None)
    with pytest.raises(UsageError, match="Its tables: bad"):
        open_source(database, Settings())


def test_without_a_table_an_output_is_called_decisions(database: str) -> None:
    write(database, BATCH)
    assert len(read(f"{database}?table=decisions")) == 2


def test_a_schema_alone_makes_a_table_without_rows(database: str) -> None:
    with open_sink(f"{database}?table=t", BATCH.schema):
        pass
    source = open_source(f"{database}?table=t", Settings())
    assert source.headers() == {"t": ("a", "n")}
    with pytest.raises(DataError, match="a header but no row"):
        list(source.chunks())


def test_a_table_that_is_not_there_has_near_names(database: str) -> None:
    write(f"{database}?table=payments", BATCH)
    write(f"{database}?table=Transfers", BATCH)
    with pytest.raises(UsageError, match=r'has no table "payment"(.|\n)*Did you mean "payments"'):
        open_source(f"{database}?table=payment", Settings())
    with pytest.raises(UsageError, match=r"names no table(.|\n)*payments"):
        open_source(database, Settings())
    assert is_state(database) is False


@pytest.mark.parametrize(
    "name", ["two words", "Capitals", 'a"b', "x'; DROP TABLE keep; --", "é😀", "select", "a%b"]
)
def test_any_name_is_a_name(database: str, name: str) -> None:
    write(f"{database}?table=keep", BATCH)
    batch = pa.RecordBatch.from_arrays(BATCH.columns, names=[name, name + " too"])
    from urllib.parse import quote

    uri = f"{database}?table={quote(name)}"
    write(uri, batch)
    write(uri, batch)
    assert read(uri).to_pylist() == batch.to_pylist()
    assert len(read(f"{database}?table=keep")) == 2


def test_a_query_reads_and_cannot_write(database: str) -> None:
    write(f"{database}?table=t", BATCH)
    rows = read(f"{database}?query=SELECT n + 1 AS m, a FROM t WHERE a LIKE '%x' -- so")
    assert rows.to_pylist() == [{"m": 2, "a": "x"}]
    for query in ("DELETE FROM t", "SELECT 1; DROP TABLE t", "SELECT 1) AS q; DROP TABLE t; --", "selec 1"):
        with pytest.raises(UsageError, match="cannot be run"):
            open_source(f"{database}?query={query}", Settings())
    with pytest.raises(UsageError, match="cannot be written to"):
        open_sink(f"{database}?query=SELECT * FROM t")
    assert len(read(f"{database}?table=t")) == 2


def test_the_input_is_never_replaced(database: str) -> None:
    write(f"{database}?table=t", BATCH)
    source = open_source(f"{database}?table=t", Settings())
    by_query = open_source(f"{database}?query=SELECT count(*) AS n FROM t AS other", Settings())
    for one in (source, by_query):
        with pytest.raises(UsageError, match="is read by the input itself"):
            open_sink(f"{database}?table=t", source=one)
        open_sink(f"{database}?table=u", source=one)


def test_an_older_output_is_removed(database: str) -> None:
    one = beside(database, "quarantine")
    for _ in range(2):
        one.unlink(missing_ok=True)
        with open_sink(one) as sink:
            sink.write(BATCH)
        with pytest.raises(UsageError, match="Its tables: decisions_quarantine"):
            open_source(database, Settings())
    one.unlink(missing_ok=True)
    with pytest.raises(UsageError, match="has no tables"):
        open_source(database, Settings())


def test_a_reading_that_is_left_early_lets_go(database: str) -> None:
    many = pa.RecordBatch.from_pydict({"n": list(range(50_000))})
    write(f"{database}?table=t", many)
    with closing(open_source(f"{database}?table=t", Settings(batch_rows=100)).chunks()) as chunks:  # type: ignore[type-var]
        assert next(chunks).records.tolist() == list(range(1, 101))
    write(f"{database}?table=t", BATCH)  # which would wait for a reader


def test_columns_that_cannot_be_told_apart_are_refused(database: str) -> None:
    twice = pa.RecordBatch.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"])
    with pytest.raises(UsageError, match='two columns are called "a"'):
        write(f"{database}?table=t", twice)


MOMENT = st.datetimes(dt.datetime(1, 1, 2), dt.datetime(9999, 12, 30))
WORDS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)
REAL = st.floats(allow_nan=False, allow_infinity=False)
KINDS: dict[str, tuple[pa.DataType, st.SearchStrategy[Any]]] = {
    "text": (pa.string(), WORDS),
    "whole": (pa.int64(), st.integers(-(2**63), 2**63 - 1)),
    "small": (pa.int16(), st.integers(-(2**15), 2**15 - 1)),
    "big": (pa.uint64(), st.integers(0, 2**64 - 1)),
    "real": (pa.float64(), st.floats(allow_nan=False)),
    "single": (pa.float32(), st.floats(width=32, allow_nan=False)),
    "yes": (pa.bool_(), st.booleans()),
    "time": (pa.timestamp("us", tz="UTC"), MOMENT.map(lambda at: at.replace(tzinfo=dt.UTC))),
    "elsewhere": (pa.timestamp("us", tz="Asia/Tokyo"), MOMENT.map(lambda at: at.replace(tzinfo=dt.UTC))),
    "naive": (pa.timestamp("us"), MOMENT),
    "day": (pa.date32(), st.dates()),
    "money": (pa.decimal128(38, 4), st.decimals(-(10**30), 10**30, places=4, allow_nan=False)),
    "bytes": (pa.binary(), st.binary(max_size=5)),
    "class": (pa.dictionary(pa.int32(), pa.string()), WORDS),
    "list": (pa.list_(pa.struct([("f", pa.string()), ("v", pa.float64())])),
             st.lists(st.fixed_dictionaries({"f": WORDS, "v": REAL}),
                      max_size=2)),
    "map": (pa.map_(pa.string(), pa.int64()),
            st.dictionaries(WORDS, st.integers(-(2**63), 2**63 - 1), max_size=2).map(lambda d: [*d.items()])),
}  # fmt: skip
ROWS = st.lists(
    st.fixed_dictionaries({name: st.none() | kind[1] for name, kind in KINDS.items()}), max_size=6
)
SCHEMA = pa.schema([(name, kind[0]) for name, kind in KINDS.items()])


def wanted(name: str, batch: pa.RecordBatch, *, times: bool) -> list[Any]:
    """What a column is read as: itself where a database has such values, else its text."""
    column = batch.column(name)
    if name in ("text", "whole", "small", "real", "single", "yes", "class"):
        return list(column.to_pylist())
    if times and name in ("time", "elsewhere", "naive", "day"):
        kind = pa.timestamp("us", tz="UTC") if name == "elsewhere" else column.type
        return list(column.cast(kind).to_pylist())
    if name == "bytes":
        return [None if value is None else value.hex() for value in column.to_pylist()]
    return list(text(column).to_pylist())


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS)
def test_values_come_back(database: str, rows: list[dict[str, Any]]) -> None:
    batch = pa.RecordBatch.from_pylist([*rows, dict.fromkeys(KINDS)], schema=SCHEMA)
    uri = f"{database}?table=t"
    write(uri, batch)
    found = read(uri)
    server = database.startswith("postgresql")
    for name in KINDS:
        values, hoped = found[name].to_pylist(), wanted(name, batch, times=server)
        if name in ("list", "map"):  # jsonb has its own order and spelling
            assert [None if v is None else _json(v) for v in values] == [
                None if v is None else _json(v) for v in hoped
            ], name
        elif name == "money" or (name == "big" and not server):
            assert [None if v is None else Decimal(v) for v in values] == [
                None if v is None else Decimal(v) for v in hoped
            ], name
        else:
            assert values == hoped, name
    # Nothing went through a float on the way.
    assert all(v is None or isinstance(v, str) for v in found["money"].to_pylist())


def _json(value: str) -> Any:
    import json

    return json.loads(value, parse_float=float, parse_int=lambda digits: float(digits))


def test_real_numbers_beyond_the_finite(database: str) -> None:
    write(f"{database}?table=t", pa.RecordBatch.from_pydict({"x": [math.inf, -math.inf, 1e-310, -0.0]}))
    assert read(f"{database}?table=t")["x"].to_pylist() == [math.inf, -math.inf, 1e-310, 0.0]


def test_reading_and_writing_take_bounded_memory(database: str) -> None:
    """Batches come while the rest is still there: the first of many is given before all are read."""
    batch = pa.RecordBatch.from_pydict({"n": list(range(20_000)), "t": ["x" * 200] * 20_000})
    write(f"{database}?table=t", *[batch] * 10)
    before = pa.total_allocated_bytes()
    most = 0
    chunks: Iterator[Any] = open_source(f"{database}?table=t", Settings(batch_rows=1000)).chunks()
    rows = 0
    for chunk in chunks:
        rows += chunk.rows.num_rows
        most = max(most, pa.total_allocated_bytes() - before)
    assert rows == 200_000
    assert most < 24 << 20  # of 42 MB in all
