"""A solution without windows on a stream."""

from __future__ import annotations

from pathlib import Path

from tests.jobs.test_stream import lines

import tallystick as ts


def test_complaints_are_decided_once_and_as_in_a_batch(records: Path, model: Path, tmp_path: Path) -> None:
    streamed = ts.stream(
        "complaints",
        source=records,
        sink=tmp_path / "out.jsonl",
        model=model,
        state=f"sqlite:///{tmp_path / 'state.db'}",
        until_idle=True,
    )
    ts.score("complaints", records, model=model, output=tmp_path / "batch.jsonl")
    ts.score("complaints", streamed.state, model=model, output=tmp_path / "again.jsonl")
    ours = lines(tmp_path / "out.jsonl")
    assert ours == lines(tmp_path / "batch.jsonl") == lines(tmp_path / "again.jsonl")
