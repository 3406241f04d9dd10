"""Every engine: splits are read in order, work is a value that pickles, relational answers are the same."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import narwhals as nw
import numpy as np
import pyarrow as pa
import pytest

from tallystick import registry
from tallystick.config import Settings
from tallystick.connectors import Chunk, open_source
from tallystick.engines import Engine, duplicates, repeated
from tallystick.errors import DataError
from tallystick.inputs.context import ColumnNames
from tallystick.inputs.work import ChunkWork, ContractCheck

ENGINES = registry.names("engines")


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Engine:
    return registry.engine(request.param)


@dataclass(frozen=True)
class Numbers:
    """A split of numbers, in chunks of one; it breaks off after them, if asked."""

    first: int
    stop: int
    small: bool
    broken: bool = False

    def chunks(self) -> Iterator[Chunk]:
        for number in range(self.first, self.stop):
            yield Chunk(pa.record_batch({"n": [number]}), "numbers", np.array([number]))
        if self.broken:
            raise DataError("It breaks off.")


@dataclass(frozen=True)
class Times:
    """Work: a number times another."""

    by: int

    def __call__(self, chunk: Chunk) -> int:
        return int(chunk.records[0]) * self.by


@dataclass(frozen=True)
class Hundredth:
    """Work that fails at zero."""

    def __call__(self, chunk: Chunk) -> int:
        return 100 // int(chunk.records[0])


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("ahead", [True, False])
def test_results_come_in_the_order_of_splits_and_chunks(engine: Engine, threads: int, ahead: bool) -> None:
    splits = [Numbers(10 * i, 10 * i + 10, small=i % 2 == 0) for i in range(6)]
    assert list(engine.run(Times(3), splits, threads, ahead=ahead)) == [3 * i for i in range(60)]


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("small", [True, False])
def test_an_error_in_reading_or_working_comes_out(engine: Engine, threads: int, small: bool) -> None:
    with pytest.raises(DataError, match="breaks off"):
        list(engine.run(Times(1), [Numbers(0, 3, small, broken=True)], threads))
    with pytest.raises(ZeroDivisionError):
        list(engine.run(Hundredth(), [Numbers(0, 3, small)], threads))


@pytest.mark.parametrize("threads", [1, 3])
def test_an_input_is_accounted_for_alike(engine: Engine, tmp_path: Path, threads: int) -> None:
    for name in "ab":
        lines = [f"{name}{i},2024-01-{1 + i % 28:02d},text {i},Mortgage" for i in range(50)]
        lines[7] = "x,2024-77-01,bad,Mortgage"
        header = "complaint_id,received_at,narrative,product\n"
        (tmp_path / f"{name}.csv").write_text(header + "\n".join(lines))
    source = open_source(tmp_path, Settings())
    contract = registry.solution("complaints").contract
    check = ContractCheck(contract, Settings(), None, labels_wanted=True)
    files = {name: number for number, name in enumerate(source.names)}
    work = pickle.loads(pickle.dumps(ChunkWork(contract, ColumnNames(), {}, files, {}, True, check)))
    results = list(engine.run(work, source.splits(), threads))
    assert [sum(getattr(one.report, name) for one in results) for name in ("rows_in", "rows_clean")] == [
        100,
        98,
    ]
    bad = [(row["file"], row["row"], row["code"]) for one in results for row in one.bad.to_pylist()]
    assert bad == [("a.csv", 8, "bad_time"), ("b.csv", 8, "bad_time")]


def test_relational_work_gives_the_same_table(engine: Engine) -> None:
    rng = np.random.default_rng(0)
    keys = pa.table(
        {
            "key": pa.array([f"k{n}" for n in rng.integers(0, 40, 200)]),
            "time": pa.array(rng.integers(0, 50, 200), mask=rng.random(200) < 0.2),
            "place": rng.permutation(200),
        }
    )
    found = engine.collect(repeated(engine.table(keys)))
    pairs = duplicates(found, horizon=10)
    rows = sorted(
        zip(*(keys.column(name).to_pylist() for name in ("key", "time", "place")), strict=True),
        key=lambda row: (row[0], 2**63 if row[1] is None else row[1], row[2]),
    )
    apart, kept = [], None  # the slow way: within a key by time, then place
    for key, time, place in rows:
        near = kept is not None and kept[0] == key and (time is None or time - kept[1] <= 10)
        if near:
            apart.append(place)
        else:
            kept = (key, 2**63 - 1 if time is None else time)
    assert pairs.column("place").to_pylist() == sorted(apart)
    mean = engine.collect(engine.table(keys).group_by("key").agg(nw.col("time").mean()).sort("key"))
    assert mean.column("key").to_pylist() == sorted(set(keys.column("key").to_pylist()))


def test_what_an_engine_cannot_do_is_said_by_the_names_of_verbs(engine: Engine) -> None:
    verbs = {"analyse", "demo", "evaluate", "features", "score", "stream", "train", "validate"}
    assert engine.cannot <= verbs
    assert engine.name in ENGINES
