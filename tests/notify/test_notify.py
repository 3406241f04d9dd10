"""Which decisions are told, and what is told of them."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.notify.conftest import decisions

import tallystick.notify
from tallystick.conditions.table import FEW
from tallystick.notify import Notify

HEAD = "channels:\n  a: {kind: console}\n  b: {kind: console}\nrules:\n"
LEGAL = {
    "department": "Legal",
    "priority": "urgent",
    "due": dt.datetime(2026, 3, 1, tzinfo=dt.UTC),
    "rule": "Law",
}


def ids(notify: Notify, batch: pa.RecordBatch) -> list[tuple[str, str]]:
    return [(channel, payload["id"]) for channel, payload in notify.notices(batch)]


def test_every_rule_that_fits_sends_by_rows_and_then_by_rules() -> None:
    notify = Notify.read(
        HEAD
        + "  - {when: {action: decline}, channel: b}\n  - {when: {score: at least .9}, channel: [a, b]}\n"
    )
    batch = decisions([{"id": "1"}, {"id": "2", "action": "accept"}, {"id": "3", "score": 0.1}])
    assert ids(notify, batch) == [("b", "1"), ("a", "1"), ("b", "1"), ("a", "2"), ("b", "2"), ("b", "3")]


@pytest.mark.parametrize(
    ("when", "fits"),
    [
        ("{task: FRAUD}", "12345"),
        ("{label: no}", "2"),
        ("{label: none}", "3"),
        ("{action: [Review, none]}", "25"),
        ("{department: legal}", "4"),
        ("{department: none}", "1235"),
        ("{priority: urgent, rule: law}", "4"),
        ("{reason: blocked}", "5"),
        ("{reason: none}", "1234"),
        ("{reason: [blocked, none]}", "12345"),
        ("{score: at least .9}", "14"),
        ("{score: over .9}", "1"),
        ("{score: below 50%}", "2"),
        ("{score: .2 to .5}", "2"),
        ("{score: none}", "35"),
        ("{late: true}", "2"),
        ("{late: no}", "1345"),
        ("{action: decline, score: at most .95}", "14"),
    ],
)
@pytest.mark.parametrize("times", [1, FEW // 3], ids=["few", "many"])
def test_a_rule_fits_when_all_that_it_asks_holds(when: str, fits: str, times: int) -> None:
    rows: list[dict[str, Any]] = [
        {"id": "1"},
        {"id": "2", "label": "no", "score": 0.2, "action": "review", "late": True},
        {"id": "3", "label": None, "score": None, "reasons": None, "late": None},
        {"id": "4", "score": 0.9, "route": LEGAL},
        {
            "id": "5",
            "score": float("nan"),
            "action": "review",
            "reasons": [
                {"feature": "rule:Blocked", "value": None, "effect": None, "words": "T1 is on the list"},
                {"feature": "rule:other", "value": None, "effect": None, "words": "x"},
            ],
        },
    ]
    batch = decisions([{"id": "0", "action": "accept"}, *rows * times, {"id": "9"}]).slice(1, 5 * times)
    notify = Notify.read(f"{HEAD}  - {{when: {when}, channel: a}}\n")
    assert ids(notify, batch) == [("a", one) for one in fits] * times


def test_columns_that_are_not_there_are_missing() -> None:
    batch = decisions([{}] * 2).select(["id", "action"])
    for rows in (batch, pa.Table.from_batches([batch] * FEW).combine_chunks().to_batches()[0]):
        asked = ["department: none", "reason: none", "score: none", "late: false", "label: none"]
        for one in asked:
            notify = Notify.read(f"{HEAD}  - {{when: {{{one}}}, channel: a}}\n")
            assert len(notify.notices(rows)) == len(rows), one
        none = Notify.read(f"{HEAD}  - {{when: {{department: Legal}}, channel: a}}\n")
        assert none.notices(rows) == []
    notices = Notify.read(f"{HEAD}  - {{channel: a}}\n").notices(batch)[0][1]
    assert notices["reasons"] == []
    assert notices["department"] is notices["due"] is notices["event_time"] is None


def test_what_is_told_of_a_decision() -> None:
    reasons = [
        {"feature": "rule:burst", "value": None, "effect": None, "words": "Mr Miller paid often"},
        {"feature": "amount", "value": 900.0, "effect": 1.5, "words": "amount 900.00 USD"},
    ]
    notify = Notify.read(HEAD + "  - {name: to law, channel: a}\n")
    batch = decisions([{"route": LEGAL, "reasons": reasons, "score": 0.1234567, "event_time": 1_500_000}])
    assert notify.notices(batch) == [
        (
            "a",
            {
                "id": "P1", "task": "fraud", "label": "yes", "action": "decline", "model": "fraud-1",
                "score": 0.123457, "event_time": "1970-01-01T00:00:01.500000Z", "late": False,
                "department": "Legal", "priority": "urgent", "rule": "Law", "due": "2026-03-01T00:00:00Z",
                "reasons": [{"feature": "rule:burst"}, {"feature": "amount", "words": "amount 900.00 USD"}],
                "notice": "to law",
            },
        )
    ]  # fmt: skip


WORDS = st.text("abcdefghij :=_", min_size=1, max_size=8).map(lambda text: f"secret{text}")
NUMBERS = st.none() | st.floats(-5, 5)


@given(
    st.lists(st.lists(st.tuples(WORDS, NUMBERS, NUMBERS, st.booleans()), max_size=6), min_size=1, max_size=5),
    st.booleans(),
)
def test_no_word_of_a_text_and_no_sentence_of_a_rule_is_carried(
    reasons: list[list[tuple[str, float | None, float | None, bool]]], worded: bool
) -> None:
    """Texts of a record: n-grams as features, without words; a rule's words, which may quote."""

    def one(text: str, value: float | None, effect: float | None, rule: bool) -> dict[str, Any]:
        if rule and worded:
            return {"feature": "rule:named", "value": None, "effect": None, "words": text}
        if rule:
            return {"feature": f"rule:{text}", "value": value or 1.0, "effect": effect or 1.0}
        return {"feature": text, "value": value, "effect": effect, **({"words": None} if worded else {})}

    rows = [{"reasons": [one(*reason) for reason in each]} for each in reasons]
    notify = Notify.read(f"{HEAD}  - {{channel: a}}\n")
    notices = notify.notices(decisions(rows, worded=worded))
    assert len(notices) == len(rows)
    assert "secret" not in json.dumps(notices)


