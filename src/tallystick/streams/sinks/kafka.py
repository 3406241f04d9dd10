"""A Kafka topic as a sink: exactly once for a reader of committed messages.

The decisions of a delivery and the number of the log's entry up to which they reach are one transaction. A
process that is killed leaves nothing that such a reader sees; whoever comes next under the same transactional
id ends what was open, shuts the one before out, and learns from Kafka where to go on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa

from tallystick.config import Settings
from tallystick.connectors.render import is_nested, json_lines, text
from tallystick.errors import TallystickError, UsageError, did_you_mean
from tallystick.streams.kafka.address import Address
from tallystick.streams.kafka.client import BrokerErrors, make_topic, topics, unknown_topic_error
from tallystick.streams.kafka.outbox import Outbox
from tallystick.streams.kafka.transactions import LONGEST, Transactions
from tallystick.streams.sink import Mark

__all__ = ["SCHEMES", "KafkaSink", "open_stream"]

SCHEMES = ("kafka",)
OWN = frozenset(
    {"format", "registry", "registry.ssl.ca.location", "key", "create", "partitions", "replication"}
)
HEADER = "tallystick-model"
#: How long a delivery is tried, in milliseconds, unless the address says `delivery.timeout.ms`.
PATIENCE = 120_000


def open_stream(uri: str, schema: pa.Schema, settings: Settings, *, stream: str) -> KafkaSink:  # noqa: ARG001
    """Open a topic for the decisions of a stream; nothing is asked of the brokers before `resume`.

    Options of the URI: `format=json|avro`, `registry`, `key=COLUMN` (the decision's id; empty for none),
    `create=true`, `partitions`, `replication`, and each property of the client library;
    `delivery.timeout.ms` bounds how long a delivery is tried. Raises UsageError for an option that does not
    exist or a value that cannot be used.
    """
    return KafkaSink(Address.parse(uri, OWN), schema, stream)


class KafkaSink:
    """Decisions into a topic; see `streams.sink.MovingSink`."""

    def __init__(self, address: Address, schema: pa.Schema, stream: str) -> None:
        self.name = address.name
        self._address, self._schema = address, schema
        self._trouble = BrokerErrors()
        self._key = _key(address, schema)
        self._avro = address.choice("format", ("json", "avro")) == "avro"
        self._create = address.choice("create", ("false", "true")) == "true"
        self._patience = _milliseconds(address) / 1000
        self._outbox = Outbox(address, stream, self._trouble)
        self._values: Callable[[pa.RecordBatch], list[bytes]] = _json
        self._transactions = Transactions(address, self._outbox, self._trouble, self._patience)
        self._usable = False

    def resume(self, number: int, mark: Mark | None) -> int:
        """End what a process before us left open, and say up to which entry all is in the topic.

        Raises UsageError where there is no such topic, TallystickError where no broker answers in time.
        """
        self._make_topics()
        if self._avro:
            self._values = _avro(self._address, self._schema)
        found, there = self._transactions.begin(number)
        self._outbox.begin(found, mark)
        if found.number < 0:
            # From now on the topic says it: no transaction is the first whose loss nobody would notice.
            self._transactions.commit(there, _nothing)
        self._usable = True
        return there

    def deliver(self, number: int, batches: Sequence[pa.RecordBatch]) -> Mark | None:
        """Write the decisions of all entries up to `number` and the number itself, in one transaction.

        Where a broker is away this tries again, longer and longer apart, until `delivery.timeout.ms` is over;
        raises TallystickError then, or at once where trying again does not help.
        """
        if not self._usable:
            raise TallystickError(f"{self.name} was left after an error.", "Start the stream again.")
        rows = sum(batch.num_rows for batch in batches)
        if not rows:  # the store keeps the number; nothing comes twice where there is nothing
            return self._outbox.mark()
        self._usable = False  # until all of it is in: an error leaves it so

        def write(producer: Any, end: float) -> None:
            for batch in batches:
                self._produce(producer, batch, end)

        self._transactions.commit(number, write)
        self._usable = True
        return self._outbox.mark()

    def close(self) -> None:
        """Close the connection to the brokers; what was not committed is never seen."""
        self._usable = False
        self._transactions.close()

    def _produce(self, producer: Any, batch: pa.RecordBatch, end: float) -> None:
        """Hand the rows of a batch to the client library; BufferError where its queue stays full."""
        if not batch.num_rows:
            return
        produce, topic = producer.produce, self._address.topic
        keys = text(batch.column(self._key)).to_pylist() if self._key else [None] * batch.num_rows
        for key, value, headers in zip(keys, self._values(batch), _headers(batch), strict=True):
            while True:
                try:
                    produce(topic, value, key, headers=headers)
                    break
                except BufferError:  # it is what bounds memory
                    producer.poll(0.01)
                    if time.monotonic() >= end:
                        raise
        producer.poll(0)

    def _make_topics(self) -> None:
        """Make the topic of decisions where that was asked for, and the one that says how far they go."""
        address = self._address
        found = topics(self._transactions.producer, address, self._trouble)
        replication = _count(address, "replication")
        if address.topic not in found:
            if not self._create:
                raise unknown_topic_error(address, found, "To have it made: ?create=true&partitions=N.")
            partitions = _count(address, "partitions")
            make_topic(address, self._trouble, address.topic, partitions, replication, self._patience)
        if self._outbox.name not in found:
            # As safe as the decisions.
            there = max(found.get(address.topic, {}).values(), default=replication)
            self._outbox.make(there, self._patience)


def _nothing(_producer: Any, _end: float) -> None:
    """Write no message."""


def _key(address: Address, schema: pa.Schema) -> str:
    """Return the column that is the messages' key; nothing for none."""
    name = address.options.get("key", "id")
    if name and name not in schema.names:
        raise UsageError(
            f'{address.name}: decisions have no column "{name}" to be the key.',
            did_you_mean(name, schema.names),
        )
    if name and is_nested(schema.field(name).type):
        raise UsageError(f"{address.name}: {name} holds several values and cannot be the key.", "Try key=id.")
    return name


def _milliseconds(address: Address) -> int:
    """Return how long a delivery is tried."""
    asked = address.properties.get("delivery.timeout.ms") or address.properties.get("message.timeout.ms")
    if asked is None:
        return PATIENCE
    if not asked.isascii() or not asked.isdigit() or not 1000 <= int(asked) <= LONGEST:
        raise UsageError(
            f'{address.name}: delivery.timeout.ms="{asked}" cannot be used.',
            f"Write milliseconds from 1000 to {LONGEST}.",
        )
    return int(asked)


def _count(address: Address, option: str) -> int:
    asked = address.options.get(option)
    if asked is None:
        return -1  # as the brokers are set up
    if not asked.isascii() or not asked.isdigit() or not 1 <= int(asked) <= 100_000:
        raise UsageError(f'{address.name}: {option}="{asked}" is no number of them.', f"Write {option}=3.")
    return int(asked)


def _json(batch: pa.RecordBatch) -> list[bytes]:
    """Write each row as the object that a file of JSON lines has."""
    return json_lines(batch).split(b"\n")[:-1]


def _avro(address: Address, schema: pa.Schema) -> Callable[[pa.RecordBatch], list[bytes]]:
    from tallystick.streams.kafka.avro_values import AvroWriter
    from tallystick.streams.kafka.registry import Registry

    if not (url := address.options.get("registry")):
        raise UsageError(
            f"{address.name}: Avro needs a schema registry.",
            "Name it: ?format=avro&registry=http://HOST:PORT.",
        )
    registry = Registry(url, address.options.get("registry.ssl.ca.location"))
    return AvroWriter(registry, address.topic, schema).values


def _headers(batch: pa.RecordBatch) -> list[list[tuple[str, bytes]]]:
    """Return each row's headers; rows of one model share them."""
    if "model" not in batch.schema.names:
        return [[]] * batch.num_rows
    made: dict[str | None, list[tuple[str, bytes]]] = {None: []}
    models = batch.column("model").to_pylist()
    for model in set(models) - {None}:
        made[model] = [(HEADER, model.encode())]
    return [made[model] for model in models]
