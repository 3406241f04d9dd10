"""Snapshots are whole or do not count."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Connection, func, select, update

from tallystick.errors import TallystickError
from tallystick.store import Entry, Store, snapshots
from tallystick.store.tables import PARTS, SNAPSHOTS

Maker = Callable[..., Entry]


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshots, "PART", 1000)


def arrays(seed: int) -> dict[str, np.ndarray[Any, Any]]:
    rng = np.random.default_rng(seed)
    return {
        "0.sums": rng.normal(size=(70, 3)),
        "names": np.frombuffer(b"abc", np.uint8),
        "empty": np.zeros((0, 4), np.int32),
        "flags": rng.random(2000) < 0.5,
        "one": np.array(seed),
        "turned": rng.integers(0, 9, (30, 20)).T,
        "times": np.array(["2024-01-01"], "datetime64[us]"),
    }


def same(a: dict[str, Any], b: dict[str, Any]) -> bool:
    return list(a) == list(b) and all(a[n].dtype == b[n].dtype and np.array_equal(a[n], b[n]) for n in a)


def test_the_newest_is_read_and_two_are_kept(store: Store, entry: Maker) -> None:
    claim = store.claim("fraud")
    assert store.snapshot("fraud") is None
    for number in range(1, 5):
        claim.commit(entry(number))
        claim.save_snapshot(number, arrays(number))
        claim.save_snapshot(number, arrays(99))  # it is there already
        found = store.snapshot("fraud")
        assert found is not None
        assert found[0] == number
        assert same(found[1], arrays(number))
    counted = store._database.read(lambda c: c.execute(select(SNAPSHOTS.c.number)).scalars().all())
    assert sorted(counted) == [3, 4]
    parts = store._database.read(lambda c: c.execute(select(PARTS.c.number).distinct()).scalars().all())
    assert sorted(parts) == [3, 4]


def test_half_a_snapshot_does_not_count_and_is_removed(store: Store, entry: Maker) -> None:
    claim = store.claim("fraud")
    claim.commit(entry(1))
    claim.save_snapshot(1, arrays(1))
    claim.commit(entry(2))

    class KilledError(Exception):
        pass

    steps = 0

    def killed(connection: Connection) -> None:
        nonlocal steps
        steps += 1
        if steps > 4:
            raise KilledError

    with pytest.raises(KilledError):
        snapshots.save(store._database, "default", "fraud", 2, snapshots.pack(arrays(2)), killed)
    found = store.snapshot("fraud")
    assert found is not None
    assert found[0] == 1
    claim.save_snapshot(2, arrays(3))
    found = store.snapshot("fraud")
    assert found is not None
    assert found[0] == 2
    assert same(found[1], arrays(3))


@pytest.mark.parametrize("broken", ["damaged", "lost"])
def test_a_broken_snapshot_gives_way_to_the_one_before(store: Store, entry: Maker, broken: str) -> None:
    claim = store.claim("fraud")
    for number in (1, 2):
        claim.commit(entry(number))
        claim.save_snapshot(number, arrays(number))

    def harm(connection: Connection) -> None:
        last = connection.execute(select(func.max(PARTS.c.part)).where(PARTS.c.number == 2)).scalar()
        here = (PARTS.c.number == 2, PARTS.c.part == last)
        if broken == "lost":
            connection.execute(PARTS.delete().where(*here))
        else:
            connection.execute(update(PARTS).where(*here).values(sum=1))

    store._database.write(harm)
    found = store.snapshot("fraud")
    assert found is not None
    assert found[0] == 1
    assert same(found[1], arrays(1))


def test_what_is_no_plain_array_is_refused(store: Store, entry: Maker) -> None:
    claim = store.claim("fraud")
    claim.commit(entry(1))
    with pytest.raises(TallystickError, match="arrays of numbers"):
        claim.save_snapshot(1, {"a": np.array([{}], object)})
    with pytest.raises(TallystickError, match="no entry 2 yet"):
        claim.save_snapshot(2, {})
    assert store.snapshot("fraud") is None
