"""What is wrong with a file is said with its line, all at once, and without a secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from tallystick.errors import UsageError
from tallystick.notify import Notify

# ruff: noqa: E501 - a file and what is said of it stand side by side
CHANNELS = "channels:\n  a: {kind: console}\nrules:\n"


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        (CHANNELS + "  - {channel: b}", 4, 'there is no channel "b". There are: a.'),
        (CHANNELS + "  - {channel: a, wen: {label: x}}", 4, '"wen" is not known here. Did you mean "when"?'),
        (CHANNELS + "  - {channel: a, when: {departement: x}}", 4, 'Did you mean "department"?'),
        (CHANNELS + "  - {when: {label: x}}", 4, '"channel" is missing.'),
        (CHANNELS + "  - {channel: a, when: {}}", 4, "when is empty; omit it"),
        (CHANNELS + "  - {channel: a, when: {label: []}}", 4, "when, label: the list is empty."),
        (CHANNELS + "  - {channel: a, when: {score: high}}", 4, 'score: "high" cannot be used: write below .8, at least 95%'),
        (CHANNELS + "  - {channel: a, when: {score: at least 9}}", 4, "a share lies between 0 and 1"),
        (CHANNELS + "  - {channel: a, when: {score: .9 to .8}}", 4, "the first number is the greater one"),
        (CHANNELS + "  - {channel: a, when: {late: maybe}}", 4, "use true or false"),
        (CHANNELS + "  - {channel: a, group: soon}", 4, 'group: "soon" cannot be used: use 30s, 5m'),
        (CHANNELS + "  - {channel: a, group: 9d}", 4, "between one second and one day"),
        (CHANNELS + "  - {channel: a, limit: 30}", 4, "use 30 per minute"),
        (CHANNELS + "  - {channel: a, limit: 0 per minute}", 4, "between 1 and 10,000 messages"),
        (CHANNELS + "  - {name: x, channel: a}\n  - {name: x, channel: a}", 5, 'the name "x" is taken by the rule'),
        (CHANNELS, 3, "rules: there is none"),
        ("channels:\n  a: {kind: consle}\nrules:\n  - {channel: a}", 2, 'no kind "consle". Did you mean "console"?'),
        ("channels:\n  a: {kin: console}\nrules:\n  - {channel: a}", 2, '"kin" is not known here'),
        ("channels:\n  a b: {kind: console}\nrules:\n  - {channel: a b}", 2, "needs to be one word"),
        ("channels:\n  a: {kind: webhook}\nrules:\n  - {channel: a}", 2, '"url" is missing.'),
        ("channels:\n  a: {kind: webhook, url: ftp://x}\nrules:\n  - {channel: a}", 2, "use https://HOST/PATH"),
        ("channels:\n  a: {kind: webhook, url: 'https://x/', secret: x}\nrules:\n  - {channel: a}", 2, '"secret_env"'),
        ("channels:\n  a: {kind: console, url: x}\nrules:\n  - {channel: a}", 2, '"url" is not known here'),
    ],
)  # fmt: skip
def test_a_mistake_is_said_with_its_line(text: str, line: int, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        Notify.read(text + "\n")
    assert f"line {line}: " in str(caught.value)
    assert message in str(caught.value)


MAIL = "channels:\n  m:\n    kind: email\n    to: [a@b.example]\n    from: c@d.example\n    host: e.example\n"


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("    tls: ssl", '"ssl" is unknown. There are: implicit, none, starttls.'),
        ("    port: 99999", "a number from 1 to 65535"),
        ("    user: me", "user and password must be set together"),
        ("    user: me\n    password_env: NOT_THERE", "has no NOT_THERE, nor NOT_THERE_FILE"),
        ("    user: me\n    password_file: /nowhere/at/all", "/nowhere/at/all, which cannot be read"),
        ("    user: me\n    password_env: PW\n    tls: none", "never sent unencrypted"),
        ("    user: me\n    password_env: PW\n    password_file: x", "use one of them"),
        ("    ca: /nowhere.pem", "no readable certificates"),
        ("    pasword_env: PW", 'Did you mean "password_env"'),
    ],
)
def test_a_mistake_in_a_mail_channel_is_said(
    more: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PW", "very-secret")
    with pytest.raises(UsageError) as caught:
        Notify.read(f"{MAIL}{more}\nrules:\n  - {{channel: m}}\n")
    assert message in str(caught.value)
    assert "very-secret" not in str(caught.value)


@pytest.mark.parametrize(
    "address",
    ["a@b.example\\nBcc: x@y.example", "a b@c.example", "a", "a@", "@b", "a@b..c", "ä@b.example", "<a@b>"],
)
def test_an_address_is_an_address(address: str) -> None:
    with pytest.raises(UsageError, match="is not an address such as"):
        Notify.read(MAIL.replace("[a@b.example]", f'["{address}"]') + "rules:\n  - {channel: m}\n")


def test_all_that_is_wrong_is_said_at_once() -> None:
    text = "channels:\n  a: {kind: sms}\n  b: {kind: webhook, url: x}\nrules:\n  - {channel: c, group: x}\n"
    with pytest.raises(UsageError, match="4 things are wrong") as caught:
        Notify.read(text)
    assert [f"line {n}" in str(caught.value) for n in (2, 3, 5)] == [True] * 3


def test_a_secret_that_is_not_there_is_said_at_the_start(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    text = "channels:\n  h: {kind: webhook, url: 'https://x.example/', secret_env: HOOK_KEY}\nrules:\n  - {channel: h}\n"
    monkeypatch.delenv("HOOK_KEY", raising=False)
    with pytest.raises(UsageError, match=r"line 2: .*has no HOOK_KEY, nor HOOK_KEY_FILE"):
        Notify.read(text)
    (tmp_path / "key").write_text("the value\n")
    monkeypatch.setenv("HOOK_KEY_FILE", str(tmp_path / "key"))
    notify = Notify.read(text)
    assert "the value" not in repr(notify)
    assert "the value" not in repr(notify.channels["h"].describe())


def test_what_is_odd_is_noted() -> None:
    notify = Notify.read(
        "channels:\n  a: {kind: console}\n  b: {kind: webhook, url: 'http://x.example/'}\nrules:\n"
        "  - {when: {action: declin, label: no}, channel: a}\n",
        {"action": ["accept", "decline"]},
    )
    assert notify.notes == (
        'the channel "b": messages to an http:// address are not encrypted.',
        'line 5: when, action: "declin" is not known. Did you mean "decline"?',
        'the channel "b" is used by no rule.',
    )


def test_values_stay_as_they_are_written_and_rules_are_named_by_what_they_ask() -> None:
    notify = Notify.read(
        CHANNELS + "  - {when: {label: [no, 02134], score: at least .9}, channel: a}\n  - {channel: a}\n"
    )
    assert notify.rules[0].values == {"label": ("no", "02134")}
    assert [rule.name for rule in notify.rules] == ["label no or 02134, score at least .9", "every decision"]


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        Notify.read(tmp_path / "none.yaml")
    (tmp_path / "empty.yaml").write_text("")
    with pytest.raises(UsageError, match="is empty"):
        Notify.read(tmp_path / "empty.yaml")
