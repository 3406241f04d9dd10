"""Files that a stream appends to: the bytes of *score*, cut back to what was committed."""

from __future__ import annotations

import errno
import io
import os
import random
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.config import Settings
from tallystick.connectors import open_sink
from tallystick.errors import TallystickError, UsageError
from tallystick.scorer import decision_schema
from tallystick.streams.sinks import open_stream
from tallystick.streams.sinks import parquet_parts as parts_module

SCHEMA = decision_schema()


def decisions(start: int, rows: int) -> pa.RecordBatch:
    """Decisions that say their number in several ways."""
    values: dict[str, list[Any]] = {
        "id": [f'tx "{i}", é' for i in range(start, start + rows)],
        "event_time": [1_700_000_000_000_000 + i * 500_000 for i in range(start, start + rows)],
        "task": ["fraud"] * rows,
        "label": ["yes" if i % 3 else None for i in range(start, start + rows)],
        "score": [10.0**-i if i % 7 else float("nan") for i in range(start, start + rows)],
        "action": ["accept"] * rows,
        "route": [
            {"department": "Cards, EU", "due": i} if i % 2 else None for i in range(start, start + rows)
        ],
        "reasons": [
            [{"feature": "amount", "value": i / 3, "effect": 1e-7, "words": 'a\n"b"'}] * (i % 3)
            for i in range(start, start + rows)
        ],
        "model": ["m"] * rows,
        "sequence": [[("customer_id", i), ("terminal_id", 2 * i)] for i in range(start, start + rows)],
        "late": [bool(i % 2) for i in range(start, start + rows)],
    }
    return pa.RecordBatch.from_arrays(
        [pa.array(values[field.name], field.type) for field in SCHEMA], schema=SCHEMA
    )


def opened(path: Path | str, number: int = 0, mark: Any = None) -> Any:
    sink = open_stream(str(path), SCHEMA, Settings(), stream="fraud")
    assert sink.resume(number, mark) == number
    return sink


def scored(tmp_path: Path, name: str, *batches: pa.RecordBatch) -> bytes:
    """What *score* writes for the same decisions."""
    path = tmp_path / "scored" / name
    with open_sink(path, SCHEMA) as sink:
        for batch in batches:
            sink.write(batch)
    return path.read_bytes()


@pytest.mark.parametrize("name", ["o.jsonl", "o.csv", "o.tsv"])
def test_the_bytes_are_those_of_score(tmp_path: Path, name: str) -> None:
    sink = opened(tmp_path / "new" / name)
    assert sink.deliver(1, []) is None
    mark = sink.deliver(4, [decisions(0, 5), decisions(5, 1)])
    sink.close()
    sink = opened(tmp_path / "new" / name, 4, mark)
    mark = sink.deliver(9, [decisions(6, 7)])
    assert sink.deliver(10, []) == mark
    sink.close()
    written = (tmp_path / "new" / name).read_bytes()
    assert written == scored(tmp_path, name, decisions(0, 5), decisions(5, 1), decisions(6, 7))
    assert mark == {"length": len(written)}


@pytest.mark.parametrize("name", ["o.jsonl", "o.csv"])
@settings(max_examples=25)
@given(torn=st.binary(min_size=1, max_size=50), kept=st.integers(0, 10_000))
def test_what_lies_beyond_the_mark_is_cut_off(
    tmp_path_factory: pytest.TempPathFactory, name: str, torn: bytes, kept: int
) -> None:
    path = tmp_path_factory.mktemp("sink") / name
    sink = opened(path)
    mark = sink.deliver(1, [decisions(0, 3)])
    sink.deliver(2, [decisions(3, 3)])
    sink.close()
    whole = path.read_bytes()
    path.write_bytes(whole[: max(mark["length"], kept)] + torn)
    sink = opened(path, 1, mark)
    assert path.read_bytes() == whole[: mark["length"]]
    sink.deliver(2, [decisions(3, 3)])
    sink.close()
    assert path.read_bytes() == whole


