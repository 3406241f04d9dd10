import datetime as dt

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from tallystick.connectors.render import _json_by_python, json_lines, plain, text

ROUTE = pa.struct(
    [("name", pa.string()), ("due", pa.timestamp("us", tz="UTC")), ("inner", pa.struct([("n", pa.int64())]))]
)
MOMENTS = st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2200, 1, 1), timezones=st.just(dt.UTC))
ROUTES = st.none() | st.fixed_dictionaries(
    {
        "name": st.none() | st.text(max_size=8),
        "due": st.none() | MOMENTS,
        "inner": st.none() | st.fixed_dictionaries({"n": st.none() | st.integers(-9, 9)}),
    }
)


@given(st.lists(ROUTES, max_size=8), st.integers(0, 3))
def test_structs_with_times_come_out_as_row_by_row(values: list, start: int) -> None:
    column = pa.array(values, ROUTE).slice(start)
    empty = pa.nulls(len(column), pa.map_(pa.string(), pa.int64()))
    batch = pa.RecordBatch.from_arrays([column, empty], names=["route", "sequence"])
    assert json_lines(batch) == _json_by_python(["route", "sequence"], [plain(column), empty])


def test_a_map_becomes_an_object() -> None:
    maps = pa.array([[("a", 1.5)], None, []], pa.map_(pa.string(), pa.float64()))
    assert text(maps).to_pylist() == ['{"a":1.5}', None, "{}"]
