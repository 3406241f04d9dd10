import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick import registry
from tallystick.engines import duplicates

ROWS = st.lists(st.tuples(st.sampled_from("abc"), st.none() | st.integers(-2, 2)), max_size=14)


def slow(rows: list[tuple[str, int | None]]) -> dict[int, int]:
    """For each duplicate's place the place that stays, by looking at every pair."""
    found = {}
    for place, (key, _) in enumerate(rows):
        same = [(t is None, t or 0, p) for p, (k, t) in enumerate(rows) if k == key]
        first = min(same)[2]
        if place != first:
            found[place] = first
    return found


@pytest.mark.parametrize("name", registry.names("engines"))
@given(rows=ROWS)
def test_every_engine_keeps_the_first_by_time_then_place(name: str, rows: list) -> None:
    engine = registry.engine(name)
    table = pa.table(
        {
            "key": pa.array([k for k, _ in rows], pa.string()),
            "time": pa.array([t for _, t in rows], pa.int64()),
            "place": pa.array(range(len(rows)), pa.int64()),
        }
    )
    found = engine.collect(duplicates(engine.table(table)))
    assert dict(zip(*found.to_pydict().values(), strict=True)) == slow(rows)
