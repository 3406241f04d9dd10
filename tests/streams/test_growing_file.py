"""A file that grows: half lines wait, nothing is lost or given twice, places are those of a batch run."""

from __future__ import annotations

import gzip
import json
import os
import threading
import time
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tallystick.config import Settings
from tallystick.connectors import encoding, open_source
from tallystick.errors import DataError, UsageError
from tallystick.streams.source import Position, SourceBatch, StreamSource
from tallystick.streams.sources import open_stream

SETTINGS = Settings(batch_rows=7)


def records(taken: list[SourceBatch]) -> list[tuple[Any, ...]]:
    """Each record as place and values, a broken one as place and code, in order."""
    found: list[tuple[Any, ...]] = []
    for one in taken:
        chunk = one.chunk
        assert len(one.arrived) == chunk.rows.num_rows == len(chunk.records)
        rows = [
            (f"{chunk.name}:{number}", {name: value for name, value in row.items() if value is not None})
            for number, row in zip(chunk.records.tolist(), chunk.rows.to_pylist(), strict=True)
        ]
        bad = [(f"{chunk.name}:{broken.record}", broken.code) for broken in chunk.broken]
        found += sorted(rows + bad, key=lambda place: int(place[0].rpartition(":")[2]))
    return found


def batch(path: Path) -> list[tuple[Any, ...]]:
    chunks = open_source(path, SETTINGS).chunks()
    return records([SourceBatch(chunk, chunk.records, {}) for chunk in chunks])


def opened(path: Path | str, position: Position | None = None, **how: Any) -> Any:
    source = open_stream(str(path), SETTINGS, **how)
    source.seek(json.loads(json.dumps(position)))
    return source


def drain(source: StreamSource, most: int = 5) -> list[SourceBatch]:
    """Take until nothing comes."""
    found: list[SourceBatch] = []
    while taken := source.take(most, 0):
        assert all(one.chunk.rows.num_rows + len(one.chunk.broken) for one in taken)
        found += taken
    return found


CSV = (
    "id;name;text\r\n"
    "1;Zoë;plain\r\n"
    '2;"quoted; with\r\nline end";"said ""no"""\r\n'
    "3;short\r\n"
    "\r\n"
    '4;5" pipe;loose\r\n'
    "5;€😀;x\r\n"
    '6;"one";"two\n\nthree"\r\n'
    "7;a\0b;c\r\n"
    '8;"open;x\r\n9;y";z\r\n'
    "10;last;one\r\n"
).encode()
LINES = (
    b'{"id": 1, "text": "Zo\xc3\xab"}\n{"id": 2}\n\nno json\n{"id": 3, "more": [1, 2.50]}\r\n'
    b'{"id": 4, "text": "caf\xe9"}\n\xef\xbb\xbf{"id": 5}\n{"id": 6, "text": null}\n'
)


@pytest.mark.parametrize(("name", "data"), [("a.csv", CSV), ("a.jsonl", LINES)])
@given(
    cuts=st.lists(st.integers(0, 300), max_size=12),
    restarts=st.sets(st.integers(0, 12)),
    most=st.integers(1, 9),
)
def test_pieces_and_restarts_give_what_a_batch_run_gives(
    tmp_path_factory: pytest.TempPathFactory,
    name: str,
    data: bytes,
    cuts: list[int],
    restarts: set[int],
    most: int,
) -> None:
    path = tmp_path_factory.mktemp("grow") / name
    path.write_bytes(b"")
    source = opened(path)
    found: list[SourceBatch] = []
    bounds = sorted({0, *(min(cut, len(data)) for cut in cuts), len(data)})
    for i, (start, end) in enumerate(pairwise(bounds)):
        with path.open("ab") as file:
            file.write(data[start:end])
        if i in restarts:  # half of what is there was committed, the rest comes again
            for _ in range(2):
                found += source.take(most, 0)
            source.close()
            source = opened(path, found[-1].position if found else None)
        else:
            found += drain(source, most)
    found += drain(source, most)
    assert source.lag() == 0
    source.close()
    assert records(found) == batch(path)


