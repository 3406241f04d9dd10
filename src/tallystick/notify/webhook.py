"""Webhook channel: a POST of JSON, signed if there is a secret, with an idempotency key."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar
from urllib.parse import urlsplit

from tallystick.connectors.http_post import SIGNATURE, NoAnswerError, post, shown, signature
from tallystick.contracts.yaml_lines import Lines
from tallystick.errors import UsageError
from tallystick.notify.channel import PrintLine, RefusedError, TryLaterError
from tallystick.notify.message import Message
from tallystick.notify.payload import clean
from tallystick.secrets import read_secret

__all__ = ["Webhook"]

TIMEOUT = 10.0  # seconds


@dataclass(frozen=True)
class Webhook:
    """URL and signing secret; the URL may be secret too, so it is never shown whole."""

    KEYS: ClassVar = ("url", "secret_env")
    NEEDED: ClassVar = ("url",)
    blocking: ClassVar[bool] = True

    name: str
    url: str = field(repr=False)
    secret_env: str = ""
    secret: bytes | None = field(default=None, repr=False)

    @classmethod
    def read(cls, name: str, parts: Mapping[str, Any], lines: Lines) -> Webhook:
        """Read the declaration; mistakes go to `lines`, never the secret."""
        url = lines.scalar(parts["url"], f'"{name}", url') or ""
        if url and not _usable(url):
            lines.wrong(parts["url"], f'"{name}", url: use https://HOST/PATH, without blanks.')
        variable, secret = "", None
        if "secret_env" in parts:
            variable = lines.scalar(parts["secret_env"], f'"{name}", secret_env') or ""
            try:
                secret = read_secret(variable) if variable else None
            except UsageError as error:
                lines.wrong(parts["secret_env"], f'"{name}": {error.message} {error.hint}')
            else:
                if variable and not secret:
                    lines.wrong(
                        parts["secret_env"],
                        f'"{name}": the environment has no {variable}, nor {variable}_FILE; set one of them '
                        "to the secret, or to the path of a file with it.",
                    )
        return cls(name, url, variable, secret)

    def send(self, message: Message, print_line: PrintLine) -> None:  # noqa: ARG002 - it prints nothing
        """Post the message once."""
        body = message.body()
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "tallystick",
            "Idempotency-Key": message.key,
        }
        if self.secret is not None:
            headers[SIGNATURE] = signature(self.secret, int(time.time()), body)
        try:
            answer = post(self.url, body, headers, timeout=TIMEOUT)
        except NoAnswerError as error:
            raise TryLaterError(error.message) from None
        except UsageError as error:
            raise RefusedError(error.message) from None
        if answer.taken:
            return
        text = clean(f"{shown(self.url)} answered with {answer.said()}")
        if answer.passing:
            raise TryLaterError(text, answer.retry_after())
        raise RefusedError(text)

    def describe(self) -> dict[str, Any]:
        """Return the declaration."""
        return {"kind": "webhook", "url": shown(self.url), "secret_env": self.secret_env}


def _usable(url: str) -> bool:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    is_printable = url.isascii() and not any(sign <= " " or sign == "\x7f" for sign in url)
    return is_printable and parts.scheme in ("http", "https") and bool(parts.hostname) and port != 0
