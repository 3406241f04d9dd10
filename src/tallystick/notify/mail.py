"""E-mail channel: a plain-text mail over SMTP, to a server whose certificate is checked."""

from __future__ import annotations

import contextlib
import re
import smtplib
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate
from pathlib import Path
from typing import Any, ClassVar

from tallystick.contracts.yaml_lines import Lines
from tallystick.errors import UsageError, did_you_mean
from tallystick.notify.channel import PrintLine, RefusedError, TryLaterError
from tallystick.notify.message import Message
from tallystick.notify.payload import clean
from tallystick.secrets import read_secret

__all__ = ["Mail"]

TIMEOUT = 15.0  # seconds for each answer of the server
PORTS = {"starttls": 587, "implicit": 465, "none": 25}
ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?")
HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?|\[?[0-9A-Fa-f:.]{2,45}\]?")
LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1", "[::1]")
MAX_ADDRESSES = 100  # addresses


@dataclass(frozen=True)
class Mail:
    """Recipients, sender and SMTP server."""

    KEYS: ClassVar = (
        "to", "from", "host", "port", "tls", "ca", "user", "password_env", "password_file",
    )  # fmt: skip
    NEEDED: ClassVar = ("to", "from", "host")
    blocking: ClassVar[bool] = True

    name: str
    to: tuple[str, ...]
    sender: str
    host: str
    port: int
    tls: str = "starttls"
    ca: str = ""
    user: str = ""
    password_from: str = ""
    password: str = field(default="", repr=False)

    @classmethod
    def read(cls, name: str, parts: Mapping[str, Any], lines: Lines) -> Mail:
        """Read the declaration; mistakes go to `lines`, never the password."""
        reader = _Reader(name, parts, lines)
        to = tuple(dict.fromkeys(reader.addresses("to")))
        sender = next(iter(reader.addresses("from")), "")
        host = reader.text("host")
        if host and not HOST.fullmatch(host):
            reader.wrong("host", f'"{host}" is not a server name.')
        tls = reader.text("tls", "starttls")
        if tls not in PORTS:
            reader.wrong("tls", f'"{tls}" is unknown. {did_you_mean(tls, PORTS)}')
        port = reader.text("port", str(PORTS.get(tls, 25)))
        if not (port.isascii() and port.isdigit() and 0 < int(port[:6]) < 65_536):
            reader.wrong("port", f'"{port}" is not a port; use a number from 1 to 65535.')
            port = "25"
        user = reader.text("user")
        source, password = reader.password()
        if bool(user) is not bool(source):
            reader.wrong(
                "user" if user else source.partition(" ")[0], "user and password must be set together."
            )
        if user and tls == "none" and host not in LOCAL_HOSTS:
            reader.wrong(
                "tls", "a password is never sent unencrypted; with a user, use starttls or implicit."
            )
        if not user.isprintable():
            reader.wrong("user", "it has characters that cannot be sent.")
        return cls(name, to, sender, host, int(port), tls, reader.ca(), user, source, password)

    def send(self, message: Message, print_line: PrintLine) -> None:
        """Send the message once; recipients that the server rejects are printed."""
        email = self.email(message)
        server = None
        try:
            server = self._server()
            if self.user:
                server.login(self.user, self.password)
            refused = server.send_message(email, self.sender, list(self.to))
            with contextlib.suppress(smtplib.SMTPException, OSError):
                server.quit()  # the message is accepted: errors of QUIT do not matter
        except smtplib.SMTPRecipientsRefused as error:
            codes = [code for code, _ in error.recipients.values()]
            text = self._error_text("no recipient was accepted", *next(iter(error.recipients.values())))
            raise _error_for(text, min(codes)) from None
        except smtplib.SMTPAuthenticationError as error:
            # A password is changed in two places, one after the other: retry.
            raise TryLaterError(
                self._error_text("user or password was not accepted", error.smtp_code)
            ) from None
        except smtplib.SMTPResponseException as error:
            raise _error_for(
                self._error_text("refused", error.smtp_code, error.smtp_error), error.smtp_code
            ) from None
        except (smtplib.SMTPException, OSError, ValueError) as error:
            raise TryLaterError(self._error_text(_reason_text(error))) from None
        finally:
            if server is not None:
                server.close()
        if refused:
            print_line(f"{self.name}: {self.host} rejected {', '.join(sorted(refused))}.")

    def email(self, message: Message) -> EmailMessage:
        """Format the e-mail; its Message-ID depends on the notices only."""
        email = EmailMessage(policy=SMTP)
        email["From"] = self.sender
        email["To"] = ", ".join(self.to)
        email["Subject"] = message.subject()
        email["Date"] = formatdate()
        email["Message-ID"] = f"<{message.key}@{self.sender.rpartition('@')[2]}>"
        email["Auto-Submitted"] = "auto-generated"
        decisions = "One decision" if message.count == 1 else f"{message.count:,} decisions"
        body_lines = [f"{decisions} by the rule: {clean(message.rule)}", "", *message.lines()]
        email.set_content(
            "\n".join(body_lines) + "\n", cte="quoted-printable"
        )  # short lines, for every relay
        return email

    def describe(self) -> dict[str, Any]:
        """Return the declaration."""
        return {
            "kind": "email",
            "to": list(self.to),
            "from": self.sender,
            "host": self.host,
            "port": self.port,
            "tls": self.tls,
            "ca": self.ca,
            "user": self.user,
            "password_from": self.password_from,
        }

    def _server(self) -> smtplib.SMTP:
        """Connect, with the encryption that `tls` names."""
        local_name = clean(socket.gethostname()) or "localhost"  # getfqdn may wait for DNS
        host = self.host.strip("[]")
        if self.tls == "none":
            return smtplib.SMTP(host, self.port, local_name, timeout=TIMEOUT)
        context = ssl.create_default_context(cafile=self.ca or None)
        if self.tls == "implicit":
            return smtplib.SMTP_SSL(host, self.port, local_name, timeout=TIMEOUT, context=context)
        server = smtplib.SMTP(host, self.port, local_name, timeout=TIMEOUT)
        try:
            server.starttls(context=context)
        except BaseException:
            server.close()
            raise
        return server

    def _error_text(self, problem: str, code: int = 0, answer: bytes | str = b"") -> str:
        text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
        if self.password:
            text = text.replace(self.password, "…")
        suffix = f" ({code} {clean(text)})".replace(" )", ")") if code else ""
        return f"{self.host}:{self.port}: {problem}{suffix}"


