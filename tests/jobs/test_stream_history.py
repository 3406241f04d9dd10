"""What came before a stream: it warms the windows, and its labels may come while the stream runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.jobs.test_stream import lines, run

import tallystick as ts
from tallystick.errors import DataError
from tallystick.store import Store
from tallystick.store.claim import Claim


def test_history_warms_the_windows_as_in_a_batch(
    arriving: Path, arriving_model: Path, tmp_path: Path
) -> None:
    some = arriving.read_text().splitlines()
    before, after = tmp_path / "before.jsonl", tmp_path / "after.jsonl"
    before.write_text("\n".join(some[:3000]) + "\n")
    after.write_text("\n".join(some[3000:]) + "\n")
    streamed = run(after, arriving_model, tmp_path, history=before, max_events=500)
    run(after, arriving_model, tmp_path)  # the history is kept in a snapshot: it is not asked for again
    batch, again = tmp_path / "batch.jsonl", tmp_path / "again.jsonl"
    ts.score("fraud", after, model=arriving_model, history=before, output=batch)
    assert lines(tmp_path / "out.jsonl") == lines(batch)
    ts.score("fraud", streamed.state, model=arriving_model, history=before, output=again)
    assert lines(tmp_path / "out.jsonl") == lines(again)
    with pytest.raises(DataError, match="warmed by 3,000 earlier records"):
        ts.score("fraud", streamed.state, model=arriving_model, output=tmp_path / "cold.jsonl")


def test_labels_of_the_history_count_from_when_they_come(
    arriving: Path, arriving_model: Path, tmp_path: Path
) -> None:
    rows = [json.loads(line) for line in arriving.read_text().splitlines()]
    bare = [{k: v for k, v in row.items() if k not in ("is_fraud", "known_at", "scenario")} for row in rows]
    before, source, labels = (tmp_path / name for name in ("before.jsonl", "source.jsonl", "labels.jsonl"))
    before.write_text("".join(json.dumps(row) + "\n" for row in bare[:2000]))
    source.write_text("".join(json.dumps(row) + "\n" for row in bare[2000:2100]))
    labels.write_text("")
    run(source, arriving_model, tmp_path, labels=labels, history=before)
    told = [row["transaction_id"] for row in bare[1800:2000:4]]
    with labels.open("a") as file:
        for key in [*told, told[0], "T-nobody"]:
            file.write(json.dumps({"transaction_id": key, "is_fraud": 1}) + "\n")
    # Another process by now: it finds the records of the history in the state.
    streamed = run(source, arriving_model, tmp_path, labels=labels)
    with Store.open(streamed.state) as store:
        assert store.quarantine("fraud").column("value").to_pylist() == ["T-nobody"]
    with source.open("a") as file:
        file.writelines(json.dumps(row) + "\n" for row in bare[2100:])
    run(source, arriving_model, tmp_path, labels=labels)
    ts.score("fraud", streamed.state, model=arriving_model, history=before, output=tmp_path / "again.jsonl")
    assert lines(tmp_path / "out.jsonl") == lines(tmp_path / "again.jsonl")
    unlabelled = tmp_path / "unlabelled"
    unlabelled.mkdir()
    run(source, arriving_model, unlabelled, history=before)
    ours, others = lines(tmp_path / "out.jsonl"), lines(unlabelled / "out.jsonl")
    first = [row["transaction_id"] for row in bare[2000:2100]]
    assert [ours[key] for key in first] == [others[key] for key in first]  # they came before the labels
    assert any(json.loads(ours[key])["score"] != json.loads(others[key])["score"] for key in ours)


def test_a_history_that_was_given_up_leaves_nothing_behind(
    arriving: Path, arriving_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    some = arriving.read_text().splitlines(keepends=True)
    before, source = tmp_path / "before.jsonl", tmp_path / "source.jsonl"
    before.write_text("".join(some[:500]))
    source.write_text("".join(some[500:600]))

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as first:
        first.setattr(Claim, "remember", killed)  # the last step of a beginning
        with pytest.raises(KeyboardInterrupt):
            run(source, arriving_model, tmp_path, history=before)
    real = Claim.save_snapshot
    with monkeypatch.context() as second:  # killed before its next snapshot
        second.setattr(Claim, "save_snapshot", lambda self, at, state: None if at else real(self, at, state))
        run(source, arriving_model, tmp_path, max_events=50)
    run(source, arriving_model, tmp_path)
    ts.score("fraud", source, model=arriving_model, output=tmp_path / "batch.jsonl")
    assert lines(tmp_path / "out.jsonl") == lines(tmp_path / "batch.jsonl")
