"""A Kafka topic as a sink: exactly once for a reader of committed messages.

The decisions of a delivery and the number of the log's entry up to which they reach are one transaction. A
process that is killed leaves nothing that such a reader sees; whoever comes next under the same transactional
id ends what was open, shuts the one before out, and learns from Kafka where to go on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import pyarrow as pa

from tallystick.config import Settings
from tallystick.connectors.render import is_nested, json_lines, text
from tallystick.errors import TallystickError, UsageError, did_you_mean
from tallystick.streams.kafka.address import Address
from tallystick.streams.kafka.client import Trouble, client, explained, library, no_topic, topics
from tallystick.streams.kafka.outbox import Outbox
from tallystick.streams.sink import Mark

__all__ = ["SCHEMES", "KafkaSink", "open_moving"]

SCHEMES = ("kafka",)
OWN = frozenset(
    {"format", "registry", "registry.ssl.ca.location", "key", "create", "partitions", "replication"}
)
HEADER = "tallystick-model"
#: How long a delivery is tried, in milliseconds, unless the address says `delivery.timeout.ms`.
PATIENCE = 120_000
# The longest that brokers allow a transaction to be open, unless they are told otherwise.
_LONGEST = 900_000
# The group's offset is written again after so many seconds without a decision: brokers forget an idle one.
_KEEP = 3600.0
_HABITS: dict[str, Any] = {
    "linger.ms": "5",
    "compression.type": "lz4",
    # The same key lies in the same partition as with Java's clients.
    "partitioner": "murmur2_random",
    "queue.buffering.max.messages": "200000",
    "queue.buffering.max.kbytes": "131072",
}
# Trying again does not help against these.
_FOR_GOOD = frozenset(
    {
        "MSG_SIZE_TOO_LARGE", "INVALID_RECORD", "POLICY_VIOLATION", "TOPIC_EXCEPTION",
        "UNKNOWN_TOPIC_OR_PART",
        "_UNKNOWN_TOPIC", "_UNKNOWN_PARTITION", "TOPIC_AUTHORIZATION_FAILED", "GROUP_AUTHORIZATION_FAILED",
        "TRANSACTIONAL_ID_AUTHORIZATION_FAILED", "CLUSTER_AUTHORIZATION_FAILED", "OFFSET_METADATA_TOO_LARGE",
    }
)  # fmt: skip
_FENCED = frozenset({"_FENCED", "PRODUCER_FENCED", "INVALID_PRODUCER_EPOCH"})


def open_moving(uri: str, schema: pa.Schema, settings: Settings, *, stream: str) -> KafkaSink:  # noqa: ARG001
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
        self._trouble = Trouble()
        self._kafka = library()
        self._key = _key(address, schema)
        self._avro = address.choice("format", ("json", "avro")) == "avro"
        self._create = address.choice("create", ("false", "true")) == "true"
        self._patience = _milliseconds(address) / 1000
        self._outbox = Outbox(address, stream, self._trouble)
        self._values: Callable[[pa.RecordBatch], list[bytes]] = _json
        self._rejected: Any = None
        self._producer: Any = self._connected(stream)
        self._kept = 0.0
        self._usable = False

    def _connected(self, stream: str) -> Any:
        patience = int(self._patience * 1000)
        # What asks the coordinator waits for as long as a socket may, whatever limit the call is given.
        habits = {"socket.timeout.ms": min(patience, 10_000), **_HABITS}
        habits = {name: value for name, value in habits.items() if name not in self._address.properties}
        transaction = self._address.properties.get("transaction.timeout.ms")
        return client(
            self._kafka.Producer,
            self._address,
            self._trouble,
            {
                **habits,
                "transactional.id": f"tallystick-{stream}-{self._address.topic}",
                "transaction.timeout.ms": transaction or min(max(patience, 60_000), _LONGEST),
                "delivery.timeout.ms": patience,
                "delivery.report.only.error": True,
                "on_delivery": self._undelivered,
            },
        )

    def resume(self, number: int, mark: Mark | None) -> int:
        """End what a process before us left open, and say up to which entry all is in the topic.

        Raises UsageError where there is no such topic, TallystickError where no broker answers in time.
        """
        found = topics(self._producer, self._address, self._trouble)
        if self._address.topic not in found:
            self._make_topic(found)
        if self._avro:
            self._values = _avro(self._address, self._schema)
        end = time.monotonic() + self._patience
        self._try(self._producer.init_transactions, "beginning", end)
        there = self._outbox.read(number, mark, self._patience)
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
        if not rows and time.monotonic() - self._kept < _KEEP:
            return self._outbox.mark()
        self._usable = False  # until all of it is in: an error leaves it so
        end = time.monotonic() + self._patience
        pause = 0.05
        while not self._transacted(number, batches, end):
            time.sleep(max(0.0, min(pause, end - time.monotonic())))
            pause = min(pause * 2, 5.0)
        self._kept = time.monotonic()
        self._usable = True
        return self._outbox.mark()

    def close(self) -> None:
        """Leave the brokers; what was not committed is never seen."""
        if self._producer is not None:
            self._usable = False
            with suppress(self._kafka.KafkaException):  # one that was shut out
                self._producer.purge()
                self._producer.flush(0)
            self._producer = None

    def _transacted(self, number: int, batches: Sequence[pa.RecordBatch], end: float) -> bool:
        """Try one transaction; False where it was taken back and may be tried again."""
        producer, failed = self._producer, self._kafka.KafkaException
        self._rejected = None
        try:
            producer.begin_transaction()
            for batch in batches:
                self._produce(batch, end)
            self._try(
                lambda left: producer.send_offsets_to_transaction(
                    self._outbox.offsets(number), self._outbox.metadata, left
                ),
                "writing",
                end,
            )
            # Whether a commit that was not answered went through is not known: it is asked for again, never
            # given up for an abort.
            self._try(producer.commit_transaction, "committing", end)
            return True
        except failed as error:
            cause = error.args[0]
        except BufferError:
            raise self._too_late("its queue stays full") from None
        self._stop_for_good(cause)
        self._take_back(end)
        if self._rejected is not None and self._rejected.name() in _FOR_GOOD:
            raise explained(self._address, "writing", self._rejected, self._trouble) from None
        if cause.name() in _FOR_GOOD:
            raise explained(self._address, "writing", cause, self._trouble) from None
        if time.monotonic() >= end:
            raise self._too_late((self._rejected or cause).str())
        return False

    def _produce(self, batch: pa.RecordBatch, end: float) -> None:
        """Hand the rows of a batch to the client library."""
        if not batch.num_rows:
            return
        produce, topic = self._producer.produce, self._address.topic
        keys = text(batch.column(self._key)).to_pylist() if self._key else [None] * batch.num_rows
        rows = zip(keys, self._values(batch), _headers(batch), strict=True)
        for key, value, headers in rows:
            try:
                produce(topic, value, key, headers=headers)
            except BufferError:
                self._wait_and_produce(key, value, headers, end)
        self._producer.poll(0)

    def _wait_and_produce(self, key: Any, value: bytes, headers: Any, end: float) -> None:
        """Wait until the library's queue has room: it is what bounds memory."""
        while True:
            self._producer.poll(0.01)
            try:
                self._producer.produce(self._address.topic, value, key, headers=headers)
                return
            except BufferError:
                if time.monotonic() >= end:
                    raise

    def _try(self, call: Callable[[float], object], doing: str, end: float) -> None:
        """Call what can be called again as long as that is all that is wanted, until the time is over.

        Raises KafkaException for a transaction that has to be taken back, TallystickError for all else.
        """
        while True:
            left = max(0.1, min(end - time.monotonic(), 30.0))
            try:
                call(left)
                return
            except self._kafka.KafkaException as error:
                cause = error.args[0]
                if cause.txn_requires_abort():
                    raise
                self._stop_for_good(cause)
                if not cause.retriable():
                    raise explained(self._address, doing, cause, self._trouble) from None
                if time.monotonic() >= end:
                    raise self._too_late(cause.str()) from None
                time.sleep(0.05)

    def _take_back(self, end: float) -> None:
        """Abort what was begun, for which a little time is left in any case."""
        self._producer.purge()
        self._try(self._producer.abort_transaction, "taking back", max(end, time.monotonic() + 5))

    def _stop_for_good(self, cause: Any) -> None:
        """Raise TallystickError where this producer can do nothing more."""
        if cause.name() in _FENCED:
            raise TallystickError(
                f'Another process writes to {self.name} as the stream "{self._outbox.stream}" now.',
                "One of the two is enough: stop this one, or give it another name.",
            ) from None
        if cause.fatal():
            raise TallystickError(
                f"{self.name} cannot be written on: {cause.str().rstrip('.')}.",
                "Start the stream again: it goes on where the topic ends.",
            ) from None

    def _too_late(self, why: str) -> TallystickError:
        said = self._trouble.last or why
        return TallystickError(
            f"{self.name} took nothing for {self._patience:,.0f} s: {said.rstrip('.')}.",
            "Nothing is lost: bring the broker back and start the stream again, or allow longer "
            "(?delivery.timeout.ms=).",
        )

    def _undelivered(self, error: Any, _message: Any) -> None:
        """Hear of a message that was not taken: it says more than the transaction that failed by it."""
        if error is not None and not (error.name().startswith("_PURGE")):
            self._rejected = error

    def _make_topic(self, found: dict[str, list[int]]) -> None:
        if not self._create:
            raise no_topic(self._address, found, "To have it made: ?create=true&partitions=N.")
        from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

        wanted = NewTopic(
            self._address.topic, _count(self._address, "partitions"), _count(self._address, "replication")
        )
        admin = client(AdminClient, self._address, self._trouble, {})
        try:
            admin.create_topics([wanted])[self._address.topic].result(self._patience)
        except self._kafka.KafkaException as error:
            if error.args[0].name() != "TOPIC_ALREADY_EXISTS":
                raise explained(self._address, "making the topic", error.args[0], self._trouble) from None


def _key(address: Address, schema: pa.Schema) -> str:
    """Give the column that is the messages' key; nothing for none."""
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
    """Say how long a delivery is tried."""
    asked = address.properties.get("delivery.timeout.ms") or address.properties.get("message.timeout.ms")
    if asked is None:
        return PATIENCE
    if not asked.isascii() or not asked.isdigit() or not 1000 <= int(asked) <= _LONGEST:
        raise UsageError(
            f'{address.name}: delivery.timeout.ms="{asked}" cannot be used.',
            f"Write milliseconds from 1000 to {_LONGEST}.",
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
    """Give each row's headers; rows of one model share them."""
    if "model" not in batch.schema.names:
        return [[]] * batch.num_rows
    made: dict[str | None, list[tuple[str, bytes]]] = {None: []}
    models = batch.column("model").to_pylist()
    for model in set(models) - {None}:
        made[model] = [(HEADER, model.encode())]
    return [made[model] for model in models]