def _error_for(text: str, code: int) -> TryLaterError | RefusedError:
    """Codes from 500 are permanent, others temporary."""
    return RefusedError(text) if code >= 500 else TryLaterError(text)


def _reason_text(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {clean(error.verify_message)}"
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return f"it lacks a feature: {clean(str(error))}"
    if isinstance(error, TimeoutError):
        return "timeout"
    if isinstance(error, OSError) and error.strerror:
        return clean(error.strerror)
    return type(error).__name__


class _Reader:
    """Reads the parts of a declaration; mistakes are reported with the channel's name."""

    def __init__(self, name: str, parts: Mapping[str, Any], lines: Lines) -> None:
        self._name, self._parts, self._lines = name, parts, lines

    def wrong(self, key: str, problem: str) -> None:
        node = self._parts[key] if key in self._parts else next(iter(self._parts.values()))
        self._lines.wrong(node, f'"{self._name}", {key}: {problem}')

    def text(self, key: str, default: str = "") -> str:
        if key not in self._parts:
            return default
        return self._lines.scalar(self._parts[key], f'"{self._name}", {key}') or default

    def addresses(self, key: str) -> list[str]:
        addresses = self._lines.texts(self._parts[key], f'"{self._name}", {key}')
        for address in addresses:
            if not ADDRESS.fullmatch(address) or ".." in address:
                self.wrong(key, f'"{address}" is not an address such as desk@bank.example.')
        if len(addresses) > (1 if key == "from" else MAX_ADDRESSES):
            self.wrong(
                key,
                "one address is allowed."
                if key == "from"
                else f"at most {MAX_ADDRESSES} addresses are allowed.",
            )
        return addresses

    def ca(self) -> str:
        path = self.text("ca")
        if path:
            try:
                ssl.create_default_context(cafile=path)
            except (OSError, ValueError) as error:  # an SSLError is an OSError
                self.wrong("ca", f'"{path}" has no readable certificates: {_reason_text(error)}.')
        return path

    def password(self) -> tuple[str, str]:
        """Return the source of the password (key and name), and the password."""
        if "password_env" in self._parts and "password_file" in self._parts:
            self.wrong("password_file", "password_env is set too; use one of them.")
        key = next((key for key in ("password_env", "password_file") if key in self._parts), "")
        variable = self.text(key) if key else ""
        if not variable:
            return (key, "")
        try:
            environment = None if key == "password_env" else {"PASSWORD_FILE": str(Path(variable))}
            secret = read_secret(variable if key == "password_env" else "PASSWORD", environment)
        except UsageError as error:
            self.wrong(key, f"{error.message.replace('PASSWORD_FILE names ', '')} {error.hint}")
            return f"{key} {variable}", ""
        if not secret:
            self.wrong(key, f"the environment has no {variable}, nor {variable}_FILE; set one of them to the "
                            "password, or to the path of a file with it.")  # fmt: skip
        return f"{key} {variable}", (secret or b"").decode("utf-8", "replace")
