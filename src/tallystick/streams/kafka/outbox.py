"""The last delivered entry of a stream, kept in a small topic beside that of the decisions.

The transaction that writes messages writes the number too, so both are there or neither. The small topic has
one writer, so its end says all: neither retention nor other producers and their open transactions in the
topic of decisions come between. A consumer group's offset is no such place: brokers forget it, and where a
transaction was left without an end (see `transactions`) nothing can be written over it.
"""

from __future__ import annotations

import re
import secrets
import time
from dataclasses import dataclass
from typing import Any

from tallystick.errors import TallystickError
from tallystick.streams.kafka.address import Address
from tallystick.streams.kafka.client import BrokerErrors, client, kafka_error, library, make_topic
from tallystick.streams.sink import Mark

__all__ = ["Last", "Outbox"]

_FORM = re.compile(rb"([0-9a-f]+):([0-9]+)")
# One number matters: segments are small, and old ones soon go.
_CONFIG = {"cleanup.policy": "compact", "segment.bytes": str(16 << 20), "delete.retention.ms": "60000"}
_BACK = 32  # offsets to look back at first; what was taken back, and the ends of transactions, take some too
_TRY = 5.0
_ENDING = 3.0  # seconds in which the ends of transactions arrive that were ended


@dataclass(frozen=True, slots=True)
class Last:
    """The last committed number, -1 for none, and the log that it belongs to.

    ended: whether every transaction has its end there.
    """

    number: int
    log: str
    ended: bool = True


class Outbox:
    """The delivered number of one stream in one topic, and the log that it counts.

    name: of the transactional id and of the topic that holds the number; log: a token that the first delivery
    draws and that the mark repeats, so that two states of one stream name are told apart.
    """

    def __init__(self, address: Address, stream: str, trouble: BrokerErrors) -> None:
        self._address, self._trouble = address, trouble
        self.stream = stream
        self.name = f"tallystick-{stream}-{address.topic}"
        self.log = ""

    def make(self, replication: int, patience: float) -> None:
        """Make the topic that holds the number; replication: of the topic of decisions."""
        try:
            make_topic(self._address, self._trouble, self.name, 1, replication, patience, _CONFIG)
        except TallystickError as error:
            raise TallystickError(
                f"How far the stream is stands in a topic of its own, which cannot be made: {error.message}",
                f"Have {self.name} made, with 1 partition and cleanup.policy=compact.",
            ) from None

    def begin(self, found: Last, mark: Mark | None) -> None:
        """Continue counting if the topic and the store's mark belong to one log.

        Raises TallystickError where another state wrote here under the same stream name.
        """
        ours = str((mark or {}).get("log") or "")
        if ours and found.log and ours != found.log:
            raise TallystickError(
                f'Another state has written to {self._address.name} as the stream "{self.stream}".',
                "Give this stream another name, or write to another topic.",
            )
        self.log = ours or found.log or secrets.token_hex(8)

    def message(self, number: int) -> tuple[str, str, str, int]:
        """Return topic, value, key and partition of the message that says a number."""
        return self.name, f"{self.log}:{number}", self.stream, 0

    def mark(self) -> Mark:
        """Return the mark for the store."""
        return {"log": self.log}

    def last(self, end: float) -> Last:
        """Read the topic's end, until a moment; TallystickError where no broker answers."""
        consumer: Any = client(
            library().Consumer,
            self._address,
            self._trouble,
            {
                "group.id": self.name,  # no member, no offset: the library asks for the name
                "isolation.level": "read_committed",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "auto.offset.reset": "earliest",
                "fetch.wait.max.ms": 10,
            },
        )
        try:
            low, high = self._bounds(consumer, end)
            back = _BACK
            while True:
                begin = max(low, high - back)
                found, ended = self._last_after(consumer, begin, end)
                if found is not None:
                    return Last(int(found[2]), found[1].decode(), ended)
                if begin == low:
                    return Last(-1, "", ended)
                back *= 8
        finally:
            consumer.close()

    def _bounds(self, consumer: Any, end: float) -> tuple[int, int]:
        while True:
            left = max(0.1, min(_TRY, end - time.monotonic()))
            try:
                low, high = consumer.get_watermark_offsets(self._place(), timeout=left)
                return int(low), int(high)
            except library().KafkaException as error:
                if time.monotonic() >= end or "AUTHORIZATION_FAILED" in error.args[0].name():
                    raise self._unread(error.args[0]) from None
                time.sleep(0.1)

    def _last_after(self, consumer: Any, begin: int, end: float) -> tuple[re.Match[bytes] | None, bool]:
        """Read from an offset on; return the last number, and whether all that is there has ended."""
        kafka = library()
        consumer.assign([self._place(begin)])
        found, since = None, None
        trouble = kafka.KafkaError(kafka.KafkaError._TIMED_OUT)
        while time.monotonic() < end:
            message = consumer.poll(0.1)
            if message is None:
                if since is not None and time.monotonic() - since > _ENDING:
                    return found, False
            elif (error := message.error()) is None:
                found, since = _FORM.fullmatch(message.value() or b"") or found, None
            elif error.name() == "_PARTITION_EOF":
                # What is committed ends before all that is there does.
                if message.offset() >= consumer.get_watermark_offsets(self._place(), cached=True)[1]:
                    return found, True
                since = since or time.monotonic()
            else:
                trouble = error
                if "AUTHORIZATION_FAILED" in error.name():
                    break
        raise self._unread(trouble)

    def _unread(self, error: Any) -> TallystickError:
        return kafka_error(self._address, f"reading {self.name}", error, self._trouble)

    def _place(self, offset: int = -1001) -> Any:
        return library().TopicPartition(self.name, 0, offset)
