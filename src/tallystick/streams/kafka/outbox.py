"""How far a stream's decisions are in a topic: a number that Kafka keeps as the offset of a group of our own.

It changes in the transaction that writes the messages, so both are there or neither. The group has no
members, and the offset belongs to partition 0 of the output topic, whatever messages lie there.
"""

from __future__ import annotations

import secrets
import time
from typing import Any

from tallystick.errors import TallystickError
from tallystick.streams.kafka.address import Address
from tallystick.streams.kafka.client import Trouble, client, explained, library
from tallystick.streams.sink import Mark

__all__ = ["Outbox"]

_PREFIX = "tallystick:"
_TRY = 5.0


class Outbox:
    """The number of one stream in one topic, and whose log it counts.

    log: a token that the first delivery draws and that the mark repeats, so that two states of one stream
    name are told apart.
    """

    def __init__(self, address: Address, stream: str, trouble: Trouble) -> None:
        self._address, self._trouble = address, trouble
        self.stream = stream
        self.group = f"tallystick.sink.{stream}"
        self.log = ""
        self.metadata: Any = None

    def read(self, number: int, mark: Mark | None, patience: float) -> int:
        """Say up to which number all is in the topic.

        number and mark: what the store knows, which holds where the group knows nothing (any more): the
        broker forgets the offset of a group that was idle for long (offsets.retention.minutes, a week).
        Raises TallystickError where another state wrote here under the same stream name.
        """
        found = self._found(patience)
        there = (found.metadata or "").removeprefix(_PREFIX)
        ours = str((mark or {}).get("log") or "")
        if found.offset >= 0 and ours and there and ours != there:
            raise TallystickError(
                f'Another state has written to {self._address.name} as the stream "{self.stream}".',
                "Give this stream another name, or write to another topic.",
            )
        self.log = ours or there or secrets.token_hex(8)
        # The store's mark follows the transaction, so it is never ahead but by deliveries without a message.
        return max(number, int(found.offset))

    def reached(self, patience: float) -> int:
        """Say which number Kafka has, -1001 for none."""
        return int(self._found(patience).offset)

    def _found(self, patience: float) -> Any:
        """Ask for the offset of the group; raises TallystickError where nobody answers in so many seconds."""
        kafka = library()
        place = kafka.TopicPartition(self._address.topic, 0)
        end = time.monotonic() + patience
        while True:
            # A client anew for each try: one that was made while a broker came up may never find its group.
            consumer = client(
                kafka.Consumer,
                self._address,
                self._trouble,
                # Reading what is committed: the offset of a transaction that still ends is waited for.
                {"group.id": self.group, "isolation.level": "read_committed", "enable.auto.commit": False},
            )
            try:
                self.metadata = consumer.consumer_group_metadata()
                return consumer.committed([place], timeout=max(0.1, min(_TRY, end - time.monotonic())))[0]
            except kafka.KafkaException as error:
                if time.monotonic() >= end:
                    raise explained(
                        self._address, "asking for its group's offset", error.args[0], self._trouble
                    ) from None
                time.sleep(0.2)
            finally:
                consumer.close()

    def offsets(self, number: int) -> list[Any]:
        """Give what a transaction commits with the messages up to a number."""
        return [library().TopicPartition(self._address.topic, 0, number, f"{_PREFIX}{self.log}")]

    def mark(self) -> Mark:
        """Give what the store is to keep."""
        return {"log": self.log}
