"""Outputs: whole or not there, never over the input, clear when the disk is full."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pyarrow as pa
import pytest

from tallystick.config import Settings
from tallystick.connectors import open_sink, open_source
from tallystick.errors import UsageError

BATCH = pa.RecordBatch.from_pydict({"a": ["x", None], "n": [1, 2]})
NAMES = [
    "o.csv",
    "o.csv.gz",
    "o.csv.zst",
    "o.tsv",
    "o.parquet",
    "o.jsonl",
    "o.jsonl.gz",
    "o.json",
    "o.json.zst",
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
@pytest.mark.parametrize("old", [False, True])
def test_an_error_leaves_what_was_there_and_nothing_else(
    tmp_path: Path, name: str, error: type[BaseException], old: bool
) -> None:
    path = tmp_path / name
    if old:
        path.write_bytes(b"old")

    def half() -> None:
        with open_sink(path) as sink:
            sink.write(BATCH)
            assert len(list(tmp_path.iterdir())) == 1 + old
            raise error

    with pytest.raises(error):
        half()
    assert [(one.name, one.read_bytes()) for one in tmp_path.iterdir()] == ([(name, b"old")] if old else [])


FULL = """
    import resource, sys
    import numpy as np, pyarrow as pa
    from tallystick.connectors import open_sink
    from tallystick.errors import TallystickError
    limit, paths = int(sys.argv[1]), sys.argv[2:]
    if limit:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    batch = pa.RecordBatch.from_pydict({"a": np.random.default_rng(0).integers(0, 2**62, 40_000)})
    for path in paths:
        for batches in 1, 8:  # many small writes fail late, in closing, or early
            try:
                with open_sink(path) as sink:
                    for _ in range(batches):
                        sink.write(batch)
            except TallystickError as error:
                print(error.exit_code, error.message)
"""


def fill(limit: int, *paths: Path) -> list[str]:
    command = [sys.executable, "-c", textwrap.dedent(FULL), str(limit), *map(str, paths)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_a_disk_that_takes_no_more_is_told_and_leaves_nothing_half_written(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in NAMES]
    for path in paths:
        path.write_bytes(b"old")
    said = fill(100_000, *paths)
    assert said == [f"1 {path} could not be written: the disk is full." for path in paths for _ in range(2)]
    assert {one.name: one.read_bytes() for one in tmp_path.iterdir()} == dict.fromkeys(NAMES, b"old")


@pytest.mark.skipif(not Path("/bin/mount").exists(), reason="needs mount")
def test_a_really_full_disk(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=200k", "none", disk]
    if subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("this user may not mount a small disk")
    try:
        said = fill(0, disk / "o.csv", disk / "o.parquet")
        assert len(said) == 4
        assert all("the disk is full" in line for line in said)
        assert list(disk.iterdir()) == []
    finally:
        subprocess.run(["umount", disk], check=True)


def test_the_input_is_never_written_over(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.csv").write_text("a\n1\n")
    (tmp_path / "link.csv").symlink_to(folder / "a.csv")
    one = open_source(folder / "a.csv", Settings())
    for path in (folder / "a.csv", tmp_path / "link.csv", tmp_path / "in" / ".." / "in" / "a.csv"):
        with pytest.raises(UsageError, match="the input itself"):
            open_sink(path, source=one)
    with pytest.raises(UsageError, match="the input itself"):
        open_sink(folder / "a.csv", source=open_source(tmp_path / "link.csv", Settings()))
    with pytest.raises(UsageError, match="the input itself"):
        open_sink(folder / "new.csv", source=open_source(folder, Settings()))
    open_sink(folder / "new.csv", source=one)
    open_sink(tmp_path / "in2.csv", source=open_source(folder, Settings()))


def test_a_missing_folder_is_made_and_a_link_is_followed(tmp_path: Path) -> None:
    with open_sink(tmp_path / "x" / "y" / "o.csv") as sink:
        sink.write(BATCH)
    (tmp_path / "link.csv").symlink_to(tmp_path / "x" / "y" / "o.csv")
    with open_sink(tmp_path / "link.csv") as sink:
        sink.write(BATCH.slice(1))
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "x" / "y" / "o.csv").read_text() == "a,n\n,2\n"


def test_what_cannot_be_an_output_is_told(tmp_path: Path) -> None:
    (tmp_path / "d.csv").mkdir()
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="is a folder"), open_sink(tmp_path / "d.csv"):
        pass
    with pytest.raises(UsageError, match="cannot be written"), open_sink(tmp_path / "file" / "o.csv"):
        pass
    for path in ("-", tmp_path / "o.xlsx", "gopher://h/o.csv"):
        with pytest.raises(UsageError):
            open_sink(path)


def test_a_schema_alone_gives_an_output_without_rows(tmp_path: Path) -> None:
    schema = BATCH.schema
    texts = {}
    for name in ("o.csv", "o.jsonl", "o.json"):
        with open_sink(tmp_path / name, schema):
            pass
        texts[name] = (tmp_path / name).read_text()
    assert texts == {"o.csv": "a,n\n", "o.jsonl": "", "o.json": "[]\n"}
