"""A transactional producer: one delivery, one transaction, tried again as long as that may help.

`send_offsets_to_transaction` of the client library may wait for ever, past its own limit, for a coordinator
that left the cluster and came back (librdkafka issues 5456 and 5511). It is called with a limit of ours; a
producer that is stuck in it is left behind, and a new one under the same transactional id shuts it out.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from tallystick.errors import TallystickError
from tallystick.streams.kafka.address import Address
from tallystick.streams.kafka.client import Trouble, client, explained, library
from tallystick.streams.kafka.outbox import Outbox

__all__ = ["LONGEST", "Transactions"]

#: The longest that brokers allow a transaction to be open, unless they are told otherwise, in milliseconds.
LONGEST = 900_000
#: Seconds that a request may go unanswered, and those after which it is plain that its answer was missed.
SOCKET, STUCK = 10.0, 12.0
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


class _SpentError(Exception):
    """This producer can do nothing more; another one may."""


class Transactions:
    """A producer under a transactional id of its stream and topic, and the number that each commits.

    patience: seconds for which anything is tried. producer: the one of the moment.
    """

    def __init__(self, address: Address, outbox: Outbox, trouble: Trouble, patience: float) -> None:
        self._address, self._outbox, self._trouble = address, outbox, trouble
        self._patience = patience
        self._kafka = library()
        self._rejected: Any = None
        self._outages = 0
        self._unsure = False
        self.producer: Any = self._connected()

    def begin(self, end: float) -> None:
        """End what a producer before left open, and shut it out."""
        try:
            self._try(self.producer.init_transactions, "beginning", end)
        except (_SpentError, self._kafka.KafkaException) as error:
            raise self._too_late(str(error)) from None

    def commit(self, number: int, write: Callable[[Any, float], None]) -> None:
        """Commit a number with all that `write` hands to the producer until the moment it is given.

        Raises TallystickError where that does not help within the patience, or not at all.
        """
        end = time.monotonic() + self._patience
        pause = 0.05
        self.producer.poll(0)
        self._unsure = False
        renew = self._trouble.outages != self._outages
        while True:
            try:
                if renew and self._renewed(number, end):
                    return
                if self._tried(number, write, end):
                    return
                renew = False
            except _SpentError as error:
                if time.monotonic() >= end:
                    raise self._too_late(str(error)) from None
                renew = True
            time.sleep(max(0.0, min(pause, end - time.monotonic())))
            pause = min(pause * 2, 5.0)

    def close(self) -> None:
        """Leave the brokers; what was not committed is never seen."""
        if self.producer is not None:
            with suppress(self._kafka.KafkaException):  # one that was shut out
                self.producer.purge()
                self.producer.flush(0)
            self.producer = None

    def _connected(self) -> Any:
        patience = int(self._patience * 1000)
        # What asks the coordinator waits for as long as a socket may, whatever limit the call is given.
        habits = {"socket.timeout.ms": min(patience, int(SOCKET * 1000)), **_HABITS}
        given = self._address.properties
        return client(
            self._kafka.Producer,
            self._address,
            self._trouble,
            {
                **{name: value for name, value in habits.items() if name not in given},
                "transactional.id": f"tallystick-{self._outbox.stream}-{self._address.topic}",
                "transaction.timeout.ms": given.get("transaction.timeout.ms")
                or min(max(patience, 60_000), LONGEST),
                "delivery.timeout.ms": patience,
                "delivery.report.only.error": True,
                "on_delivery": self._undelivered,
            },
        )

    def _renewed(self, number: int, end: float) -> bool:
        """Take a new producer; say whether the one before had committed the number after all.

        What was not asked to be committed was not: taking the new one has ended it.
        """
        self.producer = self._connected()
        self._try(self.producer.init_transactions, "beginning", end)
        self._outages = self._trouble.outages
        return self._unsure and self._outbox.reached(max(1.0, end - time.monotonic())) >= number

    def _tried(self, number: int, write: Callable[[Any, float], None], end: float) -> bool:
        """Try one transaction; False where it was taken back and may be tried again."""
        self._rejected, self._unsure = None, False
        try:
            self.producer.begin_transaction()
            write(self.producer, end)
            self._try(lambda left: self._send_offsets(number, left), "writing", end)
            self._unsure = True
            # Whether a commit that was not answered went through is not known: it is asked for again, never
            # given up for an abort.
            self._try(self.producer.commit_transaction, "committing", end)
            return True
        except self._kafka.KafkaException as error:
            cause = error.args[0]
        except BufferError:
            raise self._too_late("its queue stays full") from None
        self._stop_for_good(cause)
        self.producer.purge()
        try:
            self._try(self.producer.abort_transaction, "taking back", max(end, time.monotonic() + 5))
        except self._kafka.KafkaException as error:
            raise _SpentError(error.args[0].str()) from None
        # What befell a message says more than that its transaction failed.
        for found in (self._rejected, cause):
            if found is not None and found.name() in _FOR_GOOD:
                raise explained(self._address, "writing", found, self._trouble)
        if time.monotonic() >= end:
            raise self._too_late((self._rejected or cause).str())
        return False

    def _send_offsets(self, number: int, left: float) -> None:
        """Add the number to the transaction; raises _SpentError where the library does not come back."""
        producer, raised = self.producer, list[BaseException]()

        def call() -> None:
            try:
                producer.send_offsets_to_transaction(
                    self._outbox.offsets(number), self._outbox.metadata, left
                )
            except BaseException as error:
                raised.append(error)

        # It must not keep the process from ending.
        thread = threading.Thread(target=call, name="tallystick-kafka-offsets", daemon=True)
        thread.start()
        thread.join(min(left, STUCK))
        if thread.is_alive():
            raise _SpentError("the group's coordinator does not answer")
        if raised:
            raise raised[0]

    def _try(self, call: Callable[[float], object], doing: str, end: float) -> None:
        """Call what can be called again as long as that is all that is wanted, until the time is over.

        Raises KafkaException for a transaction that has to be taken back, _SpentError for a producer that is
        of no more use, TallystickError for all else.
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

    def _stop_for_good(self, cause: Any) -> None:
        """Raise where this producer can do nothing more."""
        if cause.name() in _FENCED:
            raise TallystickError(
                f'Another process writes to {self._address.name} as the stream "{self._outbox.stream}" now.',
                "One of the two is enough: stop this one, or give it another name.",
            ) from None
        if cause.fatal():
            raise _SpentError(cause.str()) from None

    def _too_late(self, why: str) -> TallystickError:
        said = self._trouble.last or why
        return TallystickError(
            f"{self._address.name} took nothing for {self._patience:,.0f} s: {said.rstrip('.')}.",
            "Nothing is lost: bring the broker back and start the stream again, or allow longer "
            "(?delivery.timeout.ms=).",
        )

    def _undelivered(self, error: Any, _message: Any) -> None:
        if error is not None and not error.name().startswith("_PURGE"):
            self._rejected = error
