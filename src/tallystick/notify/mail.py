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
from tallystick.notify.channel import RefusedError, Say, TryLaterError
from tallystick.notify.message import Message
from tallystick.notify.payload import clean
from tallystick.secrets import read_secret

__all__ = ["Mail"]

TIMEOUT = 15.0  # seconds for each answer of the server
PORTS = {"starttls": 587, "implicit": 465, "none": 25}
ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?")
HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?|\[?[0-9A-Fa-f:.]{2,45}\]?")
NEAR = ("localhost", "127.0.0.1", "::1", "[::1]")
MOST = 100  # addresses


@dataclass(frozen=True)
class Mail:
    """Whom to write to, and by which server."""

    KEYS: ClassVar = (
        "to", "from", "host", "port", "tls", "ca", "user", "password_env", "password_file",
    )  # fmt: skip
    NEEDED: ClassVar = ("to", "from", "host")
    waits: ClassVar[bool] = True

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
        """Read what was declared; what is wrong goes to `lines`, the password's value never."""
        reader = _Reader(name, parts, lines)
        to = tuple(dict.fromkeys(reader.addresses("to")))
        sender = next(iter(reader.addresses("from")), "")
        host = reader.said("host")
        if host and not HOST.fullmatch(host):
            reader.wrong("host", f'"{host}" is no name of a server.')
        tls = reader.said("tls", "starttls")
        if tls not in PORTS:
            reader.wrong("tls", f'"{tls}" is not known here. {did_you_mean(tls, PORTS)}')
        port = reader.said("port", str(PORTS.get(tls, 25)))
        if not (port.isascii() and port.isdigit() and 0 < int(port[:6]) < 65_536):
            reader.wrong("port", f'"{port}" is no port: a number from 1 to 65535 is wanted.')
            port = "25"
        user = reader.said("user")
        source, password = reader.password()
        if bool(user) is not bool(source):
            reader.wrong("user" if user else source.partition(" ")[0], "a user and a password go together.")
        if user and tls == "none" and host not in NEAR:
            reader.wrong(
                "tls", "a password is not sent in the clear: starttls or implicit is wanted with a user."
            )
        if not user.isprintable():
            reader.wrong("user", "it holds signs that cannot be sent.")
        return cls(name, to, sender, host, int(port), tls, reader.ca(), user, source, password)

    def send(self, message: Message, say: Say) -> None:
        """Hand it to the server once; whom it refuses of several is said, the others have it."""
        letter = self.letter(message)
        server = None
        try:
            server = self._server()
            if self.user:
                server.login(self.user, self.password)
            refused = server.send_message(letter, self.sender, list(self.to))
            with contextlib.suppress(smtplib.SMTPException, OSError):
                server.quit()  # it was taken: what comes of good manners does not count
        except smtplib.SMTPRecipientsRefused as error:
            codes = [code for code, _ in error.recipients.values()]
            said = self._said(
                "nobody of those it is for was accepted", *next(iter(error.recipients.values()))
            )
            raise _judged(said, min(codes)) from None
        except smtplib.SMTPAuthenticationError as error:
            # Whoever changes a password does it in two places, one after the other.
            raise TryLaterError(self._said("user and password were not accepted", error.smtp_code)) from None
        except smtplib.SMTPResponseException as error:
            raise _judged(self._said("refused", error.smtp_code, error.smtp_error), error.smtp_code) from None
        except (smtplib.SMTPException, OSError, ValueError) as error:
            raise TryLaterError(self._said(_words(error))) from None
        finally:
            if server is not None:
                server.close()
        if refused:
            say(f"{self.name}: {self.host} took no message for {', '.join(sorted(refused))}.")

    def letter(self, message: Message) -> EmailMessage:
        """Write the letter; its Message-ID is the same whenever the same notices are sent."""
        letter = EmailMessage(policy=SMTP)
        letter["From"] = self.sender
        letter["To"] = ", ".join(self.to)
        letter["Subject"] = message.subject()
        letter["Date"] = formatdate()
        letter["Message-ID"] = f"<{message.key}@{self.sender.rpartition('@')[2]}>"
        letter["Auto-Submitted"] = "auto-generated"
        told = "One decision" if message.count == 1 else f"{message.count:,} decisions"
        lines = [f"{told} by the rule: {clean(message.rule)}", "", *message.lines()]
        letter.set_content("\n".join(lines) + "\n", cte="quoted-printable")  # short lines, through any relay
        return letter

    def describe(self) -> dict[str, Any]:
        """Return what was declared."""
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
        """Connect, and trust the server as far as `tls` says."""
        ours = clean(socket.gethostname()) or "localhost"  # getfqdn may wait for a name server
        host = self.host.strip("[]")
        if self.tls == "none":
            return smtplib.SMTP(host, self.port, ours, timeout=TIMEOUT)
        trust = ssl.create_default_context(cafile=self.ca or None)
        if self.tls == "implicit":
            return smtplib.SMTP_SSL(host, self.port, ours, timeout=TIMEOUT, context=trust)
        server = smtplib.SMTP(host, self.port, ours, timeout=TIMEOUT)
        try:
            server.starttls(context=trust)
        except BaseException:
            server.close()
            raise
        return server

    def _said(self, what: str, code: int = 0, answer: bytes | str = b"") -> str:
        words = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
        if self.password:
            words = words.replace(self.password, "…")
        tail = f" ({code} {clean(words)})".replace(" )", ")") if code else ""
        return f"{self.host}:{self.port}: {what}{tail}"


