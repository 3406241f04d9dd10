"""A Kafka topic as a source: every partition of it, from the positions that are kept with the state.

Partitions are assigned, not shared out by Kafka's group protocol. A solution's state belongs to one process,
by the store's lease, and what counts as done is what that store has committed; a group that hands partitions
round could give them to a process that has not the state, and would keep a second, later truth of offsets. So
there is nothing to rebalance: whoever has the lease reads every partition from the store's positions. Those
are committed to the group as well, after the fact, so that the usual tools show the lag.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from tallystick.config import Settings
from tallystick.connectors import Chunk
from tallystick.connectors.notes import Notes
from tallystick.errors import DataError, TallystickError, UsageError
from tallystick.streams.kafka.address import Address
from tallystick.streams.kafka.client import (
    PATIENCE,
    BrokerErrors,
    client,
    kafka_error,
    library,
    list_partitions,
    topics,
    unknown_topic_error,
)
from tallystick.streams.kafka.json_values import JsonValues
from tallystick.streams.kafka.message_rows import MessageRows, split_rows, with_column
from tallystick.streams.kafka.messages import Message, arrivals, by_partition, header
from tallystick.streams.source import Position, SourceBase, SourceBatch

__all__ = ["SCHEMES", "KafkaSource", "open_stream"]

SCHEMES = ("kafka",)
OWN = frozenset(
    {"group", "format", "registry", "registry.ssl.ca.location", "start", "on_lost", "key", "header"}
)
# How often to look for new partitions, and to tell the group where we are, in seconds.
LOOK, TELL = 10.0, 1.0
_MOST = 100_000
# What is fetched ahead is bounded by size; a full queue is looked at again soon, not after a second.
_HABITS = {
    "queued.max.messages.kbytes": "32768",
    "fetch.queue.backoff.ms": "10",
    "fetch.error.backoff.ms": "100",
    # Only after this long without a message does a broker say that all was read.
    "fetch.wait.max.ms": "100",
}
_PASSING = frozenset(
    {"_TRANSPORT", "_ALL_BROKERS_DOWN", "_TIMED_OUT", "_RESOLVE", "_WAIT_COORD", "_AUTHENTICATION", "_SSL"}
)


def open_stream(
    uri: str,
    settings: Settings,
    *,
    known: Collection[str] = (),  # noqa: ARG001 - JSON and Avro name their columns themselves
    rate: float | None = None,
) -> KafkaSource:
    """Open a topic; nothing is asked of the brokers before `seek`.

    Options of the URI: `group`, `format=json|avro`, `registry`, `start=earliest|latest` (of a first run),
    `on_lost=fail|earliest`, `key=COLUMN`, `header.NAME=COLUMN`, and each property of the client library.
    Raises UsageError for an option that does not exist or a value that cannot be used.
    """
    address = Address.parse(uri, OWN)
    if rate is not None:
        raise UsageError(
            f"{address.name} comes at its own pace.", "Leave --rate out, or replay a file at a pace."
        )
    return KafkaSource(address, settings)


class KafkaSource(SourceBase):
    """Every partition of a topic, read by one process; see `streams.source.StreamSource`."""

    def __init__(self, address: Address, settings: Settings) -> None:
        self.name = address.name
        self._address = address
        self._notes = Notes()
        self._values = _values(address, settings, self._notes)
        self._start = address.choice("start", ("earliest", "latest"))
        self._on_lost = address.choice("on_lost", ("fail", "earliest"))
        self._trouble = BrokerErrors()
        kafka = library()
        self._kafka = kafka
        habits = {name: value for name, value in _HABITS.items() if name not in address.properties}
        self._consumer: Any = client(
            kafka.Consumer,
            address,
            self._trouble,
            {
                **habits,
                "group.id": address.options.get("group") or f"tallystick.{address.topic}",
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "isolation.level": "read_committed",
                "auto.offset.reset": "error",
                "enable.partition.eof": True,
                "allow.auto.create.topics": False,
            },
        )
        self._next: dict[int, int] = {}
        # Of each partition that was read to its end: the offset there and the last known one, which differ by
        # what is no message: marks of transactions, messages that were taken back or are not committed yet.
        self._ends: dict[int, tuple[int, int]] = {}
        self._failed: TallystickError | None = None
        self._looked = self._told = time.monotonic()
        self._closed = False

    def seek(self, position: Position | None) -> None:
        """Begin after a committed position; without one where `start` says.

        Raises UsageError where there is no such topic, DataError where messages after the position were
        removed, TallystickError where no broker answers.
        """
        found = topics(self._consumer, self._address, self._trouble)
        if self._address.topic not in found:
            raise unknown_topic_error(self._address, found)
        partitions = found[self._address.topic]
        kept = {int(key): int(value) for key, value in (position or {}).get(self._address.topic, {}).items()}
        if gone := sorted(kept.keys() - set(partitions)):
            self._lost(f"The topic has no partition {gone[0]} any more: it was made anew.", f":{gone[0]}")
        for partition in partitions:
            low, high = self._bounds(partition)
            first = kept.get(partition)
            if first is None:
                first = high if position is None and self._start == "latest" else low
            elif first < low:
                self._lost_between(partition, first, low)
                first = low
            elif first > high:
                self._lost(
                    f"It ends at offset {high:,}, before the position {first:,}: it was made anew.",
                    f":{partition}",
                )
                first = low
            self._next[partition] = first
        self._consumer.assign([self._place(partition, first) for partition, first in self._next.items()])

    def take(self, most: int, wait: float) -> Sequence[SourceBatch]:
        """Return what has arrived, one part for each partition that gave any."""
        if self._failed:
            raise self._failed
        if time.monotonic() - self._looked > LOOK:
            self._look_for_partitions()
        found = by_partition(self._messages(min(most, _MOST), wait))
        if not found:
            return []
        # At once: a few messages of each of many partitions would cost as much as that many takes.
        together = self._read([message for _, messages in found for message in messages])
        parts = split_rows(together, [len(messages) for _, messages in found])
        taken = []
        for (partition, messages), rows in zip(found, parts, strict=True):
            self._next[partition] = following = messages[-1].offset() + 1
            if self._ends.get(partition, (following, 0))[0] < following:
                del self._ends[partition]  # it went on since
            if len(rows.places) or rows.broken:  # not where all were tombstones
                taken.append(SourceBatch(*self._chunk(partition, messages, rows), self._position()))
        return taken

    def lag(self) -> int | None:
        """Return the lag over all partitions by the last known ends; None before any answer."""
        waiting = 0
        for partition, following in self._next.items():
            high = self._consumer.get_watermark_offsets(self._place(partition), cached=True)[1]
            if high < 0:
                return None  # no answer yet
            end, high_there = self._ends.get(partition, (following, following))
            waiting += max(0, high - max(following, end, high_there))
        return waiting

    def committed(self, position: Position) -> None:
        """Commit our position to the group now and then: for lag monitors, never read back."""
        if time.monotonic() - self._told < TELL:
            return
        self._told = time.monotonic()
        self._tell(position)

    def close(self) -> None:
        """Close the connection to the brokers."""
        if not self._closed:
            self._closed = True
            self._consumer.close()

    def _tell(self, position: Position) -> None:
        places = [
            self._place(int(partition), offset)
            for partition, offset in position.get(self._address.topic, {}).items()
        ]
        with suppress(self._kafka.KafkaException):  # a group that others join takes nothing from us
            self._consumer.commit(offsets=places, asynchronous=True)

    def _position(self) -> Position:
        return {self._address.topic: {str(key): value for key, value in sorted(self._next.items())}}

    def _place(self, partition: int, offset: int = -1001) -> Any:
        return self._kafka.TopicPartition(self._address.topic, partition, offset)

    def _bounds(self, partition: int) -> tuple[int, int]:
        """Ask for the first offset that is kept and the one after the last."""
        try:
            low, high = self._consumer.get_watermark_offsets(self._place(partition), timeout=PATIENCE)
        except self._kafka.KafkaException as error:
            raise kafka_error(self._address, "asking for its offsets", error.args[0], self._trouble) from None
        return int(low), int(high)

    def _lost_between(self, partition: int, first: int, low: int) -> None:
        self._lost(
            f"Offsets {first:,} to {low - 1:,} were removed unread: up to {low - first:,} messages.",
            f":{partition}",
        )

    def _lost(self, what: str, where: str = "") -> None:
        """Stop for messages that are gone, or go on with a note where that was asked for."""
        if self._on_lost == "fail":
            raise DataError(
                f"{self._address.topic}{where} cannot be read on from where it was left. {what}",
                "To go on without them: ?on_lost=earliest. A longer retention.ms of the topic prevents it.",
            )
        self._notes.say(f"{self._address.topic}{where}: {what} Reading goes on with the first that is there")

    def _look_for_partitions(self) -> None:
        """Take partitions that were added since, from their start."""
        self._looked = time.monotonic()
        try:
            found = list_partitions(self._consumer, 1.0).get(self._address.topic, {})
            for partition in sorted(set(found) - self._next.keys()):
                self._next[partition] = low = self._bounds(partition)[0]
                self._consumer.incremental_assign([self._place(partition, low)])
                self._notes.say(f"{self._address.topic}:{partition} was added, and is read from its start")
        except (TallystickError, self._kafka.KafkaException):
            pass  # nobody answers now: the next look finds them

    def _messages(self, most: int, wait: float) -> list[Message]:
        """Wait for the first message, and take what is there with it."""
        consume = self._consumer.consume
        end = time.monotonic() + wait
        messages = self._sifted(consume(most, 0))
        while not messages and not self._failed and (left := end - time.monotonic()) > 0:
            messages = self._sifted(consume(1, left))
            if messages and most > 1:
                messages += self._sifted(consume(most - 1, 0))
        if self._failed and not messages:
            raise self._failed
        return messages

    def _sifted(self, messages: list[Message]) -> list[Message]:
        """Return the messages; handle the events among them."""
        kept = [message for message in messages if message.error() is None]
        if len(kept) < len(messages):
            for message in messages:
                if (error := message.error()) is not None:
                    self._hear(message, error)
        return kept

    def _hear(self, message: Message, error: Any) -> None:
        name, partition = error.name(), message.partition()
        if name == "_PARTITION_EOF":
            high = self._consumer.get_watermark_offsets(self._place(partition), cached=True)[1]
            self._ends[partition] = (message.offset(), high)
        elif name in ("_AUTO_OFFSET_RESET", "OFFSET_OUT_OF_RANGE"):
            self._out_of_range(partition)
        elif name not in _PASSING and not error.retriable():
            self._failed = kafka_error(self._address, "reading", error, self._trouble)

    def _out_of_range(self, partition: int) -> None:
        """Handle messages removed by retention: stop, or resume at the first message that exists."""
        try:
            low, high = self._bounds(partition)
            first = self._next[partition]
            if first < low:
                self._lost_between(partition, first, low)
            else:
                self._lost(
                    f"It ends at offset {high:,}, before {first:,}: it was made anew.", f":{partition}"
                )
            self._next[partition] = low
            self._consumer.incremental_unassign([self._place(partition)])
            self._consumer.incremental_assign([self._place(partition, low)])
        except TallystickError as error:
            self._failed = error

    def _read(self, messages: list[Message]) -> MessageRows:
        """Read what messages hold."""
        values: list[Any] = [message.value() for message in messages]
        if gone := sum(value is None for value in values):
            self._notes.say(
                f"{self._address.topic}: messages without a value (tombstones) that were passed over: {{n}}",
                gone,
            )
        return self._with_columns(self._values.rows(values), messages)

    def _chunk(self, partition: int, messages: list[Message], rows: MessageRows) -> tuple[Chunk, Any]:
        """Return where in a partition rows were, and when they arrived."""
        offsets = np.array([message.offset() for message in messages], np.int64)
        name = f"{self._address.topic}:{partition}"
        chunk = Chunk(rows.batch, name, offsets[rows.places], rows.placed(offsets))
        return chunk, arrivals(messages)[rows.places]

    def _with_columns(self, rows: MessageRows, messages: list[Message]) -> MessageRows:
        if name := self._address.options.get("key"):
            rows = with_column(rows, name, [_bytes(message.key()) for message in messages])
        for of, name in self._address.columns.items():
            rows = with_column(rows, name, [header(message, of) for message in messages])
        return rows


def _bytes(value: str | bytes | None) -> bytes | None:
    return value.encode() if isinstance(value, str) else value


def _values(address: Address, settings: Settings, notes: Notes) -> Any:
    """Choose what reads the values."""
    if address.choice("format", ("json", "avro")) == "json":
        return JsonValues(address.topic, settings, notes)
    from tallystick.streams.kafka.avro_values import AvroValues
    from tallystick.streams.kafka.registry import Registry

    if not (url := address.options.get("registry")):
        raise UsageError(
            f"{address.name}: Avro needs a schema registry.",
            "Name it: ?format=avro&registry=http://HOST:PORT.",
        )
    return AvroValues(Registry(url, address.options.get("registry.ssl.ca.location")))