@pytest.mark.parametrize("name", ["o.jsonl", "o.csv"])
@pytest.mark.parametrize("zeros", [0, 40])
@pytest.mark.parametrize("groups", [[(0, 9)], [(0, 2), (2, 7)], [(0, 1), (1, 1), (2, 7)]])
def test_a_delivery_whose_mark_was_lost_is_known_again(
    tmp_path: Path, name: str, zeros: int, groups: list[tuple[int, int]]
) -> None:
    sink = opened(tmp_path / name)
    sink.deliver(1, [decisions(0, 9)])
    sink.close()
    whole = (tmp_path / name).read_bytes()
    for length in (1, 10, len(whole) // 2, len(whole) - 1, len(whole)):
        (tmp_path / name).write_bytes(whole[:length] + b"\0" * zeros)
        sink = opened(tmp_path / name)
        for number, group in enumerate(groups, 1):
            mark = sink.deliver(number, [decisions(*group)])
        mark = sink.deliver(9, [decisions(9, 1)])
        sink.close()
        assert (tmp_path / name).read_bytes()[: len(whole)] == whole
        assert mark == {"length": (tmp_path / name).stat().st_size}


@pytest.mark.parametrize("name", ["o.jsonl", "o.csv", "parts/"])
def test_what_somebody_else_wrote_is_left_alone(tmp_path: Path, name: str) -> None:
    sink = opened(f"{tmp_path}/{name}")
    sink.deliver(3, [decisions(50, 4)])
    sink.close()
    files = [one for one in tmp_path.rglob("*") if one.is_file()]
    before = [one.read_bytes() for one in files]
    sink = opened(f"{tmp_path}/{name}")
    with pytest.raises(TallystickError, match="did not write"):
        sink.deliver(1, [decisions(0, 3)])
    sink.close()
    assert [one.read_bytes() for one in files] == before


@pytest.mark.parametrize("name", ["o.jsonl", "o.csv"])
def test_a_file_that_is_shorter_or_moved_is_told(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    sink = opened(path)
    mark = sink.deliver(1, [decisions(0, 3)])
    sink.close()
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(TallystickError, match="were committed"):
        opened(path, 1, mark)
    path.unlink()
    sink = opened(path)
    sink.deliver(1, [decisions(0, 3)])
    path.rename(tmp_path / "away")
    with pytest.raises(TallystickError, match="was moved"):
        sink.deliver(2, [decisions(3, 3)])
    (tmp_path / "away").rename(path)
    os.truncate(path, 7)
    with pytest.raises(TallystickError, match="was cut short"):
        sink.deliver(2, [decisions(3, 3)])
    sink.close()


def test_a_full_disk_is_told_and_the_rest_comes_again(tmp_path: Path) -> None:
    code = """
        import resource, signal, sys
        sys.path.insert(0, sys.argv[2])
        from test_file_sinks import decisions, opened
        from tallystick.errors import TallystickError
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        sink = opened(sys.argv[1])
        mark = sink.deliver(1, [decisions(0, 3)])
        resource.setrlimit(resource.RLIMIT_FSIZE, (mark["length"] + 100, resource.RLIM_INFINITY))
        try:
            sink.deliver(2, [decisions(3, 30)])
        except TallystickError as error:
            print(error.message)
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        sink.deliver(2, [decisions(3, 30)])
    """
    path = tmp_path / "o.jsonl"
    command = [sys.executable, "-c", textwrap.dedent(code), str(path), str(Path(__file__).parent)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "could not be written" in done.stdout
    assert path.read_bytes() == scored(tmp_path, "o.jsonl", decisions(0, 3), decisions(3, 30))


def ids(folder: Path) -> list[str]:
    parts = sorted(one for one in folder.iterdir() if not one.name.startswith("."))
    return [value for one in parts for value in pq.read_table(one).column("id").to_pylist()]


def expected(rows: int) -> list[str]:
    return [f'tx "{i}", é' for i in range(rows)]


def test_parts_hold_whole_deliveries_and_are_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts_module, "_ROWS", 10)
    folder = tmp_path / "out.parquet"
    sink = opened(f"{folder}/")
    marks: list[Any] = [None]
    for number in range(1, 8):
        marks.append(sink.deliver(number, [decisions(4 * (number - 1), 4)]))
        assert ids(folder) == expected(4 * number)
    assert sink.deliver(8, []) == marks[7]
    sink.close()
    assert [one.name for one in sorted(folder.iterdir())] == [f"part-{n:012d}.parquet" for n in (1, 4, 7)]
    assert pq.read_schema(folder / "part-000000000001.parquet").names == SCHEMA.names
    (folder / ".part-000000000007.parquet.00.partial").write_bytes(b"torn")
    for number in (7, 5, 4, 3, 2, 1):
        sink = opened(folder, number, marks[number])
        assert ids(folder) == expected(4 * number)
        assert sum(1 for _ in folder.iterdir()) == (number + 2) // 3
        sink.deliver(number + 1, [decisions(4 * number, 4)])
        assert ids(folder) == expected(4 * number + 4)
        sink.close()
    sink = opened(folder)  # the marks were lost
    sink.deliver(2, [decisions(0, 3)])
    assert ids(folder) == expected(3)
    sink.close()
    (folder / "part-000000000001.parquet").unlink()
    with pytest.raises(TallystickError, match="does not hold"):
        opened(folder, 2, marks[2])


KILLED = """
    import sys
    sys.path.insert(0, sys.argv[2])
    from test_file_sinks import decisions, opened
    sink, number = opened(sys.argv[1]), 0
    print("begun", flush=True)
    while True:
        number += 1
        mark = sink.deliver(number, [decisions(40 * (number - 1), 40)])
        print(number, mark, flush=True)
"""


@pytest.mark.parametrize("name", ["o.jsonl", "o.csv", "parts/"])
def test_killed_at_any_moment_it_goes_on_from_a_mark(tmp_path: Path, name: str) -> None:
    path = f"{tmp_path}/{name}"
    command = [sys.executable, "-c", textwrap.dedent(KILLED), path, str(Path(__file__).parent)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        said = [process.stdout.readline() for _ in range(3)]
        time.sleep(random.random() / 10)
    finally:
        process.kill()
    said += [line for line in process.communicate()[0].split("\n")[:-1] if line]
    assert process.returncode == -9
    number, _, mark = said[random.randrange(len(said))].partition(" ")
    sink = opened(path, int(number), eval(mark))
    sink.deliver(int(number) + 1, [decisions(40 * int(number), 40)])
    sink.close()
    batches = [decisions(40 * i, 40) for i in range(int(number) + 1)]
    if name == "parts/":
        assert ids(tmp_path / name) == expected(40 * len(batches))
    else:
        assert Path(path).read_bytes() == scored(tmp_path, name, *batches)


def test_standard_output_takes_lines(capfdbinary: pytest.CaptureFixture[bytes], tmp_path: Path) -> None:
    sink = opened("-")
    assert sink.name == "-"
    assert sink.deliver(1, [decisions(0, 2)]) is None
    sink.close()
    assert capfdbinary.readouterr().out == scored(tmp_path, "o.jsonl", decisions(0, 2))


def test_standard_output_that_takes_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(io.BytesIO):
        def write(self, _: Any) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    sink = opened("-")
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(Full()))
    with pytest.raises(TallystickError, match="could not be written: No space"):
        sink.deliver(1, [decisions(0, 2)])
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(UsageError, match="Standard output is closed"):
        opened("-")


def test_what_cannot_be_appended_to_is_told(tmp_path: Path) -> None:
    for name in ("o.json", "o.csv.gz", "o.parquet", "o.xlsx", "o"):
        with pytest.raises(UsageError, match="appended"):
            opened(tmp_path / name)
    with pytest.raises(UsageError, match="Did you mean"):
        opened("kafak://host/topic")
    (tmp_path / "file").write_text("")
    for name in ("file/o.csv", "file/o/"):
        with pytest.raises(UsageError, match="cannot be written"):
            opened(f"{tmp_path}/{name}")
