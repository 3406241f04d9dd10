from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from tallystick.store import Store
from tallystick.streams import records as module
from tallystick.streams.frames import LABEL, RECORD, logged
from tallystick.streams.records import HISTORY, RecordLookup, partition_by_key

SCHEMA = pa.schema([("key", pa.string()), ("amount", pa.int64()), ("place", pa.string())])


def rows(names: list[str], first: int = 0) -> pa.RecordBatch:
    return pa.record_batch({"key": names, "amount": np.arange(first, first + len(names))})


def log(names: list[str], kinds: list[int]) -> pa.RecordBatch:
    n = len(names)
    return logged(rows(names), pa.array(names), np.array(kinds, np.int8), None, np.zeros(n, np.int64))


def test_the_history_is_found_by_key(database: str) -> None:
    names, old = [f"k{i}" for i in range(40_000)], [f"old{i}" for i in range(50)]
    with Store.open(database) as store:
        claim = store.claim("fraud")
        claim.keep_history(partition_by_key(rows(old), pa.array(old)))
        parts = claim.keep_history(partition_by_key(rows(names), pa.array(names)))
        assert parts == -(-len(names) // module.PART)
        found = RecordLookup(store, "fraud", SCHEMA, parts)
        wanted = [*names[::501], "nobody"]
        got = found.find(np.full(len(wanted), HISTORY), wanted)
        assert sorted(got) == list(range(len(wanted) - 1))
        for i, record in got.items():
            (row,) = record.to_pylist()
            assert row == {"key": wanted[i], "amount": names.index(wanted[i]), "place": None}
        assert list(store.entries("fraud")) == []  # the log itself begins with the stream
        assert RecordLookup(store, "fraud", SCHEMA).find(np.array([HISTORY]), ["k1"]) == {}


def test_entries_in_memory_and_in_the_log(tmp_path: Path) -> None:
    with Store.open(f"sqlite:///{tmp_path}/a.db") as store:
        found = RecordLookup(store, "fraud", SCHEMA)
        for number in range(1, module.KEPT + 3):
            found.keep(number, log(["a", "b"], [LABEL, RECORD]))
        newest = module.KEPT + 2
        got = found.find(np.array([newest, newest, newest, 1]), ["a", "b", "c", "b"])
        assert list(got) == [1]  # a label is no record; the first entry is neither in memory nor in the log
        assert got[1].column("amount").to_pylist() == [1]
