"""Contract: the schema of a table, the roles of its columns, and its check."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace

import pyarrow as pa

from tallystick.config import Settings
from tallystick.contracts.check import AsOf, Checked, check
from tallystick.contracts.column import Column, fold
from tallystick.contracts.column_mapping import ColumnMapping, resolve
from tallystick.contracts.formats import Format
from tallystick.contracts.inference import ColumnTypes
from tallystick.errors import UsageError

__all__ = ["Contract", "Normalizer"]


@dataclass(frozen=True, slots=True)
class Normalizer:
    """An array function that a solution runs on clean rows, such as harmonising names; rows stay in place.

    `content` is whatever its result depends on (a table as text): it enters the contract's fingerprint.
    """

    name: str
    apply: Callable[[pa.RecordBatch], pa.RecordBatch]
    content: str = ""

    def __call__(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        """Run it on one batch."""
        return self.apply(rows)


@dataclass(frozen=True, slots=True)
class Contract:
    """The schema of a table: its columns, the roles that some of them have, and the rules for its rows.

    In a table of events (`events`) the first record of a key wins, by event time (none: last), then the key's
    bytes, then its place; in a table of entities the latest by the column `latest_by`. Labels are
    named from the main one; `known_at` is the column that says when they became known. An `open` contract
    keeps columns that it does not name; `extended` adds them with the types inferred from their content.
    `formats` are makes of file with meanings of their own, the first that fits taken. Raises ValueError when
    the declaration contradicts itself.

    >>> id_, text = Column("id", "text", "Key"), Column("narrative", "text", "What happened")
    >>> notes = Contract("notes", 1, (id_, text), key="id")
    >>> rows = pa.record_batch({"ID": [7, 8], "Narrative": [" It broke. ", ""]})
    >>> notes.check(rows, notes.resolve(rows.schema.names), Settings()).rows.to_pylist()
    [{'id': '7', 'narrative': 'It broke.'}, {'id': '8', 'narrative': None}]
    """

    name: str
    version: int
    columns: tuple[Column, ...]
    key: str | None = None
    event_time: str | None = None
    person: str | None = None
    labels: tuple[str, ...] = ()
    known_at: str | None = None
    events: bool = True
    latest_by: str | None = None
    normalizers: tuple[Normalizer, ...] = field(default=())
    formats: tuple[Format, ...] = ()
    open: bool = False

    def __post_init__(self) -> None:
        owner: dict[str, str] = {}
        for column in self.columns:
            for spelling in (column.name, *column.aliases):
                other = owner.setdefault(fold(spelling), column.name)
                if other != column.name:
                    raise ValueError(f'{self.name}: "{spelling}" names both {other} and {column.name}')
        ours = [column.name for column in self.columns]
        if len(set(ours)) != len(ours):
            raise ValueError(f"{self.name}: a column is declared twice")
        for role in (self.key, self.event_time, self.person, self.known_at, self.latest_by, *self.labels):
            if role is not None and role not in ours:
                raise ValueError(f'{self.name}: there is no column "{role}"')
        for role in (self.event_time, self.known_at):
            if role is not None and self.column(role).type != "time":
                raise ValueError(f"{self.name}: {role} must be a time")
        for column in self.columns:
            if column.known_at and (
                column.known_at not in ours or self.column(column.known_at).type != "time"
            ):
                raise ValueError(f"{self.name}: {column.name} needs its known_at in a column of times")
            if column.currency and (
                column.currency not in ours or self.column(column.currency).type != "category"
            ):
                raise ValueError(f"{self.name}: {column.name} needs its currency in a column of categories")
        for one in self.formats:
            for theirs, name in one.names:
                if name not in ours:
                    raise ValueError(f'{self.name}: "{theirs}" of {one.name} names no column: "{name}"')

    def column(self, name: str) -> Column:
        """Return one column; raises UsageError when there is none of that name."""
        for column in self.columns:
            if column.name == name:
                return column
        raise UsageError(
            f'{self.name} has no column "{name}".', f"It has: {', '.join(c.name for c in self.columns)}."
        )

    def fingerprint(self) -> str:
        """Return a SHA-256 (hex) over all that decides what a clean row is; words and aliases do not."""
        said: dict[str, object] = {
            "name": self.name,
            "version": self.version,
            "columns": [
                {
                    k: v
                    for k, v in asdict(column).items()
                    if k not in ("doc", "aliases", "ranked", "several", "known_values")
                    and (k not in ("currency", "known_at") or v)
                }
                for column in self.columns
            ],
            "roles": [self.key, self.event_time, self.person, self.labels, self.known_at, self.latest_by],
            "events": self.events,
            "tidy": [[normalizer.name, normalizer.content] for normalizer in self.normalizers],
        }
        if self.open:
            said["open"] = True
        steps = [[one.name, one.columns, one.names, one.time, one.step] for one in self.formats]
        if steps:
            said["formats"] = steps
        text = json.dumps(said, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
        return hashlib.sha256(text.encode("ascii")).hexdigest()

    def resolve(self, names: Sequence[str], mapping: Mapping[str, str] | None = None) -> ColumnMapping:
        """Find our columns among their names; see `tallystick.contracts.column_mapping.resolve`."""
        return resolve(self.name, self.columns, names, mapping, self.formats, self.open)

    def unnamed(self, column_mapping: ColumnMapping) -> tuple[str, ...]:
        """Return the columns of a table that this contract has no name for, in the table's order.

        A second spelling of a named column is not among them, nor is a name without a letter or digit.
        """
        ours = {fold(spelling) for c in self.columns for spelling in (c.name, *c.aliases)}
        return tuple(name for name in column_mapping.ignored if fold(name) and fold(name) not in ours)

    def extended(self, types: ColumnTypes) -> Contract:
        """Return this open contract with the inferred columns added, closed; ValueError where it is not open.

        >>> id_ = Column("id", "text", "Key")
        >>> rows = pa.record_batch({"id": [7], "age": ["41"]})
        >>> table = Contract("people", 1, (id_,), key="id", events=False, open=True)
        >>> names = table.unnamed(table.resolve(rows.schema.names))
        >>> [column.type for column in table.extended(ColumnTypes.of(rows.select(names))).columns]
        ['text', 'integer']
        """
        if not self.open:
            raise ValueError(f"{self.name} is not open: it takes no columns that it does not name")
        return replace(self, columns=(*self.columns, *types.as_columns()), open=False)

    def check(
        self,
        rows: pa.RecordBatch,
        column_mapping: ColumnMapping,
        settings: Settings,
        *,
        as_of: AsOf = None,
        labels_wanted: bool | Collection[str] = True,
    ) -> Checked:
        """Check and clean one batch: clean rows under our names and types, and bad ones with their reasons.

        An event later than `as_of` (None: now; a date: the end of that day in the setting `zone`; int64
        (rows,): a moment for each row, microseconds UTC) lies in the future. `labels_wanted` says where a
        blank label is a fault: True for the main label, or the names of the labels wanted; elsewhere, and
        where the column says `may_be_blank`, it is unknown (null). A null label is always unknown. Rows of a
        batch do not see each other: checking them one by one gives the same.
        """
        return check(self, rows, column_mapping, settings, as_of=as_of, labels_wanted=labels_wanted)

    @property
    def money(self) -> tuple[str, ...]:
        """The columns that hold amounts of money."""
        return tuple(column.name for column in self.columns if column.type == "money")

    def label_known_at(self, label: str) -> str | None:
        """Return the column that says when a label became known: the label's own, else that of all labels."""
        return self.column(label).known_at or self.known_at

    @property
    def known_at_event(self) -> tuple[str, ...]:
        """The columns that may be looked at: neither labels nor what is known only after the event."""
        return tuple(c.name for c in self.columns if not c.after_event and c.name not in self.labels)

    def leaky(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return those names, ours or theirs, that are known only after the event, in the order asked.

        >>> late = Column("duration", "number", "Length of the call", unit="s", after_event=True)
        >>> Contract("calls", 1, (late,)).leaky(["duration", "age"])
        ('duration',)
        """
        after = {fold(name) for c in self.columns if c.after_event for name in (c.name, *c.aliases)}
        return tuple(name for name in names if fold(name) in after)

    def refuse_leaks(self, names: Iterable[str], task: str) -> None:
        """Raise UsageError when a task that predicts the event is asked to use what only comes after it."""
        leaky = self.leaky(names)
        if leaky:
            verb = "is" if len(leaky) == 1 else "are"
            raise UsageError(
                f"{', '.join(leaky)} {verb} known only after the event: no feature for {task}.",
                "Leave it out of --features.",
            )