@example(b" ", [])
@given(st.binary(max_size=120), st.lists(st.integers(0, 120), max_size=5))
def test_whatever_the_bytes_nothing_is_lost(
    tmp_path_factory: pytest.TempPathFactory, tail: bytes, cuts: list[int]
) -> None:
    path = tmp_path_factory.mktemp("grow") / "a.csv"
    # Signs that matter come more often than by chance.
    data = b"a,b\n1,2\n" + tail.replace(b"\x00", b'"').replace(b"\x01", b",").replace(b"\x02", b"\n") + b"\n"
    path.write_bytes(data[:8])
    source = opened(path)
    found = drain(source)
    bounds = sorted({8, *(8 + min(cut, len(tail)) for cut in cuts), len(data)})
    for start, end in pairwise(bounds):
        with path.open("ab") as file:
            file.write(data[start:end])
        found += drain(source)
    # Whatever is left at the end of a file that is over, broken or not, is accounted for.
    assert source._file is not None
    while (rest := source._file.take_rest(5)) is not None:
        found.append(source._taken(rest))
    source.close()
    assert records(found) == batch(path)


def test_an_open_quote_and_half_a_character_wait(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b'a,b\n1,"x\n2,y\n')
    source = opened(path)
    assert drain(source) == []
    assert source.lag() == 0
    with path.open("ab") as file:
        file.write(b'z"\n3,\xc3')
    assert records(drain(source)) == [("a.csv:1", {"a": "1", "b": "x\n2,y\nz"})]
    with path.open("ab") as file:
        file.write(b"\xab\n")
    assert records(drain(source)) == [("a.csv:2", {"a": "3", "b": "ë"})]
    source.close()


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
def test_a_record_that_is_too_long_is_broken_and_reading_goes_on(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoding, "LONGEST", 1000)
    path = tmp_path / name
    good = {"a.csv": b"1,2\n", "a.jsonl": b'{"a":1}\n'}[name]
    path.write_bytes((b"a,b\n" if name == "a.csv" else b"") + good + b"x" * 1500)
    source = opened(path)
    found = drain(source)
    with path.open("ab") as file:
        file.write(b"y" * 500)
    found += drain(source)
    position = found[-1].position
    source.close()
    source = opened(path, position)
    with path.open("ab") as file:
        file.write(b"y" * 1200 + b"\n" + good)
    found += drain(source)
    source.close()
    places = [(place, value if isinstance(value, str) else "") for place, value in records(found)]
    assert places == [(f"{name}:1", ""), (f"{name}:2", "record_too_long"), (f"{name}:3", "")]


def ids(taken: list[SourceBatch]) -> list[tuple[str, str]]:
    return [(place, row["id"]) for place, row in records(taken)]


@pytest.mark.parametrize("stopped", [False, True])
@pytest.mark.parametrize("header", [b"id\n", b""])
def test_rotation_reads_the_old_file_to_its_end_first(tmp_path: Path, stopped: bool, header: bytes) -> None:
    path = tmp_path / "log.csv"
    path.write_bytes(b"id\na\nb\n")
    source = opened(path)
    found = drain(source)
    if stopped:
        source.close()
    path.rename(tmp_path / "log.csv.1")
    with (tmp_path / "log.csv.1").open("ab") as old:
        old.write(b"c\nd" if stopped else b"c\n")  # the writer had not heard yet; its last line has no end
    if not stopped:
        found += drain(source)
        assert [value for _, value in ids(found)] == ["a", "b", "c"]
        path.touch()  # the writer writes on in the old one until it is told
        found += drain(source)
        with (tmp_path / "log.csv.1").open("ab") as old:
            old.write(b"d")
    path.write_bytes(header + b"e\n")
    if stopped:
        source = opened(path, found[-1].position)
    found += drain(source)
    with path.open("ab") as new:
        new.write(b"f\n")
    found += drain(source)
    source.close()
    assert ids(found) == [(f"log.csv:{i}", value) for i, value in enumerate("abcdef", 1)]
    assert source.notes == ()
    again = opened(path, found[-1].position)
    assert drain(again) == []
    again.close()


