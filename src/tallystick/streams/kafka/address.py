"""Kafka URI: brokers, topic, our options, properties of the client library."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote

from tallystick.errors import UsageError, did_you_mean
from tallystick.secrets import read_secret
from tallystick.streams.kafka.properties import DECIDED, REFUSED

__all__ = ["Address"]

_FORM = "Write it as kafka://HOST:PORT[,HOST:PORT]/TOPIC?OPTION=VALUE."
_BROKER = re.compile(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?")
_TOPIC = re.compile(r"[A-Za-z0-9._-]{1,249}")


@dataclass(frozen=True, slots=True)
class Address:
    """A topic and how to reach it.

    brokers: HOST:PORT, sorted; options: ours, by name; columns: header → column; properties: the client
    library's own, secrets among them, which is why they are never part of a repr.

    >>> address = Address.parse("kafka://b,a:9093/orders?format=avro&security.protocol=SSL", {"format"})
    >>> address.name, address.options, address.properties
    ('kafka://a:9093,b:9092/orders', {'format': 'avro'}, {'security.protocol': 'SSL'})
    """

    brokers: tuple[str, ...]
    topic: str
    options: dict[str, str] = field(default_factory=dict, repr=False)
    columns: dict[str, str] = field(default_factory=dict)
    properties: dict[str, str] = field(default_factory=dict, repr=False)
    own: frozenset[str] = frozenset()

    @classmethod
    def parse(cls, uri: str, own: Collection[str]) -> Address:
        """Parse a URI; `own` are the options that the caller knows, others go to the client library.

        Raises UsageError, which never shows an option's value.
        """
        place, _, query = uri.partition("?")
        where, _, path = place.removeprefix("kafka://").partition("/")
        if "@" in where:
            raise UsageError(
                "A kafka:// address takes no user before its host.",
                "Write ?sasl.mechanism=PLAIN&sasl.username=NAME, and set TALLYSTICK_KAFKA_PASSWORD.",
            )
        brokers = tuple(sorted(_broker(part) for part in where.split(",") if part))
        if not brokers:
            raise UsageError(f"{place} names no broker.", _FORM)
        topic = unquote(path)
        if not _TOPIC.fullmatch(topic) or topic in (".", ".."):
            raise UsageError(
                f'{place}: "{topic}" is no name of a topic.' if topic else f"{place} names no topic.",
                _FORM + " A topic has letters, digits, dots, dashes and underscores.",
            )
        options: dict[str, str] = {}
        columns: dict[str, str] = {}
        properties: dict[str, str] = {}
        for name, value in parse_qsl(query, keep_blank_values=True):
            if name.startswith("header.") and "header" in own:
                columns[name.removeprefix("header.")] = value
            elif name in own:
                options[name] = value
            else:
                properties[_allowed(name)] = value
        _add_secrets(properties)
        return cls(brokers, topic, options, columns, properties, frozenset(own))

    @property
    def name(self) -> str:
        """The URI without settings: what positions and marks are kept under."""
        return f"kafka://{','.join(self.brokers)}/{self.topic}"

    @property
    def servers(self) -> str:
        """The brokers as the client library wants them."""
        return ",".join(self.brokers)

    def choice(self, option: str, choices: Collection[str]) -> str:
        """Return an option that is one of a few, the first by default; UsageError for another."""
        value = self.options.get(option, next(iter(choices)))
        if value not in choices:
            raise UsageError(f'{self.name}: {option}="{value}" cannot be used.', did_you_mean(value, choices))
        return value


def _broker(text: str) -> str:
    match = _BROKER.fullmatch(text)
    if not match:
        raise UsageError(f'"{text}" is no broker.', _FORM)
    return text if match[2] else f"{text}:9092"


def _allowed(name: str) -> str:
    if name in DECIDED:
        raise UsageError(f'"{name}" is not for a kafka:// address to say.', DECIDED[name])
    if name in REFUSED:
        raise UsageError(
            f'"{name}" is not taken from a kafka:// address, since it runs code.', "Leave it out."
        )
    return name


def _add_secrets(properties: dict[str, str]) -> None:
    """Read passwords that the address lacks from the environment."""
    if properties.keys() & {"sasl.mechanism", "sasl.mechanisms", "sasl.username"}:
        _from_environment(properties, "sasl.password", "TALLYSTICK_KAFKA_PASSWORD")
    if properties.keys() & {"ssl.key.location", "ssl.key.pem"}:
        _from_environment(properties, "ssl.key.password", "TALLYSTICK_KAFKA_KEY_PASSWORD")


def _from_environment(properties: dict[str, str], name: str, variable: str) -> None:
    if name not in properties and (value := read_secret(variable)) is not None:
        properties[name] = value.decode("utf-8", "surrogateescape")
