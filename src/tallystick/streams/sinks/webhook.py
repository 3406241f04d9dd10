"""A webhook as a sink: decisions posted as JSON, signed, at least once."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Sequence
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import pyarrow as pa

from tallystick.config import Settings
from tallystick.connectors.http_post import checked, post_until_taken, shown
from tallystick.connectors.render import json_lines
from tallystick.errors import TallystickError, UsageError, did_you_mean
from tallystick.secrets import read_secret
from tallystick.streams.sink import Mark

__all__ = ["SCHEMES", "SECRET", "Webhook", "open_stream"]

SCHEMES = ("http", "https")
SECRET = "TALLYSTICK_WEBHOOK_SECRET"  # noqa: S105 - the name of a variable
_PREFIX = "tallystick."
_DEFAULTS = {"limit": 500.0, "patience": 300.0, "timeout": 10.0}


def open_stream(uri: str, schema: pa.Schema, settings: Settings, *, stream: str) -> Webhook:  # noqa: ARG001
    """Open a webhook; `tallystick.limit`, `.timeout` and `.patience` of its query are ours, the rest its own.

    limit: decisions in one request; timeout: seconds to wait for an answer; patience: seconds to try for.
    """
    checked(uri)
    parts = urlsplit(uri)
    query = parse_qsl(parts.query, keep_blank_values=True)
    options = dict(_DEFAULTS)
    for name, value in query:
        if name.startswith(_PREFIX):
            options[_known(name)] = _positive(name, value)
    others = [pair for pair in query if not pair[0].startswith(_PREFIX)]
    # A query that has nothing of ours stays as it was written, to the byte.
    url = uri if len(others) == len(query) else urlunsplit(parts._replace(query=urlencode(others)))
    return Webhook(
        url,
        stream,
        secret=read_secret(SECRET),
        limit=int(options["limit"]),
        timeout=options["timeout"],
        patience=options["patience"],
    )


def _known(name: str) -> str:
    option = name.removeprefix(_PREFIX)
    if option not in _DEFAULTS:
        near = did_you_mean(name, [_PREFIX + one for one in _DEFAULTS])
        raise UsageError(f'A webhook has no option "{name}".', near)
    return option


def _positive(name: str, value: str) -> float:
    if not re.fullmatch(r"\d{1,6}(\.\d+)?", value) or float(value) < 1:
        raise UsageError(f'{name}="{value}" cannot be used.', "A number from 1 up is wanted.")
    return float(value)


class Webhook:
    """Posts decisions as JSON arrays, `limit` at a time, and waits until each is taken.

    `Idempotency-Key: STREAM-FIRST-LAST` names the entries of the log that a request holds decisions of, with
    `.2`, `.3` … for the further requests of one delivery. After a kill decisions may come again, grouped in
    another way: what tells them apart for good is their `id` and `task`. With a secret each request bears
    `Tallystick-Signature`.
    """

    def __init__(
        self,
        url: str,
        stream: str,
        *,
        secret: bytes | None = None,
        limit: int = 500,
        timeout: float = 10.0,
        patience: float = 300.0,
    ) -> None:
        self.name = shown(url)
        self._url, self._secret = url, secret
        # A header takes what can be seen and is ASCII.
        self._stream = re.sub(r"[^!-~]", "_", stream)
        self._limit, self._timeout, self._patience = limit, timeout, patience
        self._number = 0
        self._closed = threading.Event()

    def __repr__(self) -> str:
        return f"Webhook({self.name!r})"

    def resume(self, number: int, mark: Mark | None) -> int:  # noqa: ARG002
        """Begin after the last delivery that is known of."""
        self._number = number
        return number

    def deliver(self, number: int, batches: Sequence[pa.RecordBatch]) -> Mark | None:
        """Post the rows; TallystickError, with what came back, where they are not taken."""
        key = f"{self._stream}-{self._number + 1}-{number}"
        for part, batch in enumerate(_pieces(batches, self._limit), 1):
            headers = {
                "Content-Type": "application/json",
                "Idempotency-Key": key if part == 1 else f"{key}.{part}",
            }
            body = b"[" + json_lines(batch)[:-1].replace(b"\n", b",") + b"]"
            post_until_taken(
                self._url,
                body,
                headers,
                secret=self._secret,
                timeout=self._timeout,
                patience=self._patience,
                sleep=self._sleep,
            )
        self._number = number
        return None

    def close(self) -> None:
        """Try no more, also where another thread is waiting to."""
        self._closed.set()

    def _sleep(self, seconds: float) -> None:
        if self._closed.wait(seconds):
            raise TallystickError(
                f"{self.name} had not taken all when the stream was stopped.",
                "What was not delivered comes again at the next start.",
            )


def _pieces(batches: Sequence[pa.RecordBatch], limit: int) -> Iterator[pa.RecordBatch]:
    """Put rows together to requests."""
    if batches:
        table = pa.Table.from_batches(batches).combine_chunks()
        yield from table.to_batches(max_chunksize=limit)
