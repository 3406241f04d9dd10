"""Values that stand in very many rows of a key or a person: often a placeholder, such as customer 0."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["frequent_values"]

SAMPLE: Final = 8_192  # rows of a chunk that are looked at
LEAST: Final = 1_000  # in fewer rows a share says little
SHARE: Final = 0.01
TIMES: Final = 10  # as often as the mean value: where there are few values, each holds much


def frequent_values(rows: pa.RecordBatch, columns: Iterable[str]) -> Iterator[tuple[str, int]]:
    """Yield a note, for `Notes.add`, of each value that stands in over 1 % of the rows of a column.

    >>> rows = pa.record_batch({"card": ["0"] * 30 + [f"C{i}" for i in range(970)]})
    >>> list(frequent_values(rows, ["card"]))
    [('card: {n} rows have the value "0". If that means missing: --set placeholders=0.', 30)]
    """
    for name in columns:
        if name not in rows.schema.names or len(rows) < LEAST:
            continue
        known = rows.column(name).slice(0, SAMPLE).drop_null()
        if not pa.types.is_string(known.type) or not len(known):
            continue
        values, counts = pc.value_counts(known).flatten()
        most = max(SHARE * min(len(rows), SAMPLE), TIMES * len(known) / len(values))
        for value in values.filter(pc.greater(counts, most)).to_pylist():
            count = int(pc.equal(rows.column(name), value).true_count)
            shown = value.replace("{", "{{").replace("}", "}}")
            words = f'{name}: {{n}} rows have the value "{shown}".'
            yield f"{words} If that means missing: --set placeholders={shown}.", count
