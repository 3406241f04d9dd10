from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest

from tallystick.contracts import Column, Contract, Normalizer
from tallystick.errors import UsageError

CALLS = Contract(
    "calls",
    1,
    (
        Column("call_id", "text", "Key"),
        Column("at", "time", "When"),
        Column(
            "duration", "number", "Length", unit="s", aliases=("Call length",), after_event=True, minimum=0
        ),
        Column("outcome", "category", "Label", after_event=True),
    ),
    key="call_id",
    event_time="at",
    labels=("outcome",),
)


def test_the_fingerprint_covers_what_matters_and_not_the_words() -> None:
    def with_duration(**changed: Any) -> Contract:
        return replace(
            CALLS, columns=tuple(replace(c, **changed) if c.name == "duration" else c for c in CALLS.columns)
        )

    same = [with_duration(doc="Other words"), with_duration(aliases=())]
    assert {c.fingerprint() for c in same} == {CALLS.fingerprint()}
    others = [
        with_duration(unit="min"),
        with_duration(minimum=1),
        with_duration(after_event=False),
        with_duration(nulls=("?",)),
        with_duration(type="integer"),
        replace(CALLS, version=2),
        replace(CALLS, key=None),
        replace(CALLS, events=False),
        replace(CALLS, columns=CALLS.columns[::-1]),
        replace(CALLS, normalizers=(Normalizer("t", lambda rows: rows, "1"),)),
        replace(CALLS, normalizers=(Normalizer("t", lambda rows: rows, "2"),)),
    ]
    assert len({c.fingerprint() for c in [CALLS, *others]}) == len(others) + 1


def test_the_fingerprint_is_the_same_in_every_process() -> None:
    code = (
        "from tallystick.contracts import *;"
        "columns = (Column('a', 'category', '', allowed=('x', 'y')),);"
        "print(Contract('n', 1, columns, labels=('a',)).fingerprint())"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    here = Contract("n", 1, (Column("a", "category", "", allowed=("x", "y")),), labels=("a",)).fingerprint()
    assert said == {here + "\n"}
    assert len(here) == 64


def test_what_is_known_only_after_the_event_is_refused() -> None:
    assert CALLS.leaky(["call_id", "outcome", "call_length"]) == ("outcome", "call_length")
    CALLS.refuse_leaks(["at"], "outcome")
    with pytest.raises(
        UsageError, match=r"duration .* only after the event: no feature for subscribe"
    ) as caught:
        CALLS.refuse_leaks(["duration", "at"], "subscribe")
    assert caught.value.exit_code == 2


def test_tidy_runs_on_clean_rows() -> None:
    def shout(rows: pa.RecordBatch) -> pa.RecordBatch:
        at = rows.schema.get_field_index("outcome")
        return rows.set_column(
            at, rows.schema.field(at), pa.array([v.upper() for v in rows.column(at).to_pylist()])
        )

    from tallystick.config import Settings

    contract = replace(CALLS, normalizers=(Normalizer("shout", shout),))
    rows = pa.record_batch({"outcome": [" won", "", "lost"]})
    checked = contract.check(rows, contract.resolve(rows.schema.names), Settings())
    assert checked.rows.column("outcome").to_pylist() == ["WON", "LOST"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"key": "nope"}, 'no column "nope"'),
        ({"labels": ("nope",)}, 'no column "nope"'),
        ({"event_time": "duration"}, "must be a time"),
        ({"columns": (*CALLS.columns, Column("start", "time", "", aliases=("AT",)))}, "names both"),
        ({"columns": (*CALLS.columns, Column("at", "time", ""))}, "twice"),
    ],
)
def test_a_contract_that_contradicts_itself(change: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        replace(CALLS, **change)


@pytest.mark.parametrize(
    "given",
    [
        {"name": "?"},
        {"type": "date"},
        {"type": "number", "minimum": 2, "maximum": 1},
        {"type": "text", "minimum": 2},
        {"type": "number", "pattern": "x"},
        {"type": "flag", "allowed": ("x",)},
    ],
)
def test_a_column_that_contradicts_itself(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"name|no type|minimum|only an|only a"):
        Column(**{"name": "a", "type": "text", "doc": ""} | given)


def test_an_unknown_column_is_named() -> None:
    assert CALLS.column("at").type == "time"
    with pytest.raises(UsageError, match="It has: call_id, at"):
        CALLS.column("when")


def test_roles_are_asked_of_the_contract() -> None:
    columns = (
        *CALLS.columns,
        Column("fee", "money", "What it cost"),
        Column("settled_at", "time", "When the claim was settled", after_event=True),
        Column("claim", "flag", "Second label", known_at="settled_at"),
    )
    contract = replace(CALLS, columns=columns, labels=("outcome", "claim"), known_at="at")
    assert contract.money == ("fee",)
    assert contract.label_known_at("claim") == "settled_at"
    assert contract.label_known_at("outcome") == "at"
    assert CALLS.label_known_at("outcome") is None
    with pytest.raises(ValueError, match="claim needs its known_at"):
        replace(contract, columns=(*CALLS.columns, Column("claim", "flag", "", known_at="duration")))
