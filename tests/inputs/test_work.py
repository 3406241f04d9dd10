"""Work on the chunks of an input: a value that pickles, whose accounts add up wherever it is done."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import tallystick as ts
from tallystick import registry
from tallystick.config import Settings
from tallystick.connectors import encoding, open_source
from tallystick.contracts import Report
from tallystick.errors import DataError
from tallystick.inputs.context import ColumnNames
from tallystick.inputs.work import FILE_BITS, ChunkWork, ContractCheck

PROGRAM = """
import pickle, sys
work, splits = pickle.load(sys.stdin.buffer)
results = [work(chunk) for split in splits for chunk in split.chunks()]
sys.stdout.buffer.write(pickle.dumps([(r.report, r.bad, r.keys) for r in results]))
"""


def complaints(path: Path, rows: int) -> Path:
    text = 700 * "text "
    lines = [f"{i},2024-01-{1 + i % 28:02d},{text}{i},Mortgage" for i in range(rows)]
    lines[5], lines[20] = "5,2024-13-77,bad time,Mortgage", "3,2024-01-04,again,Mortgage"
    path.write_text("complaint_id,received_at,narrative,product\n" + "\n".join(lines) + "\n")
    return path


def work(names: tuple[str, ...], **options: dict[str, str]) -> ChunkWork[None]:
    contract = registry.solution("complaints").contract
    check = ContractCheck(contract, Settings(), None, labels_wanted=True)
    files = {name: number for number, name in enumerate(names)}
    return ChunkWork(contract, ColumnNames(), options.get("needs", {}), files, {}, True, check)


def test_splits_done_in_other_processes_add_up_to_the_account_of_the_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoding, "BLOCK", 1 << 14)
    for name in ("b.csv", "a.csv"):
        complaints(tmp_path / name, 40)
    source = open_source(tmp_path, Settings())
    splits = list(source.splits())
    assert len(splits) > 6
    results = []
    for part in (splits[1::2], splits[::2]):  # in any order
        given = pickle.dumps((work(source.names), part))
        done = subprocess.run([sys.executable, "-c", PROGRAM], input=given, capture_output=True, check=True)
        results += pickle.loads(done.stdout)
    total = sum((report for report, _, _ in results), Report())
    whole = ts.validate("complaints", tmp_path).input_report
    assert total.rows_in == whole.rows_in == 80
    assert total.reasons == whole.reasons == {"bad_time": 2}
    assert total.rows_clean == whole.rows_clean + whole.rows_duplicate
    bad = {(row["file"], row["row"]) for _, table, _ in results if table for row in table.to_pylist()}
    assert bad == {("a.csv", 6), ("b.csv", 6)}
    places = np.sort(np.concatenate([keys.column("place").to_numpy() for *_, keys in results]))
    # The number of the file by its name, then that of the record.
    wanted = [(file << FILE_BITS) | record for file in (0, 1) for record in range(1, 41) if record != 6]
    assert places.tolist() == wanted


def test_a_missing_column_is_an_error_wherever_it_is_found(tmp_path: Path) -> None:
    source = open_source(complaints(tmp_path / "a.csv", 30), Settings())
    (split,) = source.splits()
    (chunk,) = split.chunks()
    with pytest.raises(DataError, match="company, to score"):
        work(source.names, needs={"company": "to score"})(chunk)
