"""Write golden bundles and their decisions anew, into tests/golden.

Only for a change that is meant to change what an old bundle scores; CHANGELOG.md then says so as a
behaviour change. Without a name all are made: make_golden.py [complaints] [fraud]
"""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import polars as pl

import tallystick as ts
from tallystick import registry

FOLDER = Path(__file__).resolve().parents[1] / "tests" / "golden"
LETTERS = (
    "My mortgage servicer lost two payments and now threatens foreclosure.",
    "XXXX reports an account that is not mine; remove it under the FCRA. I lost {$1250.00}.",
    "A stranger used my credit card at a petrol station. The bank calls it “authorised”.",
    "They call me at work six times a day about a debt I paid in XX/XX/2023!",
    "MEIN KONTO WURDE GESPERRT — ΟΔΥΣΣΕΥΣ İstanbul naïve façade 東京",
    "ok",
    None,
)


# One entry of every kind of aggregate, so that none drifts.
WINDOWS = """\
conditions:
  high: "amount >= 2 * customer_id__mean_amount__30d"
features:
  - {entity: customer_id, windows: [5m, 1d, 30d], aggregates: [count, sum amount, mean amount, std amount]}
  - {entity: customer_id, windows: [7d], aggregates: [min amount, max amount, ratio amount, distinct place]}
  - {entity: customer_id, windows: [30d], aggregates: [trimmed_mean amount, ratio_trimmed amount]}
  - {entity: customer_id, windows: [14d], aggregates: [count, share, since_first, since_last], where: high}
  - {entity: terminal_id, windows: [14d], aggregates: [risk], delay: 3d}
  - {entity: terminal_id, windows: [28d], aggregates: [count, since_run_start], where: known_fraud}
  - {entity: [customer_id, terminal_id], windows: [90d], aggregates: [count], mode: exact}
"""


def main(names: list[str]) -> None:
    """Make what is asked for."""
    for name in names or list(MAKERS):
        MAKERS[name]()


def complaints() -> None:
    """Simulate, train, score."""
    shutil.rmtree(FOLDER / "model", ignore_errors=True)
    FOLDER.mkdir(exist_ok=True)
    records = FOLDER / "training.csv"
    ts.simulate("complaints", rows=60, output=records, seed=11)
    ts.train("complaints", records, model=FOLDER / "model")
    records.unlink()
    rows = [
        {"complaint_id": f"g{number}", "received_at": "2025-06-01", "narrative": text}
        for number, text in enumerate(LETTERS, 1)
    ]
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (FOLDER / "letters.jsonl").write_text(lines, encoding="utf-8")
    ts.score(
        "complaints", FOLDER / "letters.jsonl", model=FOLDER / "model", output=FOLDER / "decisions.jsonl"
    )


def fraud() -> None:
    """Learn a few trees, and score 200 payments after those that taught, some of them odd."""
    folder = FOLDER / "fraud"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "windows.yaml").write_text(WINDOWS, encoding="utf-8")
    solution = registry.solution("fraud")
    few = {"gradient_boosting": {"n_estimators": 10, "max_depth": 3, "learning_rate": 0.5}}
    tasks = tuple(replace(task, params=few) for task in solution.tasks)
    registry.solution = lambda _: replace(solution, tasks=tasks)
    records = folder / "training.parquet"
    ts.simulate("fraud", rows=6_000, output=records, seed=11)
    frame = pl.read_parquet(records)
    records.unlink()
    place = pl.int_range(pl.len())
    taught = frame.head(-200).filter(pl.col("is_fraud") | (place % 8 == 0))
    ts.train("fraud", taught, model=folder / "model", windows=folder / "windows.yaml", set={"threads": 1})
    last = frame.tail(200)
    labels = last.select("transaction_id", "is_fraud", known_at="label_known_at")
    # Some are known while the 200 go on, so that they count.
    labels = labels.with_columns(
        is_fraud=pl.when(place % 9 == 0).then(True).otherwise("is_fraud"),
        known_at=pl.when(place % 9 == 0).then(last["event_time"] + timedelta(hours=6)).otherwise("known_at"),
    )
    labels.write_csv(folder / "labels.csv")
    last.with_columns(
        transaction_id=pl.when(place == 20).then(None).otherwise("transaction_id"),
        event_time=pl.when(place == 40).then(None).otherwise("event_time"),
        customer_id=pl.when(place == 60).then(None).otherwise("customer_id"),
        amount=pl.when(place == 80).then(-pl.col("amount")).when(place == 90).then(7_000).otherwise("amount"),
        currency=pl.when(place == 90).then(pl.lit("JPY")).otherwise("currency"),
    ).drop("is_fraud", "scenario", "label_known_at").write_csv(folder / "payments.csv")
    given = {"labels": folder / "labels.csv", "set": {"threads": 1}}
    payments, windows = folder / "payments.csv", folder / "windows.yaml"
    ts.features("fraud", payments, windows=windows, output=folder / "features.parquet", **given)
    ts.score("fraud", payments, model=folder / "model", output=folder / "decisions.jsonl", **given)


MAKERS = {"complaints": complaints, "fraud": fraud}


if __name__ == "__main__":
    main(sys.argv[1:])
