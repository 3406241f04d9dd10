"""Inputs as people name them: files, folders, globs, standard input, and what is not there."""

from __future__ import annotations

import gzip
import io
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tallystick.config import Settings
from tallystick.connectors import open_source
from tallystick.errors import DataError, UsageError


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    (tmp_path / "2024").mkdir()
    (tmp_path / "2024" / "jan.csv").write_text("a,b\n1,x\n2,y\n")
    (tmp_path / "b.jsonl").write_text('{"a":3}\n')
    (tmp_path / "B.csv.gz").write_bytes(gzip.compress(b"a;b\n4;z\n"))
    pq.write_table(pa.table({"a": [5]}), tmp_path / "c.parquet")
    return tmp_path


def test_a_folder_is_read_file_by_file_in_order(folder: Path, read_path: Any) -> None:
    found = read_path(folder)
    assert [chunk.name for chunk in found.chunks] == ["2024/jan.csv", "B.csv.gz", "b.jsonl", "c.parquet"]
    assert [chunk.records.tolist() for chunk in found.chunks] == [[1, 2], [1], [1], [1]]
    assert [row["a"] for row in found.rows] == ["1", "2", "4", "3", 5]


def test_hidden_and_unknown_files_are_passed_over_with_a_word(folder: Path, read_path: Any) -> None:
    for name in (".hidden.csv", "_SUCCESS", "notes.txt", "a.csv.bak", "x.parquet.gz"):
        (folder / name).write_text("a\n9\n")
    found = read_path(folder)
    assert len(found.rows) == 5
    assert found.notes == (
        "passed over 2 hidden files: .hidden.csv, _SUCCESS",
        "passed over 3 files of no known format: a.csv.bak, notes.txt, x.parquet.gz",
    )


def test_a_glob_names_places_from_its_folder(folder: Path, read_path: Any) -> None:
    assert [chunk.name for chunk in read_path(f"{folder}/*/*.csv").chunks] == ["2024/jan.csv"]
    assert [chunk.name for chunk in read_path(f"{folder}/**/*.csv*").chunks] == ["2024/jan.csv", "B.csv.gz"]
    with pytest.raises(UsageError, match="No file matches"):
        read_path(f"{folder}/*.tsv")
    (folder / "x[1].csv").write_text("a\n7\n")
    assert read_path(folder / "x[1].csv").rows == [{"a": "7"}]


def test_a_file_has_its_name_as_place_and_can_be_read_again(folder: Path) -> None:
    source = open_source(folder / "2024" / "jan.csv", Settings())
    assert source.headers() == {"jan.csv": ("a", "b")}
    first, second = list(source.chunks()), list(source.chunks())
    assert first[0].name == "jan.csv"
    assert first[0].rows == second[0].rows
    assert open_source(f"file://{folder}/B.csv.gz?delimiter=%3B", Settings()).headers() == {
        "B.csv.gz": ("a", "b")
    }


def test_reading_ahead_changes_nothing_and_can_be_left_early(folder: Path) -> None:
    big = folder / "big.csv"
    big.write_text("a\n" + "".join(f"{i}\n" * 5 for i in range(300_000)))
    alone, ahead = (
        [chunk.rows for chunk in open_source(big, Settings(threads=threads)).chunks()] for threads in (1, 2)
    )
    assert alone == ahead
    chunks = open_source(big, Settings(threads=2)).chunks()
    next(chunks)
    chunks.close()  # type: ignore[attr-defined]


def test_what_is_not_there_is_told_with_what_is_near(folder: Path, read_path: Any) -> None:
    with pytest.raises(UsageError, match=r'Did you mean "B\.csv\.gz"'):
        read_path(folder / "B.csv.g")
    with pytest.raises(UsageError, match=r"no folder .*2023.*\n.* is as far as it goes"):
        read_path(folder / "2023" / "x" / "a.csv")


