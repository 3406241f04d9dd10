from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from tallystick.config import Settings
from tallystick.contracts import Checked, Contract, Report
from tallystick.errors import UsageError
from tallystick.solutions.fraud.contract import LABELS, NEEDED, TRANSACTIONS

START = datetime(1970, 1, 1, tzinfo=UTC)


def check(head: str, *lines: str, contract: Contract = TRANSACTIONS) -> Checked:
    """Check rows as they stand in a file, all text."""
    names = head.split(",")
    columns = [
        pa.array(list(column), pa.string()) for column in zip(*(x.split(",") for x in lines), strict=True)
    ]
    batch = pa.RecordBatch.from_arrays(columns, names=names)
    return contract.check(batch, contract.resolve(names), Settings())


def rows(head: str, *lines: str) -> list[dict[str, Any]]:
    """Return the clean rows; none may be bad."""
    checked = check(head, *lines)
    assert checked.bad.message == ()
    found: list[dict[str, Any]] = checked.rows.to_pylist()
    return found


def read(table: pa.Table) -> tuple[pa.Table, Report]:
    column_mapping = TRANSACTIONS.resolve(table.schema.names)
    assert column_mapping.notes == ()
    parts, report = [], Report()
    for batch in table.to_batches(65_536):
        checked = TRANSACTIONS.check(batch, column_mapping, Settings())
        parts.append(checked.rows)
        report += Report.of(checked.bad.code, len(checked.kept))
    return pa.Table.from_batches(parts, column_mapping.schema), report


def as_text(path: Path) -> pa.Table:
    """Read a CSV without guessing any type, as the product does."""
    with pa.csv.open_csv(path) as reader:
        kinds = dict.fromkeys(reader.schema.names, pa.string())
    return pa.csv.read_csv(path, convert_options=pa.csv.ConvertOptions(column_types=kinds))


def test_the_columns_in_their_order() -> None:
    names = [column.name for column in TRANSACTIONS.columns]
    assert names[:12] == [
        *("transaction_id", "event_time", "customer_id", "terminal_id", "amount", "currency", "place"),
        *("merchant_category", "channel", "device", "device_id", "payee_id"),
    ]
    assert names[12:40] == [f"v{i}" for i in range(1, 29)]
    assert names[-4:] == ["is_fraud", "scenario", "label_known_at", "sequence"]


def test_what_is_known_only_after_the_event_is_no_feature() -> None:
    after = ["newbalanceOrig", "OLDBALANCEORG", "TX_FRAUD_SCENARIO", "label_known_at", "payee_balance_after"]
    assert list(TRANSACTIONS.leaky([*after, "amount", "V1"])) == after
    with pytest.raises(UsageError, match="only after the event"):
        TRANSACTIONS.refuse_leaks(["oldbalanceDest"], "fraud")


def test_handbook_rows() -> None:
    found = rows(
        "TRANSACTION_ID,TX_DATETIME,CUSTOMER_ID,TERMINAL_ID,TX_AMOUNT,TX_TIME_SECONDS,TX_TIME_DAYS,TX_FRAUD,"
        "TX_FRAUD_SCENARIO",
        "0,2018-04-01 00:00:31,596,3156,57.16,31,0,0,0",
        "3527,2018-04-01 10:17:43,3774,3059,225.41000000000003,37063,0,1,1",
    )
    assert found[0] == {
        "transaction_id": "0",
        "event_time": datetime(2018, 4, 1, 0, 0, 31, tzinfo=UTC),
        "customer_id": "596",
        "terminal_id": "3156",
        "amount": 5716,
        "is_fraud": False,
        "scenario": "0",
    }
    assert (found[1]["amount"], found[1]["is_fraud"], found[1]["scenario"]) == (22541, True, "1")


