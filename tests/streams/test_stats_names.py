"""The values of a column, told apart in the way that suits their number."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from tallystick.streams.batches import FEW
from tallystick.streams.stats_names import MANY, encode_names


@pytest.mark.parametrize("rows", [0, 1, FEW, FEW + 1, MANY + 1, 4 * MANY])
@pytest.mark.parametrize("rare", [0.0, 0.01, 0.5])
def test_a_column_is_told_apart_in_every_way_alike(rows: int, rare: float) -> None:
    rng = np.random.default_rng(rows)
    values = [
        None if one > 2 else f"n{one}"
        for one in np.where(rng.random(rows) < rare, rng.integers(1, 4, rows), 0)
    ]
    # A slice, as a commit may be one of a larger batch.
    seen = encode_names(pa.array(["x", *values, "y"], pa.string()).slice(1, rows))
    named = ["(none)" if value is None else value for value in values]
    assert [seen.names[code] for code in seen.full()] == named
    assert dict(zip(seen.names, seen.counts().tolist(), strict=True)) == {n: named.count(n) for n in named}
    for wanted in {*named, "n0"}:
        mask = np.array([name == wanted for name in seen.names], np.bool_)
        if mask.any():
            assert seen.where(mask).tolist() == [i for i, name in enumerate(named) if name == wanted]
