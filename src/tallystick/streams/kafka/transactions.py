"""A transactional producer: one transaction for each delivery, retried while that may help.

A broker that comes back after it was killed may leave a transaction without an end, though it was committed
and nobody waits for it any more (seen with Kafka 4.3.1 and 4.4.0: while a partition has no leader, its end is
not written, as if the topic had been deleted). No reader of committed messages comes past it, and the next
transaction of the same producer decides over it. So, after every beginning and every outage, such a one is
taken back as a whole, and what it held is written again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from tallystick.errors import TallystickError
from tallystick.streams.kafka.address import Address
from tallystick.streams.kafka.client import BrokerErrors, client, kafka_error, library, topics
from tallystick.streams.kafka.outbox import Last, Outbox

__all__ = ["LONGEST", "Transactions"]

#: The longest that brokers allow a transaction to be open, by default, in milliseconds.
LONGEST = 900_000
#: Seconds that a request may go unanswered.
SOCKET = 10.0
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
        "_UNKNOWN_TOPIC", "_UNKNOWN_PARTITION", "TOPIC_AUTHORIZATION_FAILED",
        "TRANSACTIONAL_ID_AUTHORIZATION_FAILED", "CLUSTER_AUTHORIZATION_FAILED",
    }
)  # fmt: skip
_FENCED = frozenset({"_FENCED", "PRODUCER_FENCED", "INVALID_PRODUCER_EPOCH"})


Write = Callable[[Any, float], None]


class _SpentError(Exception):
    """This producer has failed for good; another one may succeed."""


class Transactions:
    """A producer under a transactional id of its stream and topic, and the number that each commits.

    patience: seconds for which anything is tried. producer: the one of the moment.
    """

    def __init__(self, address: Address, outbox: Outbox, trouble: BrokerErrors, patience: float) -> None:
        self._address, self._outbox, self._trouble = address, outbox, trouble
        self._patience = patience
        self._kafka = library()
        self._rejected: Any = None
        self._outages = 0
        # The transaction before, which is written again where it turns out to have been left without an end.
        self._before: tuple[int, list[Write]] = (-1, [])
        self._lost: list[Write] = []
        self.producer: Any = self._connected()

    def begin(self, number: int) -> tuple[Last, int]:
        """Abort what an earlier producer left open, and fence it; return the last committed number.

        number: that of the store, which holds where nothing is found.
        """
        end = time.monotonic() + self._patience
        while True:
            try:
                found, cut = self._begun(end)
                break
            except (_SpentError, self._kafka.KafkaException) as error:
                if time.monotonic() >= end:
                    raise self._too_late(str(error)) from None
                self.producer = self._connected()
                time.sleep(0.1)
        # The store follows the transactions, so it is never ahead but by deliveries without a message, unless
        # what it heard of was taken back.
        return found, found.number if cut and found.number >= 0 else max(number, found.number)

    def commit(self, number: int, write: Write) -> None:
        """Commit a number with all that `write` hands to the producer until the moment it is given.

        Raises TallystickError where that does not help within the patience, or not at all.
        """
        end = time.monotonic() + self._patience
        pause = 0.05
        self.producer.poll(0)
        while True:
            try:
                renew = self._trouble.outages != self._outages
                if (renew and self._renewed(number, end)) or self._tried(number, write, end):
                    self.producer.poll(0)
                    if self._trouble.outages == self._outages:
                        self._before, self._lost = (number, [*self._lost, write]), []
                        return
                    continue  # the broker fell over it: was it ended?
            except _SpentError as error:
                if time.monotonic() >= end:
                    raise self._too_late(str(error)) from None
                self._outages = -1
            time.sleep(max(0.0, min(pause, end - time.monotonic())))
            pause = min(pause * 2, 5.0)

    def close(self) -> None:
        """Close the connection to the brokers; what was not committed is never seen."""
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
                "transactional.id": self._outbox.name,
                "transaction.timeout.ms": given.get("transaction.timeout.ms")
                or min(max(patience, 60_000), LONGEST),
                "delivery.timeout.ms": patience,
                "delivery.report.only.error": True,
                "on_delivery": self._undelivered,
            },
        )

    def _renewed(self, number: int, end: float) -> bool:
        """Replace the producer; return whether the one before had committed the number after all."""
        self.producer = self._connected()
        outages = self._trouble.outages
        there = self._begun(end)[0].number
        self._outages = outages
        before, writes = self._before
        self._lost = writes if there < before else []
        return there >= number

    def _begun(self, end: float) -> tuple[Last, bool]:
        """Start a producer; return what is committed, and whether a transaction was aborted for that."""
        self._try(self.producer.init_transactions, "beginning", end)
        found = self._outbox.last(end)
        if found.ended:
            return found, False
        self._take_back(end)
        found = self._outbox.last(end)
        if not found.ended:
            raise self._too_late(f"{self._outbox.name} has a transaction without an end")
        return found, True

    def _take_back(self, end: float) -> None:
        """Abort a transaction that the broker left without an end."""
        topic, left = self._address.topic, max(0.1, end - time.monotonic())
        partitions = topics(self.producer, self._address, self._trouble, wait=left)[topic]
        try:
            self.producer.begin_transaction()
            for name, partition in [(self._outbox.name, 0), *((topic, one) for one in partitions)]:
                self._put(end, name, b"", self._outbox.stream, partition)
            self.producer.flush(max(0.1, end - time.monotonic()))
            self._try(self.producer.abort_transaction, "taking back", end)
        except self._kafka.KafkaException as error:
            self._stop_for_good(error.args[0])
            raise _SpentError(error.args[0].str()) from None
        except SystemError as error:  # the library raised a fatal error amid the callbacks of another
            raise _SpentError(str(error.__context__ or error)) from None

    def _tried(self, number: int, write: Write, end: float) -> bool:
        """Try one transaction; False where it was aborted and may be tried again."""
        self._rejected = None
        try:
            self.producer.begin_transaction()
            for one in (*self._lost, write):
                one(self.producer, end)
            self._put(end, *self._outbox.message(number))
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
                raise kafka_error(self._address, "writing", found, self._trouble)
        if time.monotonic() >= end:
            raise self._too_late((self._rejected or cause).str())
        return False

    def _put(self, end: float, *message: Any) -> None:
        """Queue a message in the client library; BufferError where its queue stays full."""
        while True:
            try:
                return self.producer.produce(*message)  # type: ignore[no-any-return]
            except BufferError:
                self.producer.poll(0.01)
                if time.monotonic() >= end:
                    raise

    def _try(self, call: Callable[[float], object], doing: str, end: float) -> None:
        """Retry a call while its error says that this is safe, until the time is over.

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
                    raise kafka_error(self._address, doing, cause, self._trouble) from None
                if time.monotonic() >= end:
                    raise self._too_late(cause.str()) from None
                time.sleep(0.05)

    def _stop_for_good(self, cause: Any) -> None:
        """Raise where this producer has failed for good."""
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