def test_ulb_rows() -> None:
    anonymous = ",".join(["-1.3598071336738"] * 28)
    found = rows(
        f"Time,{','.join(f'V{i}' for i in range(1, 29))},Amount,Class",
        f"0,{anonymous},149.62,0",
        f"1e+05,{anonymous},0.89,1",
    )
    assert [row["event_time"] for row in found] == [START, START + timedelta(seconds=100_000)]
    assert [row["amount"] for row in found] == [14962, 89]
    assert [row["is_fraud"] for row in found] == [False, True]
    assert found[0]["v28"] == -1.3598071336738
    assert "customer_id" not in found[0]


def test_amlsim_rows() -> None:
    found = rows(
        "TX_ID,SENDER_ACCOUNT_ID,RECEIVER_ACCOUNT_ID,TX_TYPE,TX_AMOUNT,TIMESTAMP,IS_FRAUD,ALERT_ID",
        "1,6456,9069,TRANSFER,465.05,0,False,-1",
        "9,7516,9543,TRANSFER,564.64,20,True,17",
    )
    assert found[1] == {
        "transaction_id": "9",
        "event_time": START + timedelta(days=20),
        "customer_id": "7516",
        "amount": 56464,
        "channel": "TRANSFER",
        "payee_id": "9543",
        "is_fraud": True,
    }


def test_rows_of_the_amlsim_sample() -> None:
    (row,) = rows("sourceNodeId,targetNodeId,value,time", "3621,19968,140.42,123")
    assert row == {
        "event_time": START + timedelta(days=123),
        "customer_id": "3621",
        "amount": 14042,
        "payee_id": "19968",
    }


def test_paysim_rows() -> None:
    checked = check(
        "step,type,amount,nameOrig,oldbalanceOrg,newbalanceOrig,nameDest,oldbalanceDest,newbalanceDest,isFraud,"
        "isFlaggedFraud",
        "1,PAYMENT,9839.64,C1231006815,170136.0,160296.36,M1979787155,0.0,0.0,0,0",
        "743,CASH_OUT,339682.13,C786484425,339682.13,0.0,C776919290,0.0,339682.13,1,0",
    )
    assert checked.bad.message == ()
    assert checked.rows.to_pylist()[1] == {
        "event_time": START + timedelta(hours=743),
        "customer_id": "C786484425",
        "amount": 33968213,
        "channel": "CASH_OUT",
        "payee_id": "C776919290",
        "payer_balance_before": 339682.13,
        "payer_balance_after": 0.0,
        "payee_balance_before": 0.0,
        "payee_balance_after": 339682.13,
        "is_fraud": True,
    }


def test_rows_of_a_plain_file() -> None:
    (row,) = rows(
        "transaction_id,user_id,amount,location,device_type,transaction_type,timestamp,is_fraud",
        "T1,U7,-12.50,New York,mobile,purchase,2024-01-31 23:59:59,0",
    )
    assert row == {
        "transaction_id": "T1",
        "event_time": datetime(2024, 1, 31, 23, 59, 59, tzinfo=UTC),
        "customer_id": "U7",
        "amount": -1250,
        "place": "New York",
        "channel": "purchase",
        "device": "mobile",
        "is_fraud": False,
    }


def test_rows_of_a_bank() -> None:
    (row,) = rows(
        "Txn ID,Date,Card ID,Account ID,Merchant ID,MCC,Amount,Currency Code,Country,City,Payee IBAN,IP,"
        "Chargeback date,fraud",
        "x,2024-01-31,c,a,m,5411,1.005,bhd,DE,Bonn,DE02,10.0.0.1,2024-02-10,Y",
    )
    assert row == {
        "transaction_id": "x",
        "event_time": datetime(2024, 1, 31, tzinfo=UTC),
        "customer_id": "c",
        "terminal_id": "m",
        "amount": 1005,
        "currency": "BHD",
        "place": "Bonn",
        "merchant_category": "5411",
        "device_id": "10.0.0.1",
        "payee_id": "DE02",
        "is_fraud": True,
        "label_known_at": datetime(2024, 2, 10, tzinfo=UTC),
    }


