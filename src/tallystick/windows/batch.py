"""Clean rows as the cells that the kernel reads: one row of int64 words for each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tallystick.calendar import derived
from tallystick.contracts.currencies import digits
from tallystick.errors import UsageError, did_you_mean
from tallystick.windows.hashes import hashes
from tallystick.windows.keys import Codes, codes_of
from tallystick.windows.layout import C_BITS, C_CURRENCY, C_TIME, NEVER, NO_VALUE
from tallystick.windows.plan import Plan
from tallystick.windows.prefetch import aligned

__all__ = ["Batch", "BatchReader", "Labels"]

#: For each row whether it is a label event; or the code of its label, 0 for an event.
Labels = NDArray[np.bool_] | NDArray[np.int64]

_TIME: Final = pa.timestamp("us", tz="UTC")
_CALENDAR: Final = {"hour", "weekday", "night", "weekend"}


class BatchReader:
    """Reads batches; it knows the currencies so far.

    event_time: the column of times; currency_column: that of currencies, None where there are no amounts;
    currency: of amounts that name none; scales: float64, minor units in a major one, for each of
    `currencies`.
    """

    def __init__(
        self,
        event_time: str,
        currency_column: str | None,
        zone: str,
        currency: str,
        currencies: list[str] | None = None,
    ) -> None:
        self.event_time, self.currency_column = event_time, currency_column
        self.zone, self.currency = zone, currency
        self.currencies = currencies or [currency]
        self.scales = np.array([10.0 ** digits(one) for one in self.currencies])

    def codes(self, names: tuple[str, ...]) -> NDArray[np.int64]:
        """Return the number of each currency; a new one gets the next."""
        for name in names:
            if name not in self.currencies:
                self.scales = np.append(self.scales, 10.0 ** digits(name))
                self.currencies.append(name)
        return np.array([self.currencies.index(name) for name in names], np.int64)


class Batch:
    """One batch, read column by column, each once for all parts of a state.

    labels: for each row the code of its label, 0 for an event (a bool array: of the first label);
    condition_inputs: features of each row that conditions read; columns: those of the rows that are at hand.
    """

    def __init__(
        self,
        reader: BatchReader,
        rows: pa.RecordBatch,
        labels: Labels | None,
        columns: Mapping[str, pa.Array],
    ) -> None:
        self.reader, self.rows, self.n = reader, rows, rows.num_rows
        self.labels = None if labels is None or not labels.any() else labels
        self.condition_inputs: dict[str, NDArray[np.float64]] = {}
        self._columns = dict(columns)
        self._codes: dict[str, Codes] = {}
        self._values: dict[str, NDArray[Any]] = {}
        # Python's cached_property takes a lock: for one row that is much.
        self._times: NDArray[np.int64] | None = None
        self._currencies: NDArray[np.int64] | None = None

    def conditions(self, plan: Plan) -> NDArray[np.int64]:
        """Return the bits of each row: bit 0 for an event, the others for conditions as they come to hold.

        A condition holds of an event by what was known when it came (no label yet), and of a label event when
        it holds now and did not then.
        """
        labels = self.labels
        if not plan.conditions:
            return self._events()
        values = self._looked_at(plan)
        none = np.zeros(self.n, bool)
        kinds = "".join([values[name].dtype.kind for name in plan.looked_at])
        # What holds of label events alone is asked of events once, to see that it can be asked.
        known = labels is None and kinds in plan.judged
        alone = labels is None and self.n == 1  # without arrays
        bits: Any = 1 if alone else self._events()
        for bit, condition in enumerate(plan.conditions, 1):
            if known and plan.of_labels_alone[bit - 1]:
                continue
            names = plan.label_names[bit - 1]
            for name in names:
                values[name] = none
            holds = condition.holds(values)
            if labels is not None:
                if names:
                    for name in names:
                        values[name] = labels == plan.label_codes[name]
                    holds = np.where(labels != 0, condition.holds(values) & ~holds, holds)
                else:
                    holds = holds & (labels == 0)
            bits |= (int(holds.item()) if alone else holds.astype(np.int64)) << bit
        if "O" not in kinds:  # of objects each value is looked at
            plan.judged.add(kinds)
        return np.array([bits]) if alone else bits

    def _events(self) -> NDArray[np.int64]:
        """Return 1 for each event, 0 for each label event."""
        return np.ones(self.n, np.int64) if self.labels is None else (self.labels == 0).astype(np.int64)

    def _looked_at(self, plan: Plan) -> dict[str, NDArray[Any]]:
        """Return what a plan's conditions look at, labels aside."""
        values = self._values
        for name in plan.looked_at:
            if name in values:
                continue
            if name in _CALENDAR:
                values.update(derived(self.times, self.times != NEVER, self.reader.zone))
            elif name in self.condition_inputs:
                values[name] = self.condition_inputs[name]
            elif name in plan.money_columns:
                minor = self.money(name)
                values[name] = np.where(
                    minor == NO_VALUE, np.nan, minor / self.reader.scales[self.currencies]
                )
            else:
                values[name] = self.values(name)
        return values

    def column(self, name: str) -> pa.Array:
        """Return a column; UsageError where there is none."""
        if name in self._columns:
            return self._columns[name]
        place = self.rows.schema.get_field_index(name)
        if place < 0:
            raise UsageError(
                f'The windows need the column "{name}", which is not there.',
                did_you_mean(name, self.rows.schema.names) + " `restrict` leaves out what needs it.",
            )
        column = self._columns[name] = self.rows.column(place)
        return column

    def codes(self, name: str) -> Codes:
        """Return a text column as codes; each column is looked at once."""
        if name not in self._codes:
            self._codes[name] = codes_of(self.column(name))
        return self._codes[name]

    @property
    def times(self) -> NDArray[np.int64]:
        """Return event times in microseconds, NEVER where there is none."""
        if self._times is None:
            column = self.column(self.reader.event_time)
            if column.type != _TIME:
                column = column.cast(_TIME)
            self._times = _words(column, NEVER)
        return self._times

    @property
    def currencies(self) -> NDArray[np.int64]:
        """Return each row's currency as a number of the reader's."""
        if self._currencies is None:
            self._currencies = self._numbered()
        return self._currencies

    def _numbered(self) -> NDArray[np.int64]:
        column = self.reader.currency_column
        if column is None or self.rows.schema.get_field_index(column) < 0:
            return np.zeros(self.n, np.int64)
        numbers, names = self.codes(column)
        known = np.append(self.reader.codes(tuple(names)), self.reader.codes((self.reader.currency,)))
        return known[numbers]  # -1, no currency, is the last: the setting's

    def money(self, name: str) -> NDArray[np.int64]:
        """Return minor units, NO_VALUE where there are none."""
        column = self.column(name)
        if column.type != pa.int64():
            raise UsageError(
                f'The column "{name}" is declared as money, but holds {column.type}, not whole minor units.',
                "Leave it out of `money` in the declaration, or read it through its contract.",
            )
        return _words(column, NO_VALUE)

    def numbers(self, name: str) -> NDArray[np.float64]:
        """Return numbers, NaN where there are none."""
        column = self.column(name)
        if pa.types.is_string(column.type) or pa.types.is_timestamp(column.type):
            raise UsageError(f'"{name}" holds {column.type}, not numbers.', "Only count and distinct fit it.")
        found: NDArray[np.float64] = column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
        return found

    def hashes(self, name: str) -> NDArray[np.int64]:
        """Return hashes of texts, NO_VALUE where there is none."""
        numbers, texts = self.codes(name)
        found = hashes(texts)
        return found if self.n == len(texts) == 1 else np.append(found, NO_VALUE)[numbers]

    def values(self, name: str) -> NDArray[Any]:
        """Return a column as conditions take it: numbers, flags, or texts as objects."""
        column = self.column(name)
        if pa.types.is_boolean(column.type):
            return column.fill_null(False).to_numpy(zero_copy_only=False)  # type: ignore[no-any-return]
        if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
            return self.numbers(name)
        if pa.types.is_dictionary(column.type):
            column = column.dictionary_decode()
        return column.to_numpy(zero_copy_only=False)  # type: ignore[no-any-return]

    def cells(self, plan: Plan) -> NDArray[np.int64]:
        """Return the cells, as a plan places them."""
        cells = np.empty((1, plan.cells), np.int64) if self.n == 1 else aligned(self.n, plan.cells, np.int64)
        cells[:, C_TIME] = self.times
        cells[:, C_CURRENCY] = self.currencies
        cells[:, C_BITS] = self.conditions(plan)
        for name, place in plan.money.items():
            cells[:, place] = self.money(name)
        for name, place in plan.numbers.items():
            cells[:, place] = self.numbers(name).view(np.int64)
        for name, place in plan.hashes.items():
            cells[:, place] = self.hashes(name)
        return cells


def _words(column: pa.Array, null: int) -> NDArray[np.int64]:
    """Return a column of 64-bit values as it lies in memory, with `null` where there is none."""
    words = np.frombuffer(column.buffers()[1], np.int64, len(column), column.offset * 8)
    if column.null_count:
        words = np.where(column.is_valid().to_numpy(zero_copy_only=False), words, null)
    return words