def _judged(said: str, code: int) -> TryLaterError | RefusedError:
    """A code of 500 and more will not change; all others may."""
    return RefusedError(said) if code >= 500 else TryLaterError(said)


def _words(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {clean(error.verify_message)}"
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return f"it does not offer what is needed: {clean(str(error))}"
    if isinstance(error, TimeoutError):
        return "it took too long"
    if isinstance(error, OSError) and error.strerror:
        return clean(error.strerror)
    return type(error).__name__


class _Reader:
    """Takes the parts of a declaration, and says what is wrong with its name before it."""

    def __init__(self, name: str, parts: Mapping[str, Any], lines: Lines) -> None:
        self._name, self._parts, self._lines = name, parts, lines

    def wrong(self, key: str, problem: str) -> None:
        node = self._parts[key] if key in self._parts else next(iter(self._parts.values()))
        self._lines.wrong(node, f'"{self._name}", {key}: {problem}')

    def said(self, key: str, default: str = "") -> str:
        if key not in self._parts:
            return default
        return self._lines.scalar(self._parts[key], f'"{self._name}", {key}') or default

    def addresses(self, key: str) -> list[str]:
        found = self._lines.texts(self._parts[key], f'"{self._name}", {key}')
        for address in found:
            if not ADDRESS.fullmatch(address) or ".." in address:
                self.wrong(key, f'"{address}" is no address such as desk@bank.example.')
        if len(found) > (1 if key == "from" else MOST):
            self.wrong(
                key, "one address is wanted." if key == "from" else f"at most {MOST} addresses are taken."
            )
        return found

    def ca(self) -> str:
        path = self.said("ca")
        if path:
            try:
                ssl.create_default_context(cafile=path)
            except (OSError, ValueError) as error:  # an SSLError is an OSError
                self.wrong("ca", f'"{path}" holds no certificates that can be read: {_words(error)}.')
        return path

    def password(self) -> tuple[str, str]:
        """Return which key the password comes from, with what it names, and the password."""
        if "password_env" in self._parts and "password_file" in self._parts:
            self.wrong("password_file", "password_env is there too; one of them is enough.")
        key = next((key for key in ("password_env", "password_file") if key in self._parts), "")
        named = self.said(key) if key else ""
        if not named:
            return (key, "")
        try:
            environment = None if key == "password_env" else {"PASSWORD_FILE": str(Path(named))}
            secret = read_secret(named if key == "password_env" else "PASSWORD", environment)
        except UsageError as error:
            self.wrong(key, f"{error.message.replace('PASSWORD_FILE names ', '')} {error.hint}")
            return f"{key} {named}", ""
        if not secret:
            self.wrong(key, f"the environment has no {named}, nor {named}_FILE; set one of them to the "
                            "password, or to a file that holds it.")  # fmt: skip
        return f"{key} {named}", (secret or b"").decode("utf-8", "replace")
