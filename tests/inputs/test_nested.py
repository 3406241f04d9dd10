"""--map names members of nested values by a path, in whatever form the records come."""

import json
from pathlib import Path

import polars as pl
import pytest

import tallystick as ts
from tallystick.errors import UsageError

CHARGES = {
    "object": "list",
    "data": [
        {"id": f"ch_{i}", "amount": 12.5, "currency": "usd",
         "card": {"fingerprint": f"f{i % 2}", "checks": [{"at": f"2024-01-0{i}"}]}}
        for i in range(1, 5)
    ],
}  # fmt: skip
MAP = {"id": "transaction_id", "card.fingerprint": "customer_id", "card.checks.0.at": "event_time"}


def read(source: object, folder: Path, **options: object) -> pl.DataFrame:
    ts.validate("fraud", source, output=folder / "clean.parquet", map=MAP, **options)
    return pl.read_parquet(folder / "clean.parquet").select(
        "transaction_id", "customer_id", "event_time", "amount"
    )


def test_files_and_frames_give_the_same(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(CHARGES))
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(one) + "\n" for one in CHARGES["data"]))
    texts = [{**one, "card": json.dumps(one["card"])} for one in CHARGES["data"]]
    pl.DataFrame(texts).write_csv(tmp_path / "a.csv")
    document = read(tmp_path / "a.json", tmp_path)
    assert document["customer_id"].to_list() == ["f1", "f0", "f1", "f0"]
    assert document["event_time"].dt.day().to_list() == [1, 2, 3, 4]
    for source in (
        tmp_path / "a.jsonl",
        tmp_path / "a.csv",
        pl.DataFrame(texts),
        pl.DataFrame(CHARGES["data"]),
    ):
        assert read(source, tmp_path).equals(document)


def test_a_stream_reads_them_too(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    ts.simulate("fraud", rows=3000, output=tmp_path / "p.parquet", seed=2)
    ts.train("fraud", tmp_path / "p.parquet", model=folder, task=["anomaly"], learner="isolation_forest")
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(one) + "\n" for one in CHARGES["data"]))
    ts.stream(
        "fraud",
        source=tmp_path / "a.jsonl",
        sink=tmp_path / "out.jsonl",
        model=folder,
        map=MAP,
        until_idle="1s",
    )
    decided = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [one["id"] for one in decided] == ["ch_1", "ch_2", "ch_3", "ch_4"]
    assert [one["event_time"][:10] for one in decided] == [f"2024-01-0{i}" for i in range(1, 5)]


def test_a_path_that_leads_nowhere(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r'there is no column "kard\.last4"'):
        ts.validate(
            "fraud", pl.DataFrame(CHARGES["data"]), map={"id": "transaction_id", "kard.last4": "customer_id"}
        )
    report = ts.validate(
        "fraud", pl.DataFrame(CHARGES["data"]), map={"id": "transaction_id", "card.last4": "customer_id"},
        output=tmp_path / "clean.parquet",
    )  # fmt: skip
    assert report.input_report.rows_clean == 4
    assert pl.read_parquet(tmp_path / "clean.parquet")["customer_id"].null_count() == 4
