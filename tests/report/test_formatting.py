"""Numbers as people read them: shares of a whole add up to it."""

from __future__ import annotations

import pytest

from tallystick.report.formatting import shares


@pytest.mark.parametrize(
    "counts", [[1, 1, 1], [1, 5, 0], [6225, 3775], [1, 99_999], [3, 3, 3, 3, 3, 3, 1], [1, 2_000_000, 7]]
)
def test_shares_of_a_table_add_up_to_100(counts):
    written = [float(one.removesuffix("\N{NO-BREAK SPACE}%")) for one in shares(counts)]
    assert sum(written) == pytest.approx(100, abs=1e-9)
    for count, value in zip(counts, written, strict=True):
        assert value == pytest.approx(100 * count / sum(counts), abs=0.1)
    assert all(value > 0 for count, value in zip(counts, written, strict=True) if count > sum(counts) / 1e6)
