import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick import registry
from tallystick.engines import duplicates, repeated

ROWS = st.lists(st.tuples(st.sampled_from("abc"), st.none() | st.integers(-2, 2)), max_size=14)


def slow(rows: list[tuple[str, int | None]], horizon: int | None) -> dict[int, int]:
    """For each duplicate's place the place that stays, by going through them in order."""
    found: dict[int, int] = {}
    kept: list[tuple[str, int | None, int]] = []
    order = sorted((t is None, t or 0, p) for p, (_, t) in enumerate(rows))
    for _, _, place in order:
        key, time = rows[place]
        near = [
            p
            for k, t, p in kept
            if k == key and (horizon is None or t is None or time is None or abs(time - t) <= horizon)
        ]
        if near:
            found[place] = near[0]
        else:
            kept.append((key, time, place))
    return found


@pytest.mark.parametrize("name", registry.names("engines"))
@given(rows=ROWS, horizon=st.sampled_from([None, 0, 1, 3]))
def test_every_engine_keeps_the_first_by_time_then_place(name: str, rows: list, horizon: int | None) -> None:
    engine = registry.engine(name)
    table = pa.table(
        {
            "key": pa.array([k for k, _ in rows], pa.string()),
            "time": pa.array([t for _, t in rows], pa.int64()),
            "place": pa.array(range(len(rows)), pa.int64()),
        }
    )
    found = duplicates(engine.collect(repeated(engine.table(table))), horizon)
    ours, theirs = dict(zip(*found.to_pydict().values(), strict=True)), slow(rows, horizon)
    assert ours.keys() == theirs.keys()
    # A record without a time repeats all others of its key; the last that stays is named.
    assert all(ours[p] == theirs[p] or rows[p][1] is None for p in ours)
