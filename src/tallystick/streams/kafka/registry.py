"""A schema registry, by the REST paths that all of them share."""

from __future__ import annotations

import base64
import json
import ssl
import time
import urllib.request
from http.client import HTTPException
from typing import Any
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from tallystick.errors import TallystickError, UsageError
from tallystick.secrets import read_secret

__all__ = ["Registry", "UnknownSchemaError"]

_TYPE = "application/vnd.schemaregistry.v1+json"
TIMEOUT = 10.0
# Waited between tries, in seconds: a registry that restarts is back by then.
PAUSES = (0.1, 0.3, 1.0, 3.0)
# How long an unknown number is taken to be unknown: a registry's copies may lag behind the one written to.
FORGET = 5.0


class UnknownSchemaError(Exception):
    """The registry has no such schema, or one that is no Avro."""


class Registry:
    """Schemas by their number, fetched once each.

    url: http:// or https://, may hold USER:PASSWORD@; otherwise they come from TALLYSTICK_REGISTRY_AUTH (or
    the file TALLYSTICK_REGISTRY_AUTH_FILE). authorities: a file of certificates to trust. Neither url nor
    repr shows the password.
    """

    def __init__(self, url: str, authorities: str | None = None) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise UsageError(
                "The option registry is no address of a schema registry.", "Write ?registry=http://HOST:PORT."
            )
        user, found, host = parts.netloc.rpartition("@")
        self.url = urlunsplit((parts.scheme, host, parts.path.rstrip("/"), "", ""))
        access = unquote(user).encode() if found else read_secret("TALLYSTICK_REGISTRY_AUTH")
        self._headers = {"Accept": f"{_TYPE}, application/json"}
        if access:
            self._headers["Authorization"] = "Basic " + base64.b64encode(access).decode()
        self._opener = _opener(authorities)
        self._known: dict[int, dict[str, Any]] = {}
        self._unknown: dict[int, tuple[float, str]] = {}

    def __repr__(self) -> str:
        return f"Registry({self.url!r})"

    def schema(self, number: int) -> dict[str, Any]:
        """Return what the registry holds under a number: `schema` (text) and perhaps `references`.

        Raises UnknownSchemaError where it has none, TallystickError where it does not answer.
        """
        if number in self._known:
            return self._known[number]
        until, why = self._unknown.get(number, (0.0, ""))
        if time.monotonic() < until:
            raise UnknownSchemaError(why)
        status, answer = self._ask("GET", f"/schemas/ids/{number}")
        kind = answer.get("schemaType", "AVRO")
        if status == 200 and kind == "AVRO":
            self._known[number] = answer
            return answer
        why = (
            f"schema {number} is {kind}, not Avro"
            if status == 200
            else f"the registry knows no schema {number}"
        )
        if status not in (200, 404):
            raise self._refused(status, answer)
        self._unknown[number] = (time.monotonic() + FORGET, why)
        raise UnknownSchemaError(why)

    def reference(self, subject: str, version: int) -> dict[str, Any]:
        """Return a schema that another one refers to."""
        status, answer = self._ask("GET", f"/subjects/{quote(subject, safe='')}/versions/{version}")
        if status == 404:
            raise UnknownSchemaError(f"the registry knows no version {version} of {subject}")
        if status != 200:
            raise self._refused(status, answer)
        return answer

    def register(self, subject: str, schema: dict[str, Any]) -> int:
        """Register a schema under a subject, and return its number: the same one for the same schema."""
        body = json.dumps({"schema": json.dumps(schema)}).encode()
        status, answer = self._ask("POST", f"/subjects/{quote(subject, safe='')}/versions", body)
        if status == 409:
            raise TallystickError(
                f'The schema of the decisions does not follow the one that the registry has for "{subject}".',
                "Another task, or another version, wrote here before: name another topic, or set the "
                "subject's compatibility to NONE.",
            )
        if status != 200 or not isinstance(answer.get("id"), int):
            raise self._refused(status, answer)
        return int(answer["id"])

    def _ask(self, method: str, path: str, body: bytes | None = None) -> tuple[int, dict[str, Any]]:
        """Send a request, again where the registry is away; the answer's status and JSON object."""
        headers = self._headers | ({"Content-Type": _TYPE} if body else {})
        request = urllib.request.Request(self.url + path, body, headers, method=method)  # noqa: S310 - checked
        for pause in (*PAUSES, 0.0):
            try:
                with self._opener.open(request, timeout=TIMEOUT) as answer:
                    if answer.status < 500 or not pause:
                        return int(answer.status), _object(answer.read())
            except (OSError, HTTPException) as error:
                if not pause:
                    why = getattr(error, "reason", None) or error
                    raise TallystickError(
                        f"The schema registry at {self.url} does not answer: {why}.",
                        "Is it up, and is ?registry= right?",
                    ) from None
            time.sleep(pause)
        raise AssertionError("the last try returns or raises")  # pragma: no cover

    def _refused(self, status: int, answer: dict[str, Any]) -> TallystickError:
        if status in (401, 403):
            return TallystickError(
                f"The schema registry at {self.url} does not let us in (HTTP {status}).",
                "Set TALLYSTICK_REGISTRY_AUTH to USER:PASSWORD.",
            )
        said = str(answer.get("message", "")).rstrip(".")
        return TallystickError(
            f"The schema registry at {self.url} answered HTTP {status}: {said or 'no reason given'}."
        )


def _object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _opener(authorities: str | None) -> urllib.request.OpenerDirector:
    """Build an opener that returns every status and follows no redirect to another host."""
    try:
        context = ssl.create_default_context(cafile=authorities)
    except (OSError, ssl.SSLError) as error:
        raise UsageError(
            f"{authorities} cannot be used as certificates to trust: {error}.", "Name a PEM file."
        ) from None
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(context=context),
    ):
        opener.add_handler(handler)
    return opener
