"""A webhook as a sink, against a real server: signed, in order, tried again, given up with words."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tallystick.config import Settings
from tallystick.connectors import http_post
from tallystick.errors import TallystickError, UsageError
from tallystick.streams.sinks import open_stream

SCHEMA = pa.schema(
    [("id", pa.string()), ("score", pa.float64()), ("sequence", pa.map_(pa.string(), pa.int64()))]
)


def decisions(start: int, rows: int) -> pa.RecordBatch:
    numbers = range(start, start + rows)
    values = [[f"a\n{i}" for i in numbers], [i / 4 for i in numbers], [[("card", i)] for i in numbers]]
    return pa.RecordBatch.from_arrays(
        [pa.array(column, field.type) for column, field in zip(values, SCHEMA, strict=True)], schema=SCHEMA
    )


class Receiver:
    """Keeps what it is sent; `plan` holds the answers to come: a status, with headers and a pause."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, str], bytes, float]] = []
        self.plan: list[tuple[int, dict[str, str], float]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.requests.append((self.path, dict(self.headers), body, time.monotonic()))
                status, headers, pause = receiver.plan.pop(0) if receiver.plan else (200, {}, 0.0)
                time.sleep(pause)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                answer = b"what for?\x1b[31m"
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def handle(self) -> None:
                with suppress(BrokenPipeError, ConnectionResetError):  # who waited has gone
                    super().handle()

            def log_message(self, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture(name="receiver")
def _receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    for name in ("http_proxy", "HTTP_PROXY", "TALLYSTICK_WEBHOOK_SECRET", "TALLYSTICK_WEBHOOK_SECRET_FILE"):
        monkeypatch.delenv(name, raising=False)
    receiver = Receiver()
    yield receiver
    receiver.close()


def opened(uri: str, number: int = 0) -> Any:
    sink = open_stream(uri, SCHEMA, Settings(), stream="fraud live")
    assert sink.resume(number, None) == number
    return sink


def test_decisions_are_posted_in_order_and_in_pieces(receiver: Receiver) -> None:
    sink = opened(f"{receiver.url}/in?a=1&tallystick.limit=2&b=%2F", 6)
    assert sink.deliver(9, [decisions(0, 3), decisions(3, 2)]) is None
    sink.deliver(10, [])
    sink.deliver(12, [decisions(5, 1)])
    bodies = [json.loads(body) for _, _, body, _ in receiver.requests]
    assert [[one["score"] * 4 for one in body] for body in bodies] == [[0, 1], [2, 3], [4], [5]]
    assert bodies[0][1] == {"id": "a\n1", "score": 0.25, "sequence": {"card": 1}}
    keys = [headers["Idempotency-Key"] for _, headers, _, _ in receiver.requests]
    assert keys == ["fraud_live-7-9", "fraud_live-7-9.2", "fraud_live-7-9.3", "fraud_live-11-12"]
    assert {path for path, _, _, _ in receiver.requests} == {"/in?a=1&b=%2F"}
    assert receiver.requests[0][1]["Content-Type"] == "application/json"
    assert "Tallystick-Signature" not in receiver.requests[0][1]


@pytest.mark.parametrize("by_file", [False, True])
def test_a_secret_signs_time_and_body(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, by_file: bool
) -> None:
    if by_file:
        (tmp_path / "secret").write_bytes(b"hush\n")
        monkeypatch.setenv("TALLYSTICK_WEBHOOK_SECRET_FILE", str(tmp_path / "secret"))
    else:
        monkeypatch.setenv("TALLYSTICK_WEBHOOK_SECRET", "hush")
    sink = opened(receiver.url + "/")
    sink.deliver(1, [decisions(0, 1)])
    _, headers, body, _ = receiver.requests[0]
    moment, _, signed = headers["Tallystick-Signature"].partition(",v1=")
    assert abs(int(moment.removeprefix("t=")) - time.time()) < 5
    message = moment.removeprefix("t=").encode() + b"." + body
    assert signed == hmac.new(b"hush", message, hashlib.sha256).hexdigest()
    assert "hush" not in repr(sink) + repr(vars(sink)["name"])


def test_what_passes_is_tried_again_with_the_same_key(receiver: Receiver) -> None:
    receiver.plan = [(503, {}, 0), (429, {"Retry-After": "1"}, 0), (500, {}, 0)]
    opened(receiver.url).deliver(3, [decisions(0, 1)])
    assert len(receiver.requests) == 4
    assert len({headers["Idempotency-Key"] for _, headers, _, _ in receiver.requests}) == 1
    assert len({body for _, _, body, _ in receiver.requests}) == 1
    moments = [moment for _, _, _, moment in receiver.requests]
    assert moments[1] - moments[0] >= 0.1
    assert moments[2] - moments[1] >= 1


def test_an_answer_that_takes_too_long_is_tried_again(receiver: Receiver) -> None:
    receiver.plan = [(200, {}, 1.5)]
    opened(f"{receiver.url}/?tallystick.timeout=1").deliver(3, [decisions(0, 1)])
    assert len(receiver.requests) == 2


@pytest.mark.parametrize(("status", "headers"), [(400, {}), (401, {}), (404, {}), (302, {"Location": "/x"})])
def test_what_will_not_pass_is_given_up_at_once(
    receiver: Receiver, status: int, headers: dict[str, str]
) -> None:
    receiver.plan = [(status, headers, 0)]
    sink = opened(receiver.url.replace("//", "//me:hidden@") + "/in?token=secret")
    with pytest.raises(TallystickError, match=f'answered with status {status}, "what for\\?') as error:
        sink.deliver(3, [decisions(0, 1)])
    assert len(receiver.requests) == 1
    assert "\x1b" not in str(error.value)
    assert "secret" not in str(error.value) + sink.name
    assert "hidden" not in str(error.value) + sink.name
    assert receiver.requests[0][1]["Authorization"].startswith("Basic ")


def test_patience_ends(receiver: Receiver) -> None:
    receiver.plan = [(503, {}, 0)] * 100
    began = time.monotonic()
    with pytest.raises(TallystickError, match=r"(?s)status 503.*Given up after \d"):
        opened(f"{receiver.url}/?tallystick.patience=1").deliver(3, [decisions(0, 1)])
    assert time.monotonic() - began < 2
    assert 2 <= len(receiver.requests) <= 8


def test_nobody_there_is_told_without_secrets(receiver: Receiver) -> None:
    url = receiver.url
    receiver.server.server_close()
    with pytest.raises(TallystickError, match="gave no answer: Connection refused") as error:
        opened(f"{url}/T0ken1234567890123456?key=hidden&tallystick.patience=1").deliver(3, [decisions(0, 1)])
    assert "hidden" not in str(error.value)
    assert "T0ken" not in str(error.value)


def test_closing_ends_the_waiting(receiver: Receiver) -> None:
    receiver.plan = [(503, {"Retry-After": "60"}, 0)]
    sink = opened(receiver.url)
    threading.Timer(0.3, sink.close).start()
    began = time.monotonic()
    with pytest.raises(TallystickError, match="was stopped"):
        sink.deliver(3, [decisions(0, 1)])
    assert time.monotonic() - began < 5


def test_what_is_no_webhook_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for uri in ("http://", "https://host:99999/", "http://a b/"):
        with pytest.raises(UsageError, match="URL"):
            opened(uri)
    with pytest.raises(UsageError, match="Did you mean"):
        opened("http://host/?tallystick.limt=3")
    for value in ("0", "x", "1e9"):
        with pytest.raises(UsageError, match="from 1 up"):
            opened(f"http://host/?tallystick.limit={value}")
    monkeypatch.setenv("TALLYSTICK_WEBHOOK_SECRET_FILE", "/nowhere")
    with pytest.raises(UsageError, match="cannot be read"):
        opened("http://host/")


def test_waiting_grows_and_asking_for_peace_is_heard() -> None:
    assert [
        round(http_post.back_off(tries, least=1, most=8) * 2 + 0.5) >= 2 ** (tries - 1) for tries in (1, 2, 3)
    ]
    assert max(http_post.back_off(99, most=8) for _ in range(50)) <= 8
    assert len({http_post.back_off(5) for _ in range(5)}) > 1
    answer = http_post.Answer(503, headers={"retry-after": "Sun, 06 Nov 1994 08:49:37 GMT"})
    assert answer.retry_after(now=784111770.0) == 7
    assert http_post.Answer(503, headers={"retry-after": "9" * 30}).retry_after() == 3600
    assert http_post.Answer(503, headers={"retry-after": "soon"}).retry_after() == 0
