"""An outbox in memory, a web server and a mail server that are real, and decisions."""

from __future__ import annotations

import asyncio
import http.server
import json
import ssl
import subprocess
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa
import pytest
from aiosmtpd.controller import Controller

from tallystick.notify import Notifier as Plain
from tallystick.notify import Notify

SECOND = 1_000_000
NOW = 1_800_000_000 * SECOND
ROUTE = pa.struct(
    [
        ("department", pa.string()),
        ("priority", pa.string()),
        ("due", pa.timestamp("us", "UTC")),
        ("rule", pa.string()),
    ]
)
REASON = pa.struct([("feature", pa.string()), ("value", pa.float64()), ("effect", pa.float64())])
WORDED = pa.struct([*REASON, ("words", pa.string())])


@dataclass(frozen=True)
class StoredNotice:
    id: int
    channel: str
    payload: dict[str, Any]
    tries: int
    created: int


@dataclass
class MemoryOutbox:
    """An outbox as a store keeps it: rows with a state, a time, tries and an error."""

    rows: dict[int, StoredNotice] = field(default_factory=dict)
    times: dict[int, int] = field(default_factory=dict)
    done: list[int] = field(default_factory=list)
    dead: dict[int, str] = field(default_factory=dict)
    errors: list[tuple[int, str]] = field(default_factory=list)

    def put(self, now: int, notices: Sequence[tuple[str, dict[str, Any]]]) -> None:
        for channel, payload in notices:
            at = len(self.times) + 1
            self.rows[at] = StoredNotice(at, channel, payload, 0, now)
            self.times[at] = now

    def due(self, now: int, most: int) -> list[StoredNotice]:
        ready = sorted(at for at in self.rows if self.times[at] <= now)
        return [self.rows[at] for at in ready[:most]]

    def settle(
        self,
        done: Sequence[int] = (),
        failed: Sequence[tuple[int, int, str]] = (),
        dead: Sequence[tuple[int, str]] = (),
    ) -> None:
        for at in done:
            del self.rows[at]
            self.done.append(at)
        for at, until, error in failed:
            self.rows[at] = replace(self.rows[at], tries=self.rows[at].tries + 1)
            self.times[at] = until
            self.errors.append((at, error))
        for at, error in dead:
            del self.rows[at]
            self.dead[at] = error


@dataclass
class Hook:
    """A web server: what it got, and the statuses that it answers with, the last over and over."""

    url: str = ""
    statuses: list[int] = field(default_factory=lambda: [204])
    headers: dict[str, str] = field(default_factory=dict)
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    wait: threading.Event = field(default_factory=threading.Event)


@pytest.fixture
def hook() -> Iterator[Hook]:
    state = Hook()
    state.wait.set()

    class Answers(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            state.got.append(({k.lower(): v for k, v in self.headers.items()}, body))
            state.wait.wait(30)
            status = state.statuses.pop(0) if len(state.statuses) > 1 else state.statuses[0]
            self.send_response(status)
            for name, value in state.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    server.daemon_threads = True
    state.url = f"http://127.0.0.1:{server.server_address[1]}/hook"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield state
    state.wait.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate of `localhost` that signs itself, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    key, cert = folder / "key.pem", folder / "cert.pem"
    asked = f"-keyout {key} -out {cert} -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes " + asked
    subprocess.run(command.split(), check=True, capture_output=True)
    return cert, key


@dataclass
class Post:
    """A mail server: letters, and what it answers to a recipient or a letter."""

    port: int = 0
    letters: list[tuple[list[str], bytes]] = field(default_factory=list)
    logins: list[bytes] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    answers: list[str] = field(default_factory=list)


class Mailer(Controller):
    """A controller that takes a port that is free."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()

    def stop(self, no_assert: bool = False) -> None:
        # What a client closed is let go of in the next turns of the loop.
        asyncio.run_coroutine_threadsafe(asyncio.sleep(0.05), self.loop).result(5)
        super().stop(no_assert)


@pytest.fixture
def post(certificate: tuple[Path, Path]) -> Iterator[Post]:
    from aiosmtpd.smtp import AuthResult

    state = Post()

    class Handler:
        async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
            self, server: Any, session: Any, envelope: Any, address: str, options: Any
        ) -> str:
            if address in state.refused:
                return state.refused[address]
            envelope.rcpt_tos.append(address)
            return "250 OK"

        async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
            if state.answers:
                answer = state.answers.pop(0)
                if not answer.startswith("250"):
                    return answer
            state.letters.append((list(envelope.rcpt_tos), envelope.content))
            return "250 taken"

    def authenticate(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> Any:
        state.logins.append(data.password)
        return AuthResult(
            success=data.login == b"tallystick" and data.password == b"pass word", handled=False
        )

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    controller = Mailer(
        Handler(), hostname="127.0.0.1", port=0, tls_context=context, require_starttls=True,
        auth_require_tls=True, authenticator=authenticate,
    )  # fmt: skip
    controller.start()
    state.port = controller.port
    yield state
    controller.stop()


def decisions(rows: Sequence[dict[str, Any]], *, worded: bool = True) -> pa.RecordBatch:
    """Write decisions; what a row leaves out is usual."""
    usual = {
        "id": "P1", "event_time": 0, "task": "fraud", "label": "yes", "score": 0.95, "action": "decline",
        "route": None, "reasons": [], "model": "fraud-1", "late": False,
    }  # fmt: skip
    kinds = {
        "id": pa.string(), "event_time": pa.timestamp("us", "UTC"), "task": pa.string(), "label": pa.string(),
        "score": pa.float64(), "action": pa.string(), "route": ROUTE,
        "reasons": pa.list_(WORDED if worded else REASON), "model": pa.string(), "late": pa.bool_(),
    }  # fmt: skip
    full = [{**usual, **row} for row in rows]
    arrays = [pa.array([row[name] for row in full], kind) for name, kind in kinds.items()]
    return pa.RecordBatch.from_arrays(arrays, names=list(kinds))


def notices(
    count: int, channel: str = "hook", notice: str = "r", **more: Any
) -> list[tuple[str, dict[str, Any]]]:
    """Make payloads as `Notify.notices` gives them."""
    return [
        (
            channel,
            {"id": f"P{i}", "task": "fraud", "label": "yes", "action": "decline", "notice": notice, **more},
        )
        for i in range(count)
    ]


def webhook(hook: Hook, rule: str = "", more: str = "") -> Notify:
    return Notify.read(
        f"channels:\n  hook: {{kind: webhook, url: '{hook.url}'}}\n{more}"
        f"rules:\n  - {{name: r, channel: hook{rule}}}\n"
    )


class Notifier(Plain):
    """One whose threads end with the test."""

    all: ClassVar[list[Plain]] = []

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.all.append(self)


def bodies(hook: Hook) -> list[dict[str, Any]]:
    return [json.loads(body) for _, body in hook.got]


def keys(hook: Hook) -> list[str]:
    return [headers["idempotency-key"] for headers, _ in hook.got]


def drain(notifier: Notifier, now: int) -> None:
    """Step until nothing more is on its way at that time."""
    for _ in range(400):
        if notifier.step(now) > 0 and not notifier._busy:
            return
    raise AssertionError("it never ended")


@pytest.fixture(autouse=True)
def closed(hook: Hook) -> Iterator[None]:
    yield
    hook.wait.set()
    while Notifier.all:
        Notifier.all.pop().close()
