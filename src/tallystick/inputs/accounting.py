"""The account of one pass over an input: counts that add up, bad rows put aside, duplicates found."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tallystick.connectors import Sink, TablePlace, open_sink
from tallystick.connectors.notes import Notes
from tallystick.contracts import QUARANTINE, Report
from tallystick.engines import Engine, duplicates, repeated
from tallystick.inputs.work import FILE_BITS, ChunkResult, SkippedRecords

__all__ = ["DUPLICATES", "DuplicatesFound", "RowAccounting"]

HISTORY = "(history)"
#: One line for each duplicate: its key and place, and the place of the record that stays.
DUPLICATES = pa.schema(
    [
        ("key", pa.string()),
        ("file", pa.string()),
        ("row", pa.int64()),
        ("kept_file", pa.string()),
        ("kept_row", pa.int64()),
    ]
)


class DuplicatesFound(Exception):  # noqa: N818 - a signal to go through the input again, not an error
    """Duplicates were found after records had been written: they are to be left out in a second pass."""

    def __init__(self, found: pa.Table) -> None:
        super().__init__(f"{len(found)} duplicates")
        self.found = found

    @property
    def skip(self) -> SkippedRecords:
        """The duplicates by file."""
        files = self.found.column("file").to_numpy(zero_copy_only=False)
        rows = self.found.column("row").to_numpy()
        return {name: rows[files == name] for name in dict.fromkeys(files)}

    def write(self, path: Path | TablePlace) -> None:
        """Name each duplicate in a file."""
        with open_sink(path, DUPLICATES) as sink:
            for batch in self.found.to_batches():
                sink.write(batch)


class RowAccounting:
    """Used as a context manager: the quarantine file stays also where an input is refused in the end.

    files: the names of the input's files, sorted; horizon: how far apart in time (microseconds) two records
    of one key are duplicates, None: however far; earlier: keys of what came before, with `time` and `record`.
    """

    def __init__(
        self,
        files: Sequence[str],
        engine: Engine,
        quarantine: Path | TablePlace | None,
        skip: SkippedRecords,
        *,
        horizon: int | None = None,
        earlier: pa.Table | None = None,
        asked: bool = False,
    ) -> None:
        self.again: NDArray[np.int64] = np.empty(0, np.int64)
        self._engine, self._quarantine, self._files = engine, quarantine, files
        self._report = Report(
            rows_in=sum(map(len, skip.values())), rows_duplicate=sum(map(len, skip.values()))
        )
        self._asked, self._horizon, self._earlier = asked, horizon, earlier
        self._bad: Sink | None = None
        self._notes = Notes()
        self._keys: list[pa.Table] = []
        self._found: tuple[pa.Table, pa.Table]

    def __enter__(self) -> RowAccounting:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bad is not None:
            self._bad.__exit__(kind, error, trace)
        elif kind is None and self._quarantine is not None:
            # An older run's bad rows would be taken for this one's: a file that was asked for is emptied, one
            # that stands beside the output by our own rule goes.
            if self._asked:
                with open_sink(self._quarantine, QUARANTINE):
                    pass
            else:
                self._quarantine.unlink(missing_ok=True)

    def add(self, result: ChunkResult[Any]) -> None:
        """Take the account of a chunk; chunks come in order."""
        before = self._report.rows_clean
        self._report += result.report
        self._notes.add(result.notes)
        if result.bad is not None:
            self._put_aside(result.bad)
        if result.keys is not None:
            row = pc.add(result.keys.column("row"), before)
            self._keys.append(result.keys.set_column(result.keys.num_columns - 1, "row", row))

    def settle(self, notes: Sequence[str], *, must_know: bool) -> None:
        """Find the duplicates; `must_know`: raise DuplicatesFound where any was written already."""
        said = [*notes, *self._notes.lines()]
        if self._bad is not None:
            said.append(f"The bad rows are in {self._quarantine}.")
        self._report += Report(notes=tuple(said))
        if not self._keys:
            return
        keys = pa.concat_tables(self._keys)
        if self._earlier is not None:
            place = pa.array((np.int64(-1) << FILE_BITS) | self._earlier.column("record").to_numpy())
            before = self._earlier.drop_columns("record").append_column("place", place)
            before = before.append_column("row", pa.nulls(len(before), pa.int64()))
            keys = pa.concat_tables([before.select(keys.column_names), keys])
        several = self._engine.collect(repeated(self._engine.table(keys.drop_columns("row"))))
        found = duplicates(several, self._horizon)
        if self._earlier is not None:
            found = _before_wins(found)
        if not len(found):
            return
        if must_know:
            raise DuplicatesFound(self._named(keys, found))
        self._found = keys, found
        places = keys.column("place").to_numpy()
        twice = np.isin(places, found.column("place").to_numpy())
        self.again = keys.column("row").filter(pa.array(twice)).to_numpy()
        known = int((found.column("kept").to_numpy() < 0).sum())
        if known:
            self._report += Report(notes=(f"In the history already, and passed over here: {known:,} rows.",))
        self._report = self._report.moved_to_duplicates(len(self.again))

    def write_duplicates(self, path: Path | TablePlace) -> None:
        """Name each duplicate that was found in a file."""
        DuplicatesFound(self._named(*self._found)).write(path)

    @property
    def put_aside(self) -> bool:
        """Whether there is a file of bad rows."""
        return self._bad is not None

    def report(self) -> Report:
        """Return the account so far."""
        return self._report

    def _put_aside(self, bad: pa.Table) -> None:
        if self._bad is None:
            assert self._quarantine is not None
            self._bad = open_sink(self._quarantine, QUARANTINE).__enter__()
        for batch in bad.to_batches():
            self._bad.write(batch)

    def _named(self, keys: pa.Table, found: pa.Table) -> pa.Table:
        """Say where the duplicates are, in words of files and rows."""
        files = np.array([*self._files, HISTORY], dtype=object)  # -1, the last, is what came before
        places, kept = found.column("place").to_numpy(), found.column("kept").to_numpy()
        known = keys.column("place").to_numpy()
        order = np.argsort(known)
        key = keys.column("key").take(pa.array(order[np.searchsorted(known, places, sorter=order)]))
        low = (np.int64(1) << FILE_BITS) - 1
        return pa.table(
            [
                key,
                pa.array(files[places >> FILE_BITS]),
                places & low,
                pa.array(files[kept >> FILE_BITS]),
                kept & low,
            ],
            schema=DUPLICATES,
        )


def _before_wins(found: pa.Table) -> pa.Table:
    """Let a record that came before stay, also where one of the input is of an earlier time."""
    place, kept = found.column("place").to_numpy(), found.column("kept").to_numpy()
    stays = {of: by for by, of in zip(place.tolist(), kept.tolist(), strict=True) if by < 0 <= of}
    if not stays:
        return found.filter(pa.array(place >= 0))
    pairs = [(p, stays.get(k, k)) for p, k in zip(place.tolist(), kept.tolist(), strict=True) if p >= 0]
    pairs = sorted([*pairs, *stays.items()])
    return pa.table({"place": [p for p, _ in pairs], "kept": [k for _, k in pairs]})