def test_a_time_counts_only_in_a_make_that_is_known() -> None:
    assert TRANSACTIONS.resolve(["Time", "Amount"]).format is None
    assert check("Time,Amount", "100,1").bad.code == ("bad_time",)
    assert rows("time,value,customer_id,amount", "20240131,x,y,1")[0]["event_time"].year == 2024
    # Elsewhere these headings mean what the word says, or nothing.
    assert TRANSACTIONS.resolve(["amount", "class", "value", "step"]).ours == ("amount",)


def test_what_the_windows_know_of_frauds_is_no_column_of_a_file() -> None:
    assert TRANSACTIONS.resolve(["amount", "known_fraud"]).ignored == ("known_fraud",)
    assert LABELS.resolve(["is_fraud", "known_fraud"]).ours == ("is_fraud",)


def test_labels_that_arrive_by_themselves() -> None:
    checked = check("TX_ID,Fraud,Chargeback date", "9,yes,2024-02-10", "10,,2024-02-10", contract=LABELS)
    assert checked.rows.to_pylist() == [
        {"transaction_id": "9", "is_fraud": True, "label_known_at": datetime(2024, 2, 10, tzinfo=UTC)}
    ]
    assert checked.bad.code == ("blank_label",)
    assert set(NEEDED) - set(LABELS.resolve(["tx_id", "known_at"]).ours) == {"is_fraud"}
    assert set(NEEDED) <= {column.name for column in LABELS.columns}


def test_every_row_of_the_handbook_is_clean_and_exact(public_data: Path) -> None:
    table = pq.read_table(public_data / "fraud" / "handbook.parquet")
    clean, report = read(table)
    assert (report.rows_in, report.rows_clean, report.rows_quarantined) == (1_466_282, 1_466_282, 0)
    counts = table["TX_AMOUNT"].value_counts().to_pylist()
    cents = sum(one["counts"] * int(round(Decimal(repr(one["values"])) * 100, 0)) for one in counts)
    assert pc.sum(clean["amount"]).as_py() == cents == 7_864_433_283
    assert clean["event_time"].cast(pa.timestamp("ms")).equals(table["TX_DATETIME"])
    assert pc.sum(clean["is_fraud"]).as_py() == pc.sum(table["TX_FRAUD"]).as_py()
    assert clean["scenario"].value_counts().to_pylist() == [
        {"values": str(one["values"]), "counts": one["counts"]}
        for one in table["TX_FRAUD_SCENARIO"].value_counts().to_pylist()
    ]


def test_every_row_of_the_ulb_sample_is_clean(public_data: Path) -> None:
    table = as_text(public_data / "fraud" / "ulb_creditcard_sample.csv.gz")
    clean, report = read(table)
    assert (report.rows_in, report.rows_clean) == (500, 500)
    assert sum(clean["amount"].to_pylist()) == sum(Decimal(x) for x in table["Amount"].to_pylist()) * 100
    assert [(x - START).total_seconds() for x in clean["event_time"].to_pylist()] == [
        float(x) for x in table["Time"].to_pylist()
    ]
    assert clean["is_fraud"].to_pylist() == [x == "1" for x in table["Class"].to_pylist()]


def test_every_row_of_the_amlsim_sample_is_clean(public_data: Path) -> None:
    table = as_text(public_data / "fraud" / "amlsim" / "amlsim_data.transactions.csv.gz")
    clean, report = read(table)
    assert (report.rows_in, report.rows_clean) == (169_172, 169_172)
    counts = table["value"].value_counts().to_pylist()
    cents = sum(one["counts"] * Decimal(one["values"]) for one in counts) * 100
    assert pc.sum(clean["amount"]).as_py() == cents
    assert pc.max(clean["event_time"]).as_py() == START + timedelta(days=123)
