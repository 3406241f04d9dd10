"""A replay at a pace: even, an open loop, resumed where it was."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tallystick.config import Settings
from tallystick.errors import DataError, UsageError
from tallystick.streams.source import Position, SourceBatch
from tallystick.streams.sources import open_stream


def opened(path: Path | str, rate: float, position: Position | None = None) -> Any:
    source = open_stream(str(path), Settings(), rate=rate)
    source.seek(json.loads(json.dumps(position)))
    return source


@pytest.fixture(name="rows")
def _rows(tmp_path: Path) -> Path:
    path = tmp_path / "a.csv"
    lines = [f"{i},x" if i % 10 else f"{i}" for i in range(1, 301)]  # each tenth is ragged
    path.write_text("id,x\n" + "\n".join(lines) + "\n")
    return path


def drain(source: Any, most: int = 50) -> list[SourceBatch]:
    found: list[SourceBatch] = []
    while not source.ended:
        assert source.lag() > 0
        found += source.take(most, 0.05)
    assert source.lag() == 0
    return found


def numbers(taken: list[SourceBatch]) -> list[int]:
    return [number for one in taken for number in one.chunk.records.tolist()]


def test_records_come_evenly_and_arrive_when_they_were_due(rows: Path) -> None:
    source = opened(rows, 1000)
    found: list[SourceBatch] = [*source.take(1, 1)]
    began = time.time()
    late = []
    while not source.ended:
        taken = source.take(50, 0.05)
        now = time.time_ns() // 1000
        late += [int(now - moment) for one in taken for moment in one.arrived]
        found += taken
    assert 0.28 < time.time() - began < 0.6
    assert numbers(found) == [i for i in range(1, 301) if i % 10]
    assert sorted(late)[len(late) // 2] < 5000
    assert min(late) >= 0
    arrived = np.concatenate([one.arrived for one in found])
    due = np.array([i - 1 for i in range(1, 301) if i % 10]) * 1000
    assert np.abs(arrived - arrived[0] - due).max() <= 1
    source.close()


def test_who_is_late_does_not_shift_what_follows(rows: Path) -> None:
    source = opened(rows, 1000)
    source.take(10, 1)
    time.sleep(0.15)
    assert source.lag() > 100
    late = source.take(1000, 1)
    assert sum(len(one.arrived) + len(one.chunk.broken) for one in late) > 100
    source.close()


def test_never_more_than_asked_for(rows: Path) -> None:
    source = opened(rows, 1e6)
    time.sleep(0.01)
    for _ in range(20):
        taken = source.take(7, 0.1)
        assert sum(one.chunk.rows.num_rows + len(one.chunk.broken) for one in taken) <= 10
    source.close()


@pytest.mark.parametrize("most", [1, 7, 100])
def test_a_restart_goes_on_after_the_position(rows: Path, most: int) -> None:
    source = opened(rows, 1e6)
    first = [*source.take(most, 1), *source.take(most, 1)]
    source.close()
    rest = drain(opened(rows, 1e6, first[-1].position), most)
    assert numbers(first) + numbers(rest) == [i for i in range(1, 301) if i % 10]
    broken = [one.record for taken in [*first, *rest] for one in taken.chunk.broken]
    assert broken == list(range(10, 301, 10))


def test_a_replay_and_following_take_over_from_each_other(rows: Path) -> None:
    replay = opened(rows, 1e6)
    first = replay.take(20, 1)
    replay.close()
    follow = open_stream(str(rows), Settings())
    assert follow.name == replay.name
    follow.seek(first[-1].position)
    second = follow.take(31, 0)
    follow.close()
    rest = drain(opened(rows, 1e6, second[-1].position))
    assert numbers([*first, *second, *rest]) == [i for i in range(1, 301) if i % 10]


def test_what_cannot_be_replayed_is_told(rows: Path) -> None:
    with pytest.raises(DataError, match="fewer than"):
        opened(rows, 10, {"records": 301})
    with pytest.raises(DataError, match="followed"):
        opened(rows, 10, {"files": {}})
    with pytest.raises(UsageError, match="rate"):
        opened(rows, -1)
    with pytest.raises(UsageError, match="own pace"):
        open_stream("-", Settings(), rate=5)


def test_waiting_costs_little_and_is_not_longer_than_asked(rows: Path) -> None:
    source = opened(rows, 0.5)
    assert source.take(5, 0.1)
    wall, cpu = time.monotonic(), time.process_time()
    assert source.take(5, 0.3) == []
    assert 0.25 < time.monotonic() - wall < 0.5
    assert time.process_time() - cpu < 0.1
    source.close()