def test_of_real_complaints_no_word_is_carried(records: Path, model: Path, tmp_path: Path) -> None:
    import tallystick as ts

    out = tmp_path / "out.jsonl"
    ts.score("complaints", records, model=model, output=out)
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert sum(len(row["reasons"]) for row in rows) > 1000
    for row in rows:
        row["event_time"] = None
        row["route"] = {**row["route"], "due": None}
    notices = Notify.read(f"{HEAD}  - {{channel: a}}\n").notices(decisions(rows, worded=False))
    assert len(notices) == len(rows)
    assert all(payload["reasons"] == [] for _, payload in notices)
    assert set(notices[0][1]) == {
        "id", "task", "label", "score", "action", "department", "priority", "due", "rule", "event_time",
        "reasons", "model", "late", "notice",
    }  # fmt: skip


def test_values_cannot_move_a_cursor_or_fill_a_page() -> None:
    notify = Notify.read(f"{HEAD}  - {{channel: a}}\n")
    notices = notify.notices(decisions([{"id": "a\r\nb\x1b[2J" + "x" * 500}]))[0][1]
    assert notices["id"].startswith("a b?[2Jxx")
    assert len(notices["id"]) == 200


def test_nothing_comes_of_no_rows() -> None:
    assert Notify.read(f"{HEAD}  - {{channel: a}}\n").notices(decisions([{}]).slice(0, 0)) == []


def test_the_fingerprint_is_of_what_is_declared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK", "first")
    hook = "  h: {kind: webhook, url: https://x.example/, secret_env: HOOK}\n"
    text = HEAD.replace("rules:", hook + "rules:") + "  - {channel: a, when: {label: x}}\n"
    same = Notify.read("# words\n" + text).fingerprint
    monkeypatch.setenv("HOOK", "second")
    assert Notify.read(text).fingerprint == same
    assert Notify.read(text.replace("label: x", "label: y")).fingerprint != same
    assert Notify.read(text.replace("x.example", "y.example")).fingerprint != same


def test_the_example_can_be_used() -> None:
    example = Path(tallystick.notify.__file__).with_name("example.yaml")
    notify = Notify.read(example)
    assert len(notify.rules) == 3
    assert not notify.notes
    notices = notify.notices(decisions([{}, {"action": "accept"}, {"action": "review"}]))
    assert [payload["notice"] for _, payload in notices] == ["refused payment", "almost certain fraud"]


def test_the_channels_that_the_example_only_shows_can_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEGAL_HOOK_SECRET", "s")
    monkeypatch.setenv("DESK_MAIL_PASSWORD", "p")
    text = Path(tallystick.notify.__file__).with_name("example.yaml").read_text()
    for line in ("legal:", "desk:", "  kind:", "  to:", "  from:", "  host:", "  user:", "  password_env:"):
        assert f"  # {line}" in text
        text = text.replace(f"  # {line}", f"  {line}", 1)
    assert set(Notify.read(text).channels) == {"screen", "legal", "desk"}
