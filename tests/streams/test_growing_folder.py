"""A folder as a source: files that grow, files that come whole, new ones, renamed ones, broken ones."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tallystick.config import Settings
from tallystick.connectors import open_source
from tallystick.errors import DataError
from tallystick.streams.source import Position, SourceBatch, StreamSource
from tallystick.streams.sources import open_stream, whole_file

SETTINGS = Settings(batch_rows=7)


def opened(path: Path | str, position: Position | None = None) -> Any:
    source = open_stream(str(path), SETTINGS)
    source.seek(json.loads(json.dumps(position)))
    return source


def drain(source: StreamSource, most: int = 5, wait: float = 0.06) -> list[SourceBatch]:
    """Take until nothing comes, for long enough that the folder was looked through."""
    found: list[SourceBatch] = []
    while taken := source.take(most, wait):
        found += taken
    return found


def places(taken: list[SourceBatch]) -> list[tuple[str, str]]:
    found = []
    for one in taken:
        chunk = one.chunk
        rows = [
            (f"{chunk.name}:{number}", str(row["id"]))
            for number, row in zip(chunk.records.tolist(), chunk.rows.to_pylist(), strict=True)
        ]
        found += rows + [(f"{chunk.name}:{broken.record}", broken.code) for broken in chunk.broken]
    return found


def write(path: Path, rows: list[int]) -> None:
    path.parent.mkdir(exist_ok=True)
    if path.suffix == ".parquet":
        pq.write_table(pa.table({"id": rows}), path)
    elif path.suffix == ".gz":
        path.write_bytes(gzip.compress(("id\n" + "".join(f"{row}\n" for row in rows)).encode()))
    elif path.suffix == ".jsonl":
        path.write_text("".join(f'{{"id":{row}}}\n' for row in rows))
    else:
        path.write_text("id\n" + "".join(f"{row}\n" for row in rows))


@pytest.mark.parametrize("most", [1, 5, 1000])
def test_a_folder_gives_what_a_batch_run_gives_and_then_what_comes(tmp_path: Path, most: int) -> None:
    for i, name in enumerate(("b.csv", "a.parquet", "sub/c.jsonl", "d.csv.gz")):
        write(tmp_path / name, list(range(10 * i, 10 * i + 9)))
    (tmp_path / "_SUCCESS").write_text("")
    (tmp_path / ".e.csv").write_text("id\n99\n")
    source = opened(tmp_path)
    found = drain(source, most)
    expected = places([SourceBatch(one, one.records, {}) for one in open_source(tmp_path, SETTINGS).chunks()])
    assert places(found) == expected
    assert source.lag() == 0
    with (tmp_path / "b.csv").open("a") as file:
        file.write("100\n")
    write(tmp_path / "new.parquet", [101])
    assert sorted(places(drain(source, most))) == [("b.csv:10", "100"), ("new.parquet:1", "101")]
    source.close()


@pytest.mark.parametrize("taken", range(1, 9))
def test_a_restart_goes_on_where_it_was(tmp_path: Path, taken: int) -> None:
    for i, name in enumerate(("a.csv", "b.parquet", "c.csv.gz")):
        write(tmp_path / name, list(range(10 * i, 10 * i + 9)))
    source = opened(tmp_path)
    first: list[SourceBatch] = []
    for _ in range(taken):
        first += source.take(4, 0.1)
    source.close()
    write(tmp_path / "d.jsonl", [40])
    again = opened(tmp_path, first[-1].position)
    both = places(first) + places(drain(again))
    assert [int(value) for _, value in both] == [*range(9), *range(10, 19), *range(20, 29), 40]
    assert again.notes == ()
    again.close()


def test_a_file_that_is_renamed_goes_on_and_one_in_its_place_counts_on(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", [1, 2])
    source = opened(tmp_path)
    found = drain(source)
    (tmp_path / "a.csv").rename(tmp_path / "a-1.csv")
    with (tmp_path / "a-1.csv").open("a") as file:
        file.write("3\n4")
    write(tmp_path / "a.csv", [5])
    found += drain(source)
    assert places(found) == [(f"a.csv:{i}", str(i)) for i in range(1, 6)]
    with (tmp_path / "a-1.csv").open("a") as file:
        file.write("\n6\n")
    assert drain(source) == []  # its number would be given twice
    assert "a-1.csv grew after another file took its name" in source.notes[0]
    source.close()


def test_a_file_cut_to_nothing_begins_anew(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", [1, 2])
    source = opened(tmp_path)
    found = drain(source)
    (tmp_path / "a.csv").write_text("")
    found += drain(source)
    with (tmp_path / "a.csv").open("a") as file:
        file.write("id\n3\n")
    found += drain(source)
    assert places(found) == [(f"a.csv:{i}", str(i)) for i in range(1, 4)]
    assert "a.csv was cut short or written anew, 1 times" in source.notes[0]
    source.close()


@pytest.mark.parametrize("name", ["a.csv.gz", "a.parquet"])
def test_a_file_that_is_still_written_waits_for_its_rest(tmp_path: Path, name: str) -> None:
    write(tmp_path / name, list(range(5000)))
    whole = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(whole[: len(whole) // 2])
    source = opened(tmp_path)
    found = drain(source, 1000)
    assert all(value.isdigit() for _, value in places(found))
    (tmp_path / name).write_bytes(whole)
    found += drain(source, 1000)
    assert [int(value) for _, value in places(found)] == list(range(5000))
    assert source.lag() == 0
    source.close()


@pytest.mark.parametrize("name", ["a.csv.gz", "a.parquet"])
def test_a_file_that_stays_torn_is_one_broken_record(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whole_file, "_PATIENCE", 0.1)
    write(tmp_path / name, list(range(5000)))
    whole = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(whole[: len(whole) // 2])
    write(tmp_path / "b.csv", [1])
    source = opened(tmp_path)
    found = drain(source, 1000, wait=0.3)
    broken = [place for place, value in places(found) if value == "broken_file"]
    assert len(broken) == 1
    assert places(found).count(("b.csv:1", "1")) == 1
    assert source.take(5, 0.3) == []
    source.close()
    again = opened(tmp_path, found[-1].position)
    assert drain(again) == []
    again.close()


def test_a_file_whose_header_cannot_be_read_is_one_broken_record(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,id\n1,2\n")
    write(tmp_path / "b.csv", [1])
    source = opened(tmp_path)
    found = drain(source)
    assert places(found) == [("a.csv:1", "broken_file"), ("b.csv:1", "1")]
    source.close()
    again = opened(tmp_path, found[-1].position)
    assert drain(again) == []
    again.close()


def test_files_that_are_gone_leave_the_position(tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv", "c.csv"):
        write(tmp_path / name, [1])
    source = opened(tmp_path)
    drain(source)
    (tmp_path / "a.csv").unlink()
    assert drain(source) == []
    with (tmp_path / "b.csv").open("a") as file:
        file.write("2\n")
    assert [one["name"] for one in drain(source)[-1].position["files"].values()] == ["b.csv", "c.csv"]
    source.close()
    with pytest.raises(DataError, match="another way"):
        opened(tmp_path, {"records": 3})
    again = opened(tmp_path, {"files": {"1": {"name": "q.csv"}}})
    assert again.notes == ("q.csv: not in the folder any more, nor what was not read of it",)
    again.close()


def test_a_glob_is_followed_too(tmp_path: Path) -> None:
    write(tmp_path / "a1.csv", [1])
    write(tmp_path / "b1.csv", [2])
    source = opened(tmp_path / "a*.csv")
    assert places(drain(source)) == [("a1.csv:1", "1")]
    write(tmp_path / "a2.csv", [3])
    assert places(drain(source, wait=0.3)) == [("a2.csv:1", "3")]
    source.close()


def test_many_files_are_read_with_few_of_them_open(tmp_path: Path) -> None:
    for i in range(150):
        write(tmp_path / f"{i:03d}.csv", [i])
    source = opened(tmp_path)
    found = drain(source, 1000)
    assert [int(value) for _, value in places(found)] == list(range(150))
    drain(source, wait=0.5)
    holds = [str(one.readlink()) for one in Path("/proc/self/fd").iterdir() if one.is_symlink()]
    assert sum(str(tmp_path) in one for one in holds) <= 64
    for i in range(150):
        with (tmp_path / f"{i:03d}.csv").open("a") as file:
            file.write(f"{i + 1000}\n")
    assert sorted(int(value) for _, value in places(drain(source, 1000, wait=0.3))) == list(range(1000, 1150))
    source.close()