def test_unknown_endings_and_schemes_are_told_with_those_that_exist(folder: Path, read_path: Any) -> None:
    (folder / "a.abc").write_text("x")
    with pytest.raises(UsageError, match=r'"\.abc" is no known format(.|\n)*\.parquet'):
        read_path(folder / "a.abc")
    (folder / "noending").write_text("x")
    with pytest.raises(UsageError, match="no ending"):
        read_path(folder / "noending")
    with pytest.raises(UsageError, match=r'no connector for "gopher://"'):
        read_path("gopher://host/a.csv")


def test_a_folder_without_anything_to_read_is_refused(folder: Path, read_path: Any) -> None:
    (folder / "empty").mkdir()
    with pytest.raises(UsageError, match="empty folder"):
        read_path(folder / "empty")
    (folder / "empty" / "a.txt").write_text("x")
    with pytest.raises(UsageError, match="none of a known format"):
        read_path(folder / "empty")


def test_a_file_that_cannot_be_read_does_not_take_the_others_down(folder: Path, read_path: Any) -> None:
    (folder / "a.parquet").write_bytes(b"nonsense")
    found = read_path(folder)
    assert len(found.rows) == 5
    assert [(one.record, one.code) for one in found.broken] == [(1, "broken_file")]
    assert "a.parquet" in found.broken[0].message


def test_a_folder_of_headers_alone_is_refused(tmp_path: Path, read_path: Any) -> None:
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text("x,y\n")
    with pytest.raises(DataError, match="no row in any of its files"):
        read_path(tmp_path)


@pytest.mark.skipif(not hasattr(os, "setuid") or os.getuid() != 0, reason="root is needed to become nobody")
@pytest.mark.parametrize("locked", ["folder", "inner", "file"])
def test_what_may_not_be_read_is_told(tmp_path: Path, locked: str) -> None:
    inner = tmp_path / "open" / "inner"
    inner.mkdir(parents=True)
    file = inner / "a.csv"
    file.write_text("a\n1\n")
    for part in (file, *file.parents):
        if part.is_relative_to(tmp_path.parents[1]):
            part.chmod(part.stat().st_mode | 0o755)
    asked, closed = {
        "folder": (tmp_path / "open", tmp_path / "open"),
        "inner": (tmp_path / "open", inner),
        "file": (file, file),
    }[locked]
    script = f"""
        import os
        from tallystick.config import Settings
        from tallystick.connectors import open_source
        from tallystick.errors import UsageError
        import tallystick.connectors.source, tallystick.connectors.formats
        tallystick.connectors.formats.found_formats()
        list(open_source({str(file)!r}, Settings(threads=1)).chunks())
        os.chmod({str(closed)!r}, 0)
        os.setgid(65534)
        os.setuid(65534)
        try:
            list(open_source({str(asked)!r}, Settings(threads=1)).chunks())
        except UsageError as error:
            print(error)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=False
    )
    closed.chmod(0o755)
    assert "cannot be read: Permission denied" in done.stdout, done.stderr
    assert str(closed) in done.stdout


@pytest.mark.parametrize(
    ("data", "first"),
    [
        (b"a;b\n1;2\n", {"a": "1", "b": "2"}),
        (gzip.compress(b"a,b\n1,2\n"), {"a": "1", "b": "2"}),
        (b'{"a":1}\n{"a":2}\n', {"a": "1"}),
        (b'[{"a":1.0}]', {"a": "1.0"}),
        ("parquet", {"a": 5}),
        ("zstd", {"a": "1"}),
    ],
)
def test_standard_input_is_told_by_its_bytes(
    folder: Path, monkeypatch: pytest.MonkeyPatch, data: Any, first: dict[str, Any]
) -> None:
    if data == "parquet":
        data = (folder / "c.parquet").read_bytes()
    elif data == "zstd":
        sink = pa.BufferOutputStream()
        with pa.CompressedOutputStream(sink, "zstd") as stream:
            stream.write(b"a\n" + b"1\n" * 100_000)
        data = bytes(sink.getvalue())
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    source = open_source("-", Settings())
    assert source.headers() == {"-": tuple(first)}
    chunks = list(source.chunks())
    assert (chunks[0].name, chunks[0].rows.slice(0, 1).to_pylist()) == ("-", [first])
    with pytest.raises(UsageError, match="only once"):
        list(source.chunks())
