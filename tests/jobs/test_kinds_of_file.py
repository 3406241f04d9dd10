"""Small files in the headings of those that people have: train, evaluate and score adapt to what is there."""

import csv
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tallystick as ts
from tallystick.errors import DataError

ROWS = 400
Rows = list[dict[str, Any]]
ONE = {"threads": 1}


def drawn(seed: int = 0) -> tuple[np.random.Generator, np.ndarray, np.ndarray]:
    """Chance, which rows are frauds, and amounts that tell some of them."""
    chance = np.random.default_rng(seed)
    fraud = chance.random(ROWS) < 0.15
    return chance, fraud, (chance.gamma(2, 20, ROWS) * np.where(fraud, 4, 1)).round(2)


def ulb() -> Rows:
    """No entity, no key: seconds, 28 components, an amount."""
    chance, fraud, amount = drawn()
    return [
        {
            "Time": i * 3_000,
            **{f"V{v}": chance.normal() + (2 * fraud[i] if v == 4 else 0) for v in range(1, 29)},
            "Amount": amount[i], "Class": int(fraud[i]),
        }
        for i in range(ROWS)
    ]  # fmt: skip


def paysim() -> Rows:
    """Hours, names of accounts, balances that give the answer away; no key."""
    chance, fraud, amount = drawn()
    return [
        {
            "step": 2 * i, "type": chance.choice(["PAYMENT", "TRANSFER", "CASH_OUT"]), "amount": amount[i],
            "nameOrig": f"C{chance.integers(40)}", "oldbalanceOrg": amount[i] * fraud[i],
            "newbalanceOrig": 0.0, "nameDest": f"M{chance.integers(20)}", "oldbalanceDest": 0.0,
            "newbalanceDest": 0.0, "isFraud": int(fraud[i]), "isFlaggedFraud": 0,
        }
        for i in range(ROWS)
    ]  # fmt: skip


def amlsim() -> Rows:
    """Days, and accounts that pay each other."""
    chance, fraud, amount = drawn()
    return [
        {
            "TX_ID": i, "SENDER_ACCOUNT_ID": chance.integers(30), "RECEIVER_ACCOUNT_ID": chance.integers(30),
            "TX_TYPE": "TRANSFER", "TX_AMOUNT": amount[i], "TIMESTAMP": i // 4, "IS_FRAUD": bool(fraud[i]),
            "ALERT_ID": -1,
        }
        for i in range(ROWS)
    ]  # fmt: skip


def prototype() -> Rows:
    """Plain columns, a time in words, places and devices."""
    chance, fraud, amount = drawn()
    return [
        {
            "transaction_id": f"T{i:04d}", "user_id": f"U{chance.integers(25)}", "amount": amount[i],
            "location": chance.choice(["York", "Rome", "Lagos"][: 2 + fraud[i]]),
            "device_type": chance.choice(["mobile", "desktop", "atm"]),
            "transaction_type": chance.choice(["purchase", "withdrawal"]),
            "timestamp": f"{datetime(2024, 1, 1) + timedelta(hours=2 * i):%Y-%m-%d %H:%M:%S}",
            "is_fraud": int(fraud[i]),
        }
        for i in range(ROWS)
    ]  # fmt: skip


def handbook() -> Rows:
    """Cards and terminals by number, and which scenario it was."""
    chance, fraud, amount = drawn()
    return [
        {
            "TRANSACTION_ID": 100_000 + i, "TX_DATETIME": f"{datetime(2018, 4, 1) + timedelta(hours=3 * i)}",
            "CUSTOMER_ID": chance.integers(30), "TERMINAL_ID": chance.integers(15), "TX_AMOUNT": amount[i],
            "TX_TIME_SECONDS": i, "TX_TIME_DAYS": i // 8, "TX_FRAUD": int(fraud[i]),
            "TX_FRAUD_SCENARIO": int(fraud[i]) * 2,
        }
        for i in range(ROWS)
    ]  # fmt: skip


