"""Letters: by a real mail server with STARTTLS and AUTH; what it refuses, and what cannot be smuggled in."""

from __future__ import annotations

import dataclasses
import email
import email.policy
import ssl
from pathlib import Path
from typing import Any

import pytest
from tests.notify.conftest import SECOND, Mailer, MemoryOutbox, Post, notices

from tallystick.notify import Message, Notifier, Notify

NOW = 1_800_000_000 * SECOND


@pytest.fixture
def notify(post: Post, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> Notify:
    monkeypatch.setenv("DESK_PASSWORD", "pass word")
    return read(post, certificate[0])


def read(post: Post, ca: Path, more: str = "") -> Notify:
    return Notify.read(f"""
channels:
  desk:
    kind: email
    to: [one@bank.example, two@bank.example]
    from: tallystick@bank.example
    host: localhost
    port: {post.port}
    ca: {ca}
    user: tallystick
    password_env: DESK_PASSWORD
    {more}
rules:
  - {{name: refused payment, channel: desk, group: 60s}}
""")


def send(notify: Notify, count: int = 1, **payload: Any) -> tuple[MemoryOutbox, list[str]]:
    box, lines = MemoryOutbox(), []
    box.put(NOW, notices(count, "desk", "refused payment", **payload))
    notifier = Notifier(notify, box, source="payments", print_line=lines.append)
    for _ in range(40):
        if notifier.step(NOW) > 0 and not notifier._busy:
            break
    notifier.close()
    return box, lines


def test_a_letter_arrives_by_starttls_with_a_password(notify: Notify, post: Post) -> None:
    box, _ = send(
        notify, 12, label="Überweisung", reasons=[{"feature": "amount", "words": "amount 900.00 €"}]
    )
    assert len(box.done) == 12
    assert post.logins == [b"pass word"]
    [(to, content)] = post.letters
    assert to == ["one@bank.example", "two@bank.example"]
    letter = email.message_from_bytes(content, policy=email.policy.default)
    assert letter["Subject"] == "payments: refused payment (12 decisions)"
    assert letter["From"] == "tallystick@bank.example"
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter.get_content_type() == "text/plain"
    text = letter.get_content()
    assert "P9: fraud Überweisung, decline (amount 900.00 €)" in text
    assert "and 2 more" in text
    assert "P11" not in text


def test_the_message_id_is_the_same_when_it_goes_again(notify: Notify, post: Post) -> None:
    post.answers = ["451 try again", "250"]
    box, lines = MemoryOutbox(), []
    box.put(NOW, notices(2, "desk", "refused payment"))
    notifier = Notifier(notify, box, print_line=lines.append)
    notifier.step(NOW)
    assert "451 try again" in box.errors[0][1]
    channel = notify.channels["desk"]
    first = channel.email(Message("tallystick", "desk", "refused payment", tuple(box.due(NOW * 2, 9))))  # type: ignore[attr-defined]
    for _ in range(4):
        notifier.step(max(box.times.values()))
    notifier.close()
    letter = email.message_from_bytes(post.letters[0][1])
    assert letter["Message-ID"] == first["Message-ID"]
    assert letter["Message-ID"].endswith("@bank.example>")
    assert sorted(box.done) == [1, 2]


@pytest.mark.parametrize(("answer", "dead"), [("550 no such letter", True), ("452 full", False)])
def test_a_letter_that_is_refused(notify: Notify, post: Post, answer: str, dead: bool) -> None:
    post.answers = [answer]
    box, _ = send(notify)
    assert bool(box.dead) is dead
    assert answer[4:] in (box.dead[1] if dead else box.errors[0][1])


def test_one_of_two_that_is_refused_is_said_and_the_other_has_it(notify: Notify, post: Post) -> None:
    post.refused = {"two@bank.example": "550 nobody"}
    box, lines = send(notify)
    assert box.done == [1]
    assert [to for to, _ in post.letters] == [["one@bank.example"]]
    assert lines == ["desk: localhost rejected two@bank.example."]


def test_nobody_who_is_accepted_is_final(notify: Notify, post: Post) -> None:
    post.refused = dict.fromkeys(["one@bank.example", "two@bank.example"], "550 nobody")
    box, _ = send(notify)
    assert "no recipient was accepted (550 nobody)" in box.dead[1]


def test_a_wrong_password_is_tried_again_and_not_shown(
    post: Post, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DESK_PASSWORD", "wrong-one")
    wrong = read(post, certificate[0])
    box, _ = send(wrong)
    assert not box.dead
    assert "user or password was not accepted (535)" in box.errors[0][1]
    assert "wrong-one" not in box.errors[0][1] + repr(wrong) + repr(wrong.channels["desk"].describe())


def test_a_server_that_is_not_trusted_gets_nothing(
    post: Post, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DESK_PASSWORD", "pass word")
    channel = read(post, certificate[0]).channels["desk"]
    for changed in ({"ca": ""}, {"host": "127.0.0.1"}):
        notify = Notify({"desk": dataclasses.replace(channel, **changed)}, ())  # type: ignore[type-var]
        box, _ = send(notify)
        assert "certificate is not trusted" in box.errors[0][1]
    assert post.logins == []
    assert post.letters == []


def test_a_server_without_tls_gets_no_password(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    from aiosmtpd.handlers import Sink

    monkeypatch.setenv("DESK_PASSWORD", "pass word")
    bare = Mailer(Sink(), hostname="127.0.0.1", port=0)
    bare.start()
    try:
        port = bare.port
        notify = Notify.read(
            "channels: {desk: {kind: email, to: a@b.example, from: c@d.example, host: localhost,\n"
            f"  port: {port}, user: me, password_env: DESK_PASSWORD}}}}\n"
            "rules: [{name: refused payment, channel: desk}]\n"
        )
        box, _ = send(notify)
        assert "it lacks a feature" in box.errors[0][1]
        plain = Notify.read(
            "channels: {desk: {kind: email, to: a@b.example, from: c@d.example, host: localhost, tls: none,\n"
            f"  port: {port}}}}}\nrules: [{{name: refused payment, channel: desk}}]\n"
        )
        assert send(plain)[0].done == [1]
    finally:
        bare.stop()


def test_a_letter_arrives_by_implicit_tls(certificate: tuple[Path, Path]) -> None:
    letters: list[list[str]] = []

    class Handler:
        async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
            letters.append(envelope.rcpt_tos)
            return "250 taken"

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    server = Mailer(Handler(), hostname="127.0.0.1", port=0, ssl_context=context)
    server.start()
    try:
        notify = Notify.read(
            "channels: {desk: {kind: email, to: a@b.example, from: c@d.example, host: localhost,\n"
            f"  tls: implicit, port: {server.port}, ca: '{certificate[0]}'}}}}\n"
            "rules: [{name: refused payment, channel: desk}]\n"
        )
        assert send(notify)[0].done == [1]
    finally:
        server.stop()
    assert letters == [["a@b.example"]]


def test_nobody_there_is_tried_again(notify: Notify, post: Post) -> None:
    channel = dataclasses.replace(notify.channels["desk"], port=1)  # type: ignore[type-var]
    box, _ = send(Notify({"desk": channel}, ()))
    assert box.errors[0][1].startswith("localhost:1: ")


def test_no_value_of_a_record_is_in_a_header(notify: Notify, post: Post) -> None:
    evil = "P1\r\nBcc: thief@x.example\r\n\r\nhello"
    box = MemoryOutbox()
    box.put(NOW, [("desk", {"id": evil, "label": evil, "notice": f"rule\r\n{evil}"})])
    notifier = Notifier(notify, box, source=evil)
    notifier.step(NOW)
    notifier.close()
    [(to, content)] = post.letters
    letter = email.message_from_bytes(content, policy=email.policy.default)
    assert to == ["one@bank.example", "two@bank.example"]
    assert letter["Bcc"] is None
    assert letter.keys() == [
        "From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "Content-Type",
        "Content-Transfer-Encoding", "MIME-Version",
    ]  # fmt: skip
    assert "\n" not in letter["Subject"]
