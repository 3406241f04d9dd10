"""What every store does, whatever database it lies in."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from tallystick.errors import TallystickError
from tallystick.store import Entry, LeaseHeldError, LeaseLostError, Store

Maker = Callable[..., Entry]


def test_what_is_committed_is_read_again(store: Store, entry: Maker, bad: Callable[..., pa.Table]) -> None:
    assert store.head("fraud") is None
    claim = store.claim("fraud")
    first = entry(1, rows=300, bad=bad(2), duplicates=4, marks={"out.csv": (0, None)})
    second = entry(2, rows=0)
    third = entry(3, positions={"other.csv": {"at": 9}}, marks={"out.csv": (2, {"length": 7})})
    for one in (first, second, third):
        claim.commit(one)

    head = store.head("fraud")
    assert head is not None
    assert (head.number, head.rows, head.duplicates, head.quarantined) == (3, 303, 4, 2)
    assert head.positions == {"pay.csv": {"at": 2}, "other.csv": {"at": 9}}
    assert head.marks == {"out.csv": (2, {"length": 7})}

    read = list(store.entries("fraud"))
    assert [(one.number, one.at) for one in read] == [(1, first.at), (2, second.at), (3, third.at)]
    assert all(a.events.equals(b.events) for a, b in zip(read, (first, second, third), strict=True))
    assert [one.number for one in store.entries("fraud", after=2)] == [3]
    assert list(store.entries("fraud", after=3)) == []

    decisions = list(store.decisions("fraud", 0, first.decisions.schema))
    assert [number for number, _ in decisions] == [1, 2, 3]
    for (_, batch), one in zip(decisions, (first, second, third), strict=True):
        assert batch.to_pylist() == one.decisions.to_pylist()
        assert batch.schema.equals(one.decisions.schema)
    assert store.quarantine("fraud").equals(first.bad)
    assert store.quarantine("fraud", most=1).equals(first.bad.slice(1))


def test_decisions_come_in_pages_of_whole_entries(store: Store, entry: Maker, schema: pa.Schema) -> None:
    claim = store.claim("fraud")
    for number in range(1, 8):
        claim.commit(entry(number, rows=number % 4))
    narrow = pa.schema([schema.field("id"), schema.field("sequence")])
    for most in (1, 3, 100):
        got = [(n, batch["id"].to_pylist()) for n, batch in store.decisions("fraud", 2, narrow, most=most)]
        assert got == [(n, [f"e{n}-{i}" for i in range(n % 4)]) for n in range(3, 8)]


def test_streams_and_tenants_know_nothing_of_each_other(store: Store, uri: str, entry: Maker) -> None:
    store.claim("fraud").commit(entry(1))
    with Store.open(uri, tenant="other") as other:
        assert other.head("fraud") is None
        other.claim("fraud").commit(entry(1, rows=5))
        assert store.head("complaints") is None
        assert len(next(store.entries("fraud")).events) == 3
        assert len(next(other.entries("fraud")).events) == 5


def test_an_entry_out_of_turn_is_refused_whole(store: Store, entry: Maker) -> None:
    claim = store.claim("fraud")
    claim.commit(entry(1))
    for number in (1, 3):
        with pytest.raises(TallystickError, match="cannot follow entry 1"):
            claim.commit(entry(number))
    assert [one.number for one in store.entries("fraud")] == [1]
    claim.commit(entry(2))


def test_an_error_in_the_middle_leaves_nothing(store: Store, entry: Maker) -> None:
    claim = store.claim("fraud")
    broken = entry(1, marks={"out.csv": (1, {"length": float("nan")})})
    with pytest.raises(ValueError, match="JSON"):
        claim.commit(broken)
    assert list(store.entries("fraud")) == []
    assert list(store.decisions("fraud", 0, broken.decisions.schema)) == []
    claim.commit(entry(1))


def test_a_second_writer_is_refused_until_the_first_lets_go(store: Store, uri: str, entry: Maker) -> None:
    claim = store.claim("fraud")
    with Store.open(uri) as other:
        with pytest.raises(
            LeaseHeldError, match=r'The stream "fraud" in .* is held by process \d+ on .* until'
        ):
            other.claim("fraud")
        claim.commit(entry(1))
        claim.release()
        claim.release()
        head = other.head("fraud")
        assert head is not None
        assert head.holder is None
        second = other.claim("fraud")
        assert second.fence == claim.fence + 1
        second.commit(entry(2))


def test_whoever_was_taken_over_writes_nothing(store: Store, uri: str, entry: Maker) -> None:
    claim = store.claim("fraud", lease=0.05)
    claim.commit(entry(1))
    threading.Event().wait(0.1)
    with Store.open(uri) as other:
        second = other.claim("fraud")
        for write in (
            lambda: claim.commit(entry(2)),
            lambda: claim.mark({"out.csv": (1, None)}),
            lambda: claim.remember(a=1),
            lambda: claim.renew(),
            lambda: claim.save_snapshot(1, {"a": np.zeros(3)}),
        ):
            with pytest.raises(LeaseLostError, match="taken over by process"):
                write()
        claim.release()  # takes nothing from the other one
        second.commit(entry(2, rows=7))
    head = store.head("fraud")
    assert head is not None
    assert (head.number, head.marks, head.facts, store.snapshot("fraud")) == (2, {}, {}, None)
    assert [len(one.events) for one in store.entries("fraud")] == [3, 7]


@pytest.mark.parametrize("how", ["commit", "mark", "renew"])
def test_every_write_holds_the_stream_on(store: Store, uri: str, entry: Maker, how: str) -> None:
    claim = store.claim("fraud", lease=1.0)
    with Store.open(uri) as other:
        for number in range(1, 4):
            threading.Event().wait(0.4)
            if how == "commit":
                claim.commit(entry(number))
            elif how == "mark":
                claim.mark({"out": (0, None)})
            else:
                claim.renew()
        with pytest.raises(LeaseHeldError):
            other.claim("fraud")


def test_facts_and_marks_are_kept_one_by_one(store: Store) -> None:
    claim = store.claim("fraud")
    claim.remember(zone="UTC", windows="abc")
    claim.remember(windows="def", name="\udcff")
    claim.mark({"a": (3, None), "b": (1, {"x": [1]})})
    claim.mark({"a": (4, {"y": 2})})
    head = store.head("fraud")
    assert head is not None
    assert head.facts == {"zone": "UTC", "windows": "def", "name": "\udcff"}
    assert head.marks == {"a": (4, {"y": 2}), "b": (1, {"x": [1]})}
    claim.forget("b", "c")
    head = store.head("fraud")
    assert head is not None
    assert set(head.marks) == {"a"}


def test_notices_wait_are_tried_again_and_given_up(store: Store, entry: Maker) -> None:
    claim = store.claim("fraud")
    one = entry(1, notices=[("desk", {"id": "a"}), ("desk", {"id": "b"}), ("mail", {"id": "c"})])
    claim.commit(one)
    assert store.due("fraud", one.at - 1) == []
    found = store.due("fraud", one.at)
    assert [(n.channel, n.payload, n.tries, n.created) for n in found] == [
        ("desk", {"id": "a"}, 0, one.at),
        ("desk", {"id": "b"}, 0, one.at),
        ("mail", {"id": "c"}, 0, one.at),
    ]
    assert len(store.due("fraud", one.at, most=2)) == 2
    a, b, c = (n.id for n in found)
    store.settle("fraud", done=[a], failed=[(b, one.at + 100, "no answer")], dead=[(c, "no such address")])
    assert store.due("fraud", one.at + 99) == []
    assert [(n.id, n.tries) for n in store.due("fraud", one.at + 100)] == [(b, 1)]
    store.settle("fraud", failed=[(b, one.at + 200, "")])  # held back: no try, no failure
    assert store.due("fraud", one.at + 199) == []
    assert [(n.id, n.tries) for n in store.due("fraud", one.at + 200)] == [(b, 1)]


def test_threads_share_a_claim(store: Store, entry: Maker) -> None:
    """One commits, one marks, one puts snapshots away, one sends, and one reads what is there."""
    claim = store.claim("fraud")
    claim.commit(entry(1))
    over, errors = threading.Event(), []
    state = {"a": np.arange(700_000)}

    def again(work: Callable[[], object]) -> threading.Thread:
        def loop() -> None:
            try:
                while not over.wait(0.002):
                    work()
            except Exception as error:
                errors.append(error)

        return threading.Thread(target=loop)

    def send() -> None:
        store.settle("fraud", done=[n.id for n in store.due("fraud", 2**60)])

    def read() -> None:
        numbers = [one.number for one in store.entries("fraud")]
        assert numbers == list(range(1, len(numbers) + 1))

    def put_away() -> None:
        head = store.head("fraud")
        assert head is not None
        claim.save_snapshot(head.number, state)

    def mark() -> None:
        claim.mark({"out": (1, None)})

    threads = [again(work) for work in (send, read, put_away, mark, claim.renew)]
    for thread in threads:
        thread.start()
    for number in range(2, 60):
        claim.commit(entry(number, notices=[("desk", {"n": number})]))
    over.set()
    for thread in threads:
        thread.join(30)
    assert errors == []
    found = store.snapshot("fraud")
    assert found is not None
    assert np.array_equal(found[1]["a"], state["a"])
    head = store.head("fraud")
    assert head is not None
    assert head.number == 59


@pytest.mark.parametrize("hard", ["a\n\\.\nb", "a\r\\.\r", 'q"uo,te\\', "", "\\N", "\u2028é\U0001f600\t"])
def test_hard_texts_come_back(store: Store, entry: Maker, bad: Callable[..., pa.Table], hard: str) -> None:
    claim = store.claim("fraud")
    one = entry(1, bad=bad(2, hard))
    ids = pa.array([hard, None, "plain"])
    decisions = one.decisions.set_column(0, one.decisions.schema.field("id"), ids)
    claim.commit(replace(one, decisions=decisions))
    ((_, batch),) = store.decisions("fraud", 0, decisions.schema)
    assert batch.to_pylist() == decisions.to_pylist()
    assert store.quarantine("fraud").equals(one.bad)


def test_a_text_with_a_nul_stops_no_stream(store: Store, entry: Maker, bad: Callable[..., pa.Table]) -> None:
    """PostgreSQL has no such texts; what stands there instead is the sign for an unknown character."""
    claim = store.claim("fraud")
    claim.commit(entry(1, bad=bad(1, "a\0b")))
    assert store.quarantine("fraud")["value"].to_pylist() in (["a\0b"], ["a\ufffdb"])
