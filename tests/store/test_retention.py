"""Retention removes what is old, and never what is still needed."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tallystick.errors import TallystickError
from tallystick.store import Entry, Store

Maker = Callable[..., Entry]
DAY = 19_724  # of an entry with `day=0`
STATE = {"a": np.zeros(2)}


def numbers(store: Store, stream: str = "fraud") -> list[int]:
    return [one.number for one in store.entries(stream)]


def cleared(store: Store, before: int, most: int = 10_000) -> int:
    """Clear until nothing goes any more."""
    total = 0
    while count := store.clear("fraud", before, most):
        total += count
    return total


def test_days_before_go_with_all_that_came_of_them(
    store: Store, entry: Maker, schema: pa.Schema, bad: Callable[..., pa.Table]
) -> None:
    claim = store.claim("fraud")
    for number, day in enumerate([0, 0, 1, 2, 2], 1):
        claim.commit(entry(number, rows=4, day=day, bad=bad(1), notices=[("desk", {"n": number})]))
    sent, *_, failing = store.due("fraud", 2**60)
    store.settle("fraud", done=[sent.id], failed=[(failing.id, 2**59, "no")])
    assert cleared(store, DAY + 2) == 1  # without a snapshot the log is all there is; the notice was sent
    assert numbers(store) == [1, 2, 3, 4, 5]

    claim.save_snapshot(5, STATE)
    assert cleared(store, DAY + 2) == 3 * (1 + 4 + 1)
    assert numbers(store) == [4, 5]
    assert [number for number, _ in store.decisions("fraud", 0, schema)] == [4, 5]
    assert len(store.quarantine("fraud")) == 2
    assert [n.payload["n"] for n in store.due("fraud", 2**60)] == [2, 3, 4, 5]
    with pytest.raises(TallystickError, match="lacks entry 1"):
        list(store.entries("fraud", whole=True))
    claim.commit(entry(6, day=2))
    assert [one.number for one in store.entries("fraud", after=5, whole=True)] == [6]


def test_small_steps_take_whole_entries(store: Store, entry: Maker) -> None:
    store.claim("other").commit(entry(1))  # not alone in that day: PostgreSQL, too, goes row by row
    claim = store.claim("fraud")
    for number in range(1, 6):
        claim.commit(entry(number, rows=4))
    claim.save_snapshot(5, STATE)
    for left in ([3, 4, 5], [5], []):
        assert 0 < store.clear("fraud", DAY + 1, most=10) <= 10
        assert numbers(store) == left
    assert store.clear("fraud", DAY + 1, most=10) == 0
    assert numbers(store, "other") == [1]


def test_an_entry_that_is_larger_than_a_step_goes_too(store: Store, entry: Maker) -> None:
    claim = store.claim("fraud")
    claim.commit(entry(1, rows=40))
    claim.save_snapshot(1, STATE)
    assert cleared(store, DAY + 1, most=5) == 41


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_what_is_needed_stays(store: Store, entry: Maker, schema: pa.Schema, data: st.DataObject) -> None:
    """Whatever was committed, put away and delivered: all from the older snapshot and the slowest sink on."""
    stream = uuid.uuid4().hex
    claim = store.claim(stream)
    days = sorted(data.draw(st.lists(st.integers(0, 4), min_size=1, max_size=8)))
    for number, day in enumerate(days, 1):
        claim.commit(entry(number, rows=2, day=day))
    count = len(days)
    taken = sorted(data.draw(st.sets(st.integers(1, count), max_size=3)))
    for number in taken:
        claim.save_snapshot(number, STATE)
    marks = data.draw(st.dictionaries(st.sampled_from("ab"), st.integers(0, count)))
    claim.mark({name: (number, None) for name, number in marks.items()})
    before = data.draw(st.integers(0, 6))
    while store.clear(stream, DAY + before, data.draw(st.sampled_from([1, 5, 100]))):
        pass
    last_removable = min([taken[-2:][0] if taken else 0, *marks.values()])
    expected = [n for n, day in enumerate(days, 1) if n > last_removable or day >= before]
    assert numbers(store, stream) == expected
    assert [n for n, _ in store.decisions(stream, 0, schema)] == expected
    claim.commit(entry(count + 1, rows=1, day=days[0]))  # an old clock, or a day that is gone
    assert numbers(store, stream) == [*expected, count + 1]
