"""What must not have changed since a state was kept, and what is said where it has."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from tallystick import registry
from tallystick.config import Settings
from tallystick.contracts import QUARANTINE
from tallystick.errors import TallystickError
from tallystick.scorer import Scorer
from tallystick.scorer.decision import decision_schema
from tallystick.store import Entry, Store
from tallystick.streams.recovery import check_facts, facts_of
from tallystick.windows import Windows

SOLUTION = registry.solution("fraud")
DECISIONS = decision_schema()


def scorer(windows: str = "1d", version: int = 1, zone: str = "UTC") -> Scorer:
    declared = Windows.of(
        {"features": [{"entity": "customer_id", "windows": windows, "aggregates": ["count"]}]},
        SOLUTION.window_roles,
    )
    solution = replace(SOLUTION, contract=replace(SOLUTION.contract, version=version))
    return Scorer("fraud", "fraud", solution.contract, (), Settings(zone=zone), declared)


def entry(number: int) -> Entry:
    rows = pa.record_batch({"x": [number]})
    none = DECISIONS.empty_table().to_batches() or [
        pa.RecordBatch.from_arrays([pa.nulls(0, f.type) for f in DECISIONS], schema=DECISIONS)
    ]
    return Entry(
        number=number, at=number, events=rows, rows=1, decisions=none[0], arrived=np.zeros(0, np.int64),
        bad=QUARANTINE.empty_table(), positions={}, marks={}, notices=(), duplicates=0,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "lateness", "words"),
    [
        (scorer(version=2), 0, "version 1 of the contract; this is version 2"),
        (scorer(windows="2d"), 0, "holds other windows"),
        (scorer(zone="Europe/Berlin"), 0, "zone=UTC; now it is Europe/Berlin"),
        (scorer(), 5_000_000, "allowed lateness"),
    ],
)
def test_a_state_of_another_meaning_is_refused_with_what_to_do(
    changed: Scorer, lateness: int, words: str, tmp_path: Path
) -> None:
    with Store.open(f"sqlite:///{tmp_path / 'state.db'}") as store:
        claim = store.claim("fraud")
        claim.remember(**facts_of(scorer(), 0))
        claim.commit(entry(1))
        head = store.head("fraud")
        assert head is not None
        check_facts(head, facts_of(scorer(), 0), store.uri_shown)
        with pytest.raises(TallystickError, match=words) as refused:
            check_facts(head, facts_of(changed, lateness), store.uri_shown)
        assert "--state" in refused.value.hint
        assert "--history" in refused.value.hint
