"""Standard input as a source: lines as they come, waiting bounded, other forms once they are whole."""

from __future__ import annotations

import gzip
import io
import os
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tallystick.config import Settings
from tallystick.connectors.standard_input import StandardInput
from tallystick.errors import UsageError
from tallystick.streams.source import SourceBatch
from tallystick.streams.sources import open_stream


class Pipe:
    """Both ends of a pipe, one of them standard input."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        read, self.end = os.pipe()
        self.file = os.fdopen(read, "rb", buffering=0)
        monkeypatch.setattr(sys, "stdin", self.file)

    def write(self, data: bytes) -> None:
        os.write(self.end, data)

    def shut(self) -> None:
        if self.end >= 0:
            os.close(self.end)
            self.end = -1


@pytest.fixture(name="pipe")
def _pipe(monkeypatch: pytest.MonkeyPatch) -> Iterator[Pipe]:
    pipe = Pipe(monkeypatch)
    yield pipe
    pipe.shut()
    pipe.file.close()


def opened(uri: str = "-", position: Any = None) -> Any:
    source = open_stream(uri, Settings())
    source.seek(position)
    return source


def rows(taken: list[SourceBatch]) -> list[tuple[int, dict[str, Any]]]:
    return [
        (number, row)
        for one in taken
        for number, row in zip(one.chunk.records.tolist(), one.chunk.rows.to_pylist(), strict=True)
    ]


@pytest.mark.parametrize(
    ("pieces", "values"),
    [
        ([b"a,b\n1,\xc3", b"\xab\n2,", b'"x\ny"\n3,z'], ["ë", "x\ny", "z"]),
        ([b'{"a":1,"b":"\xc3', b'\xab"}\n{"a":2', b',"b":"x"}\n{"a":3,"b":"z"}'], ["ë", "x", "z"]),
    ],
)
def test_lines_are_taken_as_they_come(pipe: Pipe, pieces: list[bytes], values: list[str]) -> None:
    source = opened()
    assert source.take(10, 0.01) == []
    given = []
    for piece in pieces:
        pipe.write(piece)
        given.append(rows(source.take(10, 0.05)))
    assert [len(one) for one in given] == [0, 1, 1]
    pipe.shut()
    found = [*given[1], *given[2], *rows(source.take(10, 1))]
    assert [(number, row["b"]) for number, row in found] == list(enumerate(values, 1))
    assert source.take(10, 1) == []
    assert source.ended
    source.close()


def test_waiting_ends_in_time_and_what_comes_is_taken_soon(pipe: Pipe) -> None:
    source = opened()
    pipe.write(b"a\n")
    began = time.monotonic()
    assert source.take(10, 0.2) == []
    assert 0.15 < time.monotonic() - began < 0.4
    threading.Timer(0.1, pipe.write, (b"1\n",)).start()
    began = time.monotonic()
    assert len(rows(source.take(10, 5))) == 1
    assert time.monotonic() - began < 0.3
    source.close()


def test_much_comes_through_in_pieces_of_the_size_asked_for(pipe: Pipe) -> None:
    source = opened()
    data = b"a,b\n" + b"".join(b"%d,x\n" % i for i in range(50_000))
    writer = threading.Thread(target=send, args=(pipe, data))
    writer.start()
    found: list[SourceBatch] = []
    while not source.ended:
        taken = source.take(1000, 1)
        assert sum(one.chunk.rows.num_rows for one in taken) <= 1000
        found += taken
    writer.join()
    assert [int(row["a"]) for _, row in rows(found)] == list(range(50_000))
    source.close()


def send(pipe: Pipe, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(pipe.end, view) :]
    pipe.shut()


@pytest.mark.parametrize("header", [b"a,b\n", b""])
def test_after_a_restart_numbers_go_on_and_a_note_says_so(pipe: Pipe, header: bytes) -> None:
    source = opened()
    pipe.write(b"a,b\n1,x\n2,y\n")
    position = source.take(10, 1)[-1].position
    source.close()
    source = opened(position=position)
    pipe.write(header + b"3,z\n")
    assert rows(source.take(10, 1)) == [(3, {"a": "3", "b": "z"})]
    assert "cannot be read again" in source.notes[0]
    source.close()


def parquet() -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.table({"a": ["1", "2"]}), buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "data",
    [parquet(), gzip.compress(b"a\n1\n2\n"), b'[\n{"a": 1}, {"a": 2}]', b'{"rows": [{"a":1},\n{"a":2}]}'],
)
def test_what_can_only_be_read_whole_is_read_when_it_is(pipe: Pipe, data: bytes) -> None:
    source = opened()
    pipe.write(data[:9])
    assert source.take(10, 0.01) == []
    pipe.write(data[9:])
    assert source.take(10, 0.01) == []
    pipe.shut()
    found = [*source.take(1, 1), *source.take(1, 1)]
    assert [(number, row["a"]) for number, row in rows(found)] == [(1, "1"), (2, "2")]
    assert source.take(1, 1) == []
    assert source.ended
    source.close()


def test_a_file_may_stand_at_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").write_bytes(b'{"a":1}')
    with (tmp_path / "a").open("rb") as file:
        monkeypatch.setattr(sys, "stdin", file)
        source = opened()
        assert rows(source.take(10, 1)) == [(1, {"a": "1"})]
        assert source.take(10, 1) == []
        assert source.ended


def test_no_standard_input_at_all_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(UsageError, match="Standard input is closed"):
        opened()
    with pytest.raises(UsageError, match="Standard input is closed"):
        StandardInput().format()


def test_the_form_may_be_said_and_an_empty_input_ends(pipe: Pipe) -> None:
    with pytest.raises(UsageError, match="xml"):
        opened("-?format=xml")
    with pytest.raises(UsageError, match="Did you mean"):
        opened("-?fromat=csv")
    source = opened("-?format=tsv")
    pipe.write(b"{a}\tb\n1\t2\n")
    assert rows(source.take(10, 1)) == [(1, {"{a}": "1", "b": "2"})]
    pipe.shut()
    assert source.take(10, 1) == []
    assert source.ended
    source.close()


def test_nothing_at_all_is_an_end(pipe: Pipe) -> None:
    source = opened()
    pipe.shut()
    assert source.take(10, 1) == []
    assert source.ended
    source.close()
