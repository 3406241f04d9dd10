import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from tallystick.windows.deduplicator import FRESH, NO_TIME, OUTSIDE, Deduplicator, _check

rows = st.lists(
    st.tuples(
        st.one_of(st.none(), st.text("ab\u00e9\U0001f600", max_size=3)),
        st.one_of(st.integers(0, 400), st.just(NO_TIME)),
    ),
    max_size=60,
)


def check(seen: Deduplicator, given_rows: list[tuple[str | None, int]], first: int = 0) -> list[int]:
    keys = pa.array([key for key, _ in given_rows], pa.string())
    times = np.array([time for _, time in given_rows], np.int64)
    return seen.check(keys, times, np.arange(first, first + len(given_rows))).tolist()


def plainly(given_rows: list[tuple[str | None, int]], horizon: int | None) -> list[int]:
    """The same by definition: compare with every record that stayed."""
    kept: list[tuple[str, int, int]] = []
    out = []
    for place, (key, time) in enumerate(given_rows):
        found = [
            number
            for other, then, number in kept
            if other == key and (horizon is None or NO_TIME in (time, then) or abs(time - then) <= horizon)
        ]
        out.append(FRESH if key is None or not found else -3)
        if key is not None and not found:
            kept.append((key, time, place))
        if key is not None and found:
            out[-1] = found[0] if len(found) == 1 else -3
    return out


@given(rows, st.sampled_from([None, 0, 50, 1000]), st.integers(0, 60))
def test_it_says_what_comparing_with_all_that_stayed_says(
    some: list[tuple[str | None, int]], horizon: int | None, cut: int
) -> None:
    seen = Deduplicator(horizon)
    got = check(seen, some[:cut])
    got += check(Deduplicator.load(seen.arrays()), some[cut:], cut)
    for ours, theirs in zip(got, plainly(some, horizon), strict=True):
        assert (ours == theirs) if theirs != -3 else ours >= 0  # several are near: any of them is right


@given(st.lists(st.tuples(st.sampled_from("abcdefghijklmnopqrstuvwx"), st.integers(0, 400)), max_size=120))
def test_keys_that_still_matter_outlive_the_making_of_room(some: list[tuple[str, int]]) -> None:
    seen, kept, newest = Deduplicator(horizon=50), [], 0
    seen._table = seen._table[:8].copy()  # room is made often
    for place, (key, time) in enumerate(some):
        (got,) = check(seen, [(key, time)], place)
        near = [number for other, then, number in kept if other == key and abs(time - then) <= 50]
        if got == OUTSIDE:
            assert time < newest - 50
        elif got == FRESH:
            assert not near
            kept.append((key, time, place))
            newest = max(newest, time)
        else:
            assert got in near
    again = Deduplicator.load(seen.arrays())
    assert (len(again), again.nbytes) == (len(seen), seen.nbytes)
    assert check(again, some) == check(seen, some)


def test_what_it_gives_and_takes_is_its_own() -> None:
    seen = Deduplicator(horizon=None)
    check(seen, [("a", 0)])
    kept = seen.arrays()
    again = Deduplicator.load(seen.arrays(copy=False))
    check(seen, [("b", 0)])
    assert (len(again), check(again, [("b", 0)])) == (1, [FRESH])
    assert check(Deduplicator.load(kept), [("a", 0), ("b", 0)]) == [0, FRESH]


def test_entries_without_what_is_empty_are_read_as_well() -> None:
    seen = Deduplicator(horizon=7)
    some = [(str(number), number) for number in range(3000)]
    check(seen, some)
    arrays = seen.arrays()
    arrays["entries"] = arrays["entries"][arrays["entries"][:, 0] != 0]  # as earlier versions kept them
    again = Deduplicator.load(arrays)
    assert (len(again), again.nbytes) == (len(seen), seen.nbytes)
    assert check(again, some) == check(seen, some)


def test_room_is_made_in_place_while_less_than_three_quarters_of_the_keys_matter() -> None:
    seen, rooms = Deduplicator(horizon=7_800), []
    for start in range(0, 200_000, 1000):
        times = np.arange(start, start + 1000)
        seen.check(pa.array(times).cast(pa.string()), times, times)
        rooms.append(seen.nbytes)
    assert set(rooms[20:]) == {32 * 2**15}  # 15,600 matter of 21,845 that have room


def test_old_keys_are_let_go_and_what_is_too_old_to_tell_is_said() -> None:
    seen = Deduplicator(horizon=1_000)
    for start in range(0, 200_000, 500):
        keys = [f"k{i}" for i in range(start, start + 500)]
        times = np.arange(start, start + 500)
        assert (seen.check(pa.array(keys), times, times) == FRESH).all()
        assert (seen.check(pa.array(keys), times, times) == times).all()
    assert len(seen) < 10_000
    assert seen.nbytes < 2_000_000
    assert check(seen, [("k5", 5), ("k5", 199_900)]) == [OUTSIDE, FRESH]


def test_without_a_horizon_nothing_is_let_go() -> None:
    seen = Deduplicator(None)
    keys = pa.array([f"k{i}" for i in range(5000)])
    times = np.arange(-2500, 2500) * 10**12  # before 1970 too
    assert (seen.check(keys, times, np.arange(5000)) == FRESH).all()
    assert (seen.check(keys, times, np.arange(5000)) == np.arange(5000)).all()
    assert len(seen) == 5000
    assert seen.find(pa.array(["k4999", "x", None])).tolist() == [4999, FRESH, FRESH]


def test_wide_texts_and_slices_read_alike() -> None:
    seen = Deduplicator(None)
    keys = pa.array(["x", "yy", None, "zzz"])
    assert seen.check(keys.slice(1), np.zeros(3, np.int64), np.arange(3)).tolist() == [FRESH] * 3
    assert seen.find(keys.cast(pa.large_string())).tolist() == [FRESH, 0, FRESH, 2]


def test_times_that_may_be_written_to_want_no_kernel_of_their_own() -> None:
    # What is compiled ahead is what a restart needs.
    keys, places, ours = pa.array(["a", "b"]), np.arange(2), np.array([0, 5])
    theirs = ours.copy()
    theirs.flags.writeable = False
    known = set()
    for times in (ours, theirs):
        Deduplicator(None).check(keys, times, places)
        known.add(tuple(_check.signatures))
    assert len(known) == 1
    assert ours.flags.writeable