KINDS = {
    # make, what its rows are called, entities with sequences, features that must and must not be there
    ulb: (None, set(), {"amount", "v1", "v28", "hour"}, {"customer_id__count__1d"}),
    paysim: (
        None, {"customer_id", "payee_id"}, {"channel=CASH_OUT", "payee_id__count__1d"},
        {"payer_balance_before", "terminal_id__count__1h"},
    ),
    amlsim: ("TX_ID", {"customer_id", "payee_id"}, {"amount", "customer_id+payee_id__count__90d"}, {"v1"}),
    prototype: (
        "transaction_id", {"customer_id"}, {"place=Lagos", "device=atm", "night"}, {"payee_id__count__1d"},
    ),
    handbook: (
        "TRANSACTION_ID", {"customer_id", "terminal_id"}, {"terminal_id__count__1h", "amount"},
        {"scenario", "place"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("make", KINDS, ids=lambda make: make.__name__)
def test_a_file_goes_from_train_to_decisions(make: Callable[[], Rows], tmp_path: Path) -> None:
    key, entities, there, absent = KINDS[make]
    rows, path = make(), tmp_path / f"{make.__name__}.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    done = ts.train("fraud", path, model=tmp_path / "model", learner="logistic_regression", set=ONE)
    assert [task.task for task in done.tasks] == ["fraud"]
    assert done.input_report.rows_clean == ROWS
    manifest = done.tasks[0].manifest
    names = set(manifest["features"]["names"])
    assert there <= names
    assert not absent & names
    assert not {n for n in names if "balance" in n or "fraud" in n.split("__")[0] or "scenario" in n}
    assert manifest["training"]["events"] == drawn()[1].sum()

    report = ts.evaluate("fraud", path, model=tmp_path / "model", set=ONE).reports["fraud"]
    assert report["rows"] + sum(report["left_out"].values()) == ROWS
    assert report["average_precision"] > 0.3  # chance alone: .15
    ts.evaluate("fraud", path, model=tmp_path / "model", split="time", set=ONE)

    out = tmp_path / "decisions.jsonl"
    scores = ts.score("fraud", path, model=tmp_path / "model", output=out, set=ONE)
    assert scores.decisions == ROWS
    decided = [json.loads(line) for line in out.read_text().splitlines()]
    wanted = [str(r[key]) if key else f"{path.name}:{i}" for i, r in enumerate(rows, 1)]
    assert [one["id"] for one in decided] == wanted
    assert set().union(*(one["sequence"] or {} for one in decided)) >= entities
    if not entities:
        assert all(not one["sequence"] or {} for one in decided)
    assert all(0 < one["score"] < 1 and one["event_time"] and one["late"] is False for one in decided)

    # Without its label column a file is scored, and what was known of frauds alone is missing.
    label = list(rows[0])[{ulb: -1, paysim: -2, amlsim: -2, prototype: -1, handbook: -2}[make]]
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, [n for n in rows[0] if n != label], extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    assert ts.score("fraud", path, model=tmp_path / "model", output=out, set=ONE).decisions == ROWS
    alone = ts.train("fraud", path, model=tmp_path / "odd", learner="autoencoder", set=ONE)
    assert [task.task for task in alone.tasks] == ["anomaly"]


def test_two_days_of_ulb_need_to_be_told_when_labels_are_known(tmp_path: Path) -> None:
    """The published file spans 48 hours: by the rule of seven days no label would be known in it."""
    rows = [row | {"Time": i * 400} for i, row in enumerate(ulb())]
    path = tmp_path / "ulb.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    options = {"model": tmp_path / "model", "learner": "logistic_regression"}
    with pytest.raises(DataError, match="--set label_delay="):
        ts.train("fraud", path, **options)
    done = ts.train("fraud", path, **options, set={"label_delay": "1h"})
    assert done.tasks[0].manifest["figures"]["average_precision"] > 0.3
