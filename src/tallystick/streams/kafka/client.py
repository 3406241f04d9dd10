"""Clients of the Kafka library, with its errors and log as ours."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

from tallystick.errors import MissingExtraError, TallystickError, UsageError, did_you_mean
from tallystick.streams.kafka.address import Address
from tallystick.streams.kafka.properties import KNOWN, SECRET

if TYPE_CHECKING:
    from confluent_kafka import KafkaError

__all__ = [
    "PATIENCE",
    "BrokerErrors",
    "client",
    "kafka_error",
    "library",
    "list_partitions",
    "make_topic",
    "topics",
    "unknown_topic_error",
]  # fmt: skip

LOG = logging.getLogger("tallystick.kafka")
# What matters of it is in our errors: an unreachable broker alone makes two hundred lines of the library.
LOG.addHandler(logging.NullHandler())
LOG.addFilter(lambda _: LOG.isEnabledFor(logging.INFO))
#: Seconds in which a broker that is there answers.
PATIENCE = 10.0
_COMMON = {"client.id": "tallystick", "reconnect.backoff.max.ms": "1000", "log.connection.close": "false"}

T = TypeVar("T")


class BrokerErrors:
    """Connection errors of a client: the last reason, and how often all brokers were down."""

    def __init__(self) -> None:
        self.last = ""
        self.outages = 0
        self.refused = False

    def __call__(self, error: KafkaError) -> None:
        """Record an error; the library retries by itself, unless access was denied."""
        self.last = error.str().rstrip(".")
        if error.name() == "_ALL_BROKERS_DOWN":
            self.outages += 1
        if error.name() in ("_AUTHENTICATION", "_SSL"):
            self.refused = True
        LOG.info("%s", self.last)


def library() -> ModuleType:
    """Return confluent_kafka, or raise MissingExtraError with the command that installs it."""
    try:
        import confluent_kafka
    except ImportError as error:
        raise MissingExtraError(
            f"A kafka:// address needs a package that is not installed: {error.name or error}.",
            'Install it: pip install "tallystick[kafka]"',
        ) from None
    return confluent_kafka


def client(kind: type[T], address: Address, trouble: BrokerErrors, settings: Mapping[str, Any]) -> T:
    """Create a Consumer, a Producer or an AdminClient; properties of the address override our defaults.

    settings: what must be so, whatever the address says. Raises UsageError for a property that the library
    does not take.
    """
    properties = {**_COMMON, **address.properties, **settings, "bootstrap.servers": address.servers}
    error_type = library().KafkaException
    try:
        return kind({**properties, "error_cb": trouble, "logger": LOG})  # type: ignore[call-arg]
    except error_type as error:
        said = error.args[0].str()
        raise _property_error(address, said) from None
    except (TypeError, ValueError) as error:
        raise UsageError(f"{address.name}: a property cannot be used: {error}.") from None


def _property_error(address: Address, said: str) -> UsageError:
    """Return which property was not taken, never what a secret one holds."""
    name = next(
        (name for name in sorted(address.properties, key=len, reverse=True) if f'"{name}"' in said), ""
    )
    if "No such configuration property" in said:
        return UsageError(
            f'{address.name}: there is no option "{name}".',
            did_you_mean(name, [*KNOWN, *address.own]) if name else "",
        )
    if not name:
        if any(value and value in said for key, value in address.properties.items() if key in SECRET):
            said = "the client library does not take them"
        return UsageError(f"{address.name}: its options do not fit: {said.rstrip('.')}.")
    if name in SECRET:
        return UsageError(f'{address.name}: the value of "{name}" cannot be used.')
    return UsageError(f'{address.name}: {name}="{address.properties[name]}" cannot be used.', said)


def kafka_error(
    address: Address, doing: str, error: KafkaError, trouble: BrokerErrors | None = None
) -> TallystickError:
    """Turn an error of the library into ours; `doing` says what was tried."""
    name = error.name()
    said = error.str().rstrip(".")
    if trouble is not None and trouble.refused:
        return TallystickError(
            f"{address.servers} does not let us in: {trouble.last}.",
            "Look at security.protocol, sasl.mechanism, sasl.username, ssl.ca.location and the password "
            "(TALLYSTICK_KAFKA_PASSWORD).",
        )
    if name in ("_TRANSPORT", "_TIMED_OUT", "_ALL_BROKERS_DOWN", "_RESOLVE", "REQUEST_TIMED_OUT"):
        why = trouble.last if trouble and trouble.last else said
        return TallystickError(
            f"{address.servers} does not answer: {why}.",
            "Is the broker up, are host and port right, and does security.protocol fit its listener?",
        )
    if "AUTHORIZATION_FAILED" in name:
        return TallystickError(
            f"{address.name}: {doing} is not allowed: {said}.",
            "Ask for the right on this topic and its group.",
        )
    return TallystickError(f"{address.name}: {doing} failed: {said} ({name}).")


def topics(
    handle: Any, address: Address, trouble: BrokerErrors, *, wait: float = PATIENCE
) -> dict[str, dict[int, int]]:
    """List the partitions of every topic with the replicas of each, by a client that reads nothing yet.

    The cluster is asked for all of them, since asking for one may make it. Raises TallystickError when no
    broker answers, or none lets us in.
    """
    end = time.monotonic() + wait
    while True:
        try:
            return list_partitions(handle, min(wait, 1.0))
        except library().KafkaException as error:
            handle.poll(0)  # the library says why only to who asks for news
            if trouble.refused or time.monotonic() >= end:
                raise kafka_error(address, "asking for its topics", error.args[0], trouble) from None


def list_partitions(handle: Any, wait: float) -> dict[str, dict[int, int]]:
    """List the partitions of every topic with the replicas of each; raises KafkaException."""
    found = handle.list_topics(timeout=wait).topics
    return {
        name: {number: len(topic.partitions[number].replicas) for number in sorted(topic.partitions)}
        for name, topic in found.items()
    }


def unknown_topic_error(address: Address, found: Iterable[str], hint: str = "") -> UsageError:
    """Return the error of an unknown topic, with similar names."""
    names = [name for name in found if not name.startswith("__")]
    near = did_you_mean(address.topic, names)
    if len(near) > 300:
        near = f"There are {len(names)} topics, none of a name like it."
    return UsageError(f'There is no topic "{address.topic}" at {address.servers}.', f"{near} {hint}".strip())


def make_topic(
    address: Address,
    trouble: BrokerErrors,
    name: str,
    partitions: int,
    replication: int,
    patience: float,
    config: Mapping[str, str] | None = None,
) -> None:
    """Create a topic unless it exists; -1 takes the brokers' default.

    Raises TallystickError where that is refused, or not done in so many seconds.
    """
    from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

    wanted = NewTopic(name, partitions, replication, config=dict(config or {}))
    admin = client(AdminClient, address, trouble, {})  # while it is waited for, it has to be held
    try:
        admin.create_topics([wanted])[name].result(patience)
    except library().KafkaException as error:
        if error.args[0].name() != "TOPIC_ALREADY_EXISTS":
            raise kafka_error(address, f"making the topic {name}", error.args[0], trouble) from None