def test_files_that_were_rotated_away_meanwhile_are_read_in_their_order(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(b'{"id":"a"}\n{"id":"b"}\n')
    with closing(opened(path)) as source:
        position = source.take(1, 0)[-1].position
    path.rename(tmp_path / "log.jsonl.2")
    (tmp_path / "log.jsonl.1").write_bytes(b'{"id":"c"}\n')
    (tmp_path / "log.jsonl.3").write_bytes(b'{"id":"before"}\n')
    path.write_bytes(b'{"id":"d"}\n')
    now = time.time()
    for age, name in enumerate(("log.jsonl", "log.jsonl.1", "log.jsonl.2", "log.jsonl.3")):
        os.utime(tmp_path / name, (now - age, now - age))
    source = opened(path, position)
    found = drain(source)
    assert ids(found) == [("log.jsonl:2", "b"), ("log.jsonl:3", "c"), ("log.jsonl:4", "d")]
    source.close()


def test_rotated_away_and_gone_is_said(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_bytes(b"id\na\nb\n")
    with closing(opened(path)) as source:
        position = source.take(1, 0)[-1].position
    path.unlink()
    path.with_suffix(".new").write_bytes(b"id\nq\n")  # so that its number is another one
    path.with_suffix(".new").rename(path)
    source = opened(path, position)
    assert ids(drain(source)) == [("log.csv:2", "q")]
    assert "after record 1" in source.notes[0]
    source.close()


@pytest.mark.parametrize("header", [b"id\n", b""])
def test_a_file_cut_to_nothing_begins_anew_with_a_note(tmp_path: Path, header: bytes) -> None:
    path = tmp_path / "log.csv"
    path.write_bytes(b"id\na\nb\nhal")
    source = opened(path)
    found = drain(source)
    path.write_bytes(b"")
    found += drain(source)
    assert records(found)[-1] == ("log.csv:3", "broken_file")
    with path.open("ab") as file:
        file.write(header + b"c\n" + b"d\n" * 50)
    found += drain(source)
    assert ids(found[:1]) == [("log.csv:1", "a"), ("log.csv:2", "b")]
    assert ids(found[2:])[:2] == [("log.csv:4", "c"), ("log.csv:5", "d")]
    assert "cut short or written anew, 1 times" in source.notes[0]
    position = found[-1].position
    source.close()
    again = opened(path, position)
    assert drain(again) == []
    again.close()


def test_a_file_written_anew_at_more_than_its_length_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(b'{"id":"a"}\n')
    source = opened(path)
    found = drain(source)
    path.write_bytes(b'{"id":"b"}\n{"id":"c"}\n')
    found += drain(source)
    assert ids(found) == [("log.jsonl:1", "a"), ("log.jsonl:2", "b"), ("log.jsonl:3", "c")]
    source.close()
    path.write_bytes(b'{"id":"x"}\n{"id":"y"}\n{"id":"z"}\n')  # and while nobody looked
    source = opened(path, found[-1].position)
    assert ids(drain(source)) == [("log.jsonl:4", "x"), ("log.jsonl:5", "y"), ("log.jsonl:6", "z")]
    assert source.notes
    source.close()


def test_a_file_that_lost_its_end_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    lines = [json.dumps({"id": str(i), "text": "x" * 50}).encode() + b"\n" for i in range(100)]
    path.write_bytes(b"".join(lines))
    source = opened(path)
    position = drain(source)[-1].position
    source.close()
    path.write_bytes(b"".join(lines[:50]))
    with pytest.raises(DataError, match="were read of it before"):
        opened(path, position)


def test_a_copy_put_in_its_place_is_the_same_file(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_bytes(b"id\n" + b"".join(b"%d\n" % i for i in range(500)))
    source = opened(path)
    position = source.take(100, 0)[-1].position
    source.close()
    (tmp_path / "copy").write_bytes(path.read_bytes())
    (tmp_path / "copy").rename(path)
    source = opened(path, position)
    first = ids(drain(source))[0]
    assert int(first[1]) + 1 == int(first[0].rpartition(":")[2])
    assert source.notes == ()
    source.close()


def test_columns_met_before_are_there_in_later_chunks(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"a":1,"b":2}\n')
    source = opened(path)
    position = drain(source)[-1].position
    source.close()
    source = opened(path, position)
    with path.open("ab") as file:
        file.write(b'{"c":3,"a":1}\n')
    assert drain(source)[0].chunk.rows.to_pylist() == [{"a": "1", "b": None, "c": "3"}]
    source.close()


def test_what_comes_is_taken_soon_and_waiting_costs_little(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"t\n")
    source = opened(path)
    assert source.take(10, 0.01) == []

    def write() -> None:
        with path.open("ab", buffering=0) as file:
            for _ in range(40):
                time.sleep(0.005)
                file.write(b"%d\n" % time.monotonic_ns())

    writer = threading.Thread(target=write)
    writer.start()
    delays: list[int] = []
    while len(delays) < 40:
        taken = source.take(10, 1)
        now = time.monotonic_ns()
        delays += [now - int(row["t"]) for one in taken for row in one.chunk.rows.to_pylist()]
    writer.join()
    assert sorted(delays)[20] < 12_000_000  # 2 ms where nothing else runs
    cpu, wall = time.process_time(), time.monotonic()
    assert source.take(10, 1) == []
    assert 0.9 < time.monotonic() - wall < 1.5
    assert time.process_time() - cpu < 0.1
    source.close()


def test_what_cannot_be_followed_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not there"):
        opened(tmp_path / "a.csv")
    relative = os.path.relpath(tmp_path / "a.csv")
    late, also = opened(f"file://{tmp_path}/a.csv?wait=true"), opened(f"{relative}?wait=true")
    assert late.name == also.name
    assert late.take(1, 0) == also.take(1, 0) == []
    (tmp_path / "a.csv").write_bytes(b"id\n1\n")
    assert ids(drain(late)) == ids(drain(also)) == [("a.csv:1", "1")]
    late.close()
    also.close()
    for place in (f"file://{tmp_path}/a.csv", f"{tmp_path}/a.csv"):
        with pytest.raises(UsageError, match="Did you mean"):
            opened(f"{place}?delimeter=;")
    with pytest.raises(UsageError, match="xlsx is not read"):
        opened(tmp_path / "a.xlsx")
    with pytest.raises(UsageError, match="kafka"):
        opened("kafak://host/topic")
    (tmp_path / "wide.csv").write_bytes("a\n1\n".encode("utf-16"))
    with pytest.raises(DataError, match="UTF-16"), closing(opened(tmp_path / "wide.csv")) as wide:
        wide.take(1, 0)
    with pytest.raises(UsageError, match="rate"):
        open_stream(str(tmp_path / "a.csv"), SETTINGS, rate=0)


@pytest.mark.parametrize("name", ["a.csv.gz", "a.parquet"])
def test_a_file_that_cannot_grow_is_read_once(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name.endswith("gz"):
        path.write_bytes(gzip.compress(CSV))
    else:
        pq.write_table(pa.table({"id": ["1", "2", "3"] * 9}), path)
    source = opened(path)
    first = source.take(5, 0)
    assert not source.ended
    rest = drain(source)
    assert source.ended
    assert source.lag() == 0
    assert records([*first, *rest]) == batch(path)
    again = opened(path, first[-1].position)
    assert records(drain(again)) == records(rest)
