"""A small schema registry over real HTTP, by the paths of the real ones."""

from __future__ import annotations

import json
import re
import threading
from base64 import b64encode
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

import pytest

__all__ = ["Registry", "registry"]


class Registry:
    """Schemas under subjects; the same schema has the same number everywhere.

    login: USER:PASSWORD that is asked for, if any; asked: the paths that were asked for; failing: how many
    requests are still answered with 503; incompatible: whether a new schema is refused.
    """

    def __init__(self) -> None:
        self.schemas: list[dict[str, Any]] = []
        self.subjects: dict[str, list[int]] = {}
        self.login = ""
        self.asked: list[str] = []
        self.failing = 0
        self.incompatible = False
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def add(self, subject: str, schema: Any, **more: Any) -> int:
        """Register a schema, and give its number."""
        entry = {"schema": json.dumps(schema), **more}
        if entry not in self.schemas:
            self.schemas.append(entry)
        number = self.schemas.index(entry) + 1
        versions = self.subjects.setdefault(subject, [])
        if number not in versions:
            versions.append(number)
        return number

    def answer(self, method: str, path: str, login: str, body: bytes) -> tuple[int, Any]:
        self.asked.append(f"{method} {path}")
        if self.failing:
            self.failing -= 1
            return 503, {"error_code": 50001, "message": "away"}
        if self.login and login != "Basic " + b64encode(self.login.encode()).decode():
            return 401, {"error_code": 401, "message": "Unauthorized"}
        if found := re.fullmatch(r"/schemas/ids/(\d+)", path):
            number = int(found[1])
            if not 0 < number <= len(self.schemas):
                return 404, {"error_code": 40403, "message": "Schema not found"}
            return 200, self.schemas[number - 1]
        if found := re.fullmatch(r"/subjects/([^/]+)/versions(?:/(\d+))?", path):
            subject = unquote(found[1])
            if method == "POST":
                if self.incompatible:
                    return 409, {"error_code": 409, "message": "incompatible"}
                return 200, {"id": self.add(subject, json.loads(json.loads(body)["schema"]))}
            versions = self.subjects.get(subject, [])
            if not found[2]:
                return 200, list(range(1, len(versions) + 1))
            if not 0 < int(found[2]) <= len(versions):
                return 404, {"error_code": 40402, "message": "Version not found"}
            number = versions[int(found[2]) - 1]
            about = {"subject": subject, "version": int(found[2]), "id": number}
            return 200, about | self.schemas[number - 1]
        return 404, {"error_code": 404, "message": "HTTP 404 Not Found"}


def _handler(registry: Registry) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            login = self.headers.get("Authorization") or ""
            status, answer = registry.answer(self.command, self.path, login, body)
            said = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/vnd.schemaregistry.v1+json")
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        do_POST = do_GET  # noqa: N815 - the standard library's name

        def log_message(self, *_: Any) -> None:
            pass

    return Handler


@pytest.fixture
def registry() -> Iterator[Registry]:
    """A registry that holds nothing yet."""
    made = Registry()
    yield made
    made.close()
