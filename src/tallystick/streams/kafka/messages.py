"""Messages of the client library: partitions, headers, times of arrival."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Message", "arrivals", "by_partition", "header"]

#: The client library's own; it is not there without the extra.
Message = Any


def by_partition(messages: list[Message]) -> list[tuple[int, list[Message]]]:
    """Sort messages into partitions, each in its order, the partitions as they were first met."""
    found: dict[int, list[Message]] = {}
    for message in messages:
        partition = message.partition()
        if partition in found:
            found[partition].append(message)
        else:
            found[partition] = [message]
    return list(found.items())


def arrivals(messages: Sequence[Message]) -> NDArray[np.int64]:
    """Return when each message arrived: int64 (messages,), microseconds UTC.

    Brokers keep milliseconds: the last microsecond of it is given, so that what happened in the same one is
    not in the future. A message without a time, or from a clock that is ahead, arrives now.
    """
    now = time.time_ns() // 1000
    stamps = [message.timestamp() for message in messages]
    millis = np.array([stamp for kind, stamp in stamps], np.int64)
    known = np.array([kind for kind, stamp in stamps], np.int64) != 0
    return np.where(known & (millis >= 0), np.minimum(millis * 1000 + 999, now), now)


def header(message: Message, name: str) -> bytes | None:
    """Return the last value of a header, or None where the message has none of the name."""
    value: bytes | str | None = None
    for key, part in message.headers() or ():
        if key == name:
            value = part
    return value.encode() if isinstance(value, str) else value
