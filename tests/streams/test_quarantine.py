"""Clean records that a stream sets apart, as rows of the quarantine."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from tallystick.streams.quarantine import UNKNOWN, quarantined_records


def test_a_value_that_is_not_there_is_no_word() -> None:
    rows = pa.record_batch({"transaction_id": pa.array(["a", None])})
    apart = quarantined_records(rows, "labels", np.array([3, 4]), UNKNOWN, "transaction_id")
    assert apart["value"].to_pylist() == ["a", None]
    assert apart["row"].to_pylist() == [3, 4]
