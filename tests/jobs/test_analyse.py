"""analyse: the same tables by every way in, local times, and what cannot run named."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta

import duckdb
import narwhals as nw
import polars as pl
import pyarrow as pa
import pytest

import tallystick as ts
from tallystick.engines.local import LocalEngine
from tallystick.errors import DataError, UsageError

START = datetime(2025, 6, 2, 23, 30, tzinfo=UTC)  # a Monday; Tuesday in Paris
ROWS = 40


@pytest.fixture(scope="module")
def payments():
    return pl.DataFrame(
        {
            "transaction_id": [f"t{i}" for i in range(ROWS)],
            "event_time": [START + timedelta(seconds=20 * i) for i in range(ROWS)],
            "customer_id": ["often" if i % 2 else f"c{i}" for i in range(ROWS)],
            "terminal_id": [f"m{i % 3}" for i in range(ROWS)],
            "amount": [10.0 + i for i in range(ROWS)],
            "is_fraud": [i % 10 == 0 for i in range(ROWS)],
        }
    )


def found(result, name):
    return next(one for one in result.analyses if one.name == name).rows


def test_all_whose_columns_are_there_run_and_the_others_say_what_they_lack(payments):
    result = ts.analyse("fraud", payments)
    assert {"by_hour", "by_amount", "by_terminal", "points_of_compromise", "rolling", "alerts"} <= {
        one.name for one in result.analyses
    }
    assert result.left_out == {
        **{"by_place": ["place"], "by_category": ["merchant_category"], "by_channel": ["channel"]},
        **{"by_device": ["device"], "by_scenario": ["scenario"]},
    }
    assert sum(row["payments"] for row in found(result, "by_hour")) == ROWS
    assert found(result, "by_hour")[0] == {"hour": 23, "payments": ROWS, "frauds": 4, "fraud_share": 0.1}
    assert {row["currency"] for row in found(result, "by_amount")} == {"USD"}


def test_the_five_minute_window_is_that_of_the_kernel_the_payment_itself_with_it(payments):
    (alert,) = found(ts.analyse("fraud", payments, ["alerts"]), "alerts")
    # Every 40 seconds one payment of this card: eight lie within (t - 300 s, t].
    assert alert["customer_id"] == "often"
    assert alert["payments"] == 8
    assert alert["amount"] == sum(10.0 + i for i in range(25, 40, 2))
    assert alert["time"] == (START + timedelta(seconds=180)).isoformat()
    assert alert["reason"].startswith("8 payments in 5 minutes")


def test_hours_days_and_times_are_local_to_the_setting_zone(payments):
    result = ts.analyse("fraud", payments, set={"zone": "Europe/Paris", "currency": "EUR"})
    assert [row["hour"] for row in found(result, "by_hour")] == [1]
    assert [row["day"] for row in found(result, "by_weekday")] == ["Tuesday"]
    assert [row["date"] for row in found(result, "by_day")] == ["2025-06-03"]
    assert found(result, "alerts")[0]["time"] == "2025-06-03T01:33:00+02:00"
    assert {row["currency"] for row in found(result, "rolling")} == {"EUR"}
    cells = dict(
        zip((one.name for one in result.analyses), (one.cells() for one in result.analyses), strict=True)
    )
    assert cells["alerts"][0][0] == "2025-06-03 01:33"
    assert cells["by_hour"][0] == ["1", "40", "4", "10.0\N{NO-BREAK SPACE}%"]


def test_without_labels_those_that_need_them_are_named(payments):
    result = ts.analyse("fraud", payments.drop("is_fraud"))
    assert {one.name for one in result.analyses} == {"rolling", "alerts", "alerts_by_kind"}
    assert result.left_out["by_hour"] == ["is_fraud"]
    assert result.left_out["by_device"] == ["device", "is_fraud"]
    assert "frauds" not in found(result, "alerts_by_kind")[0]
    with pytest.raises(DataError, match="by_hour needs is_fraud"):
        ts.analyse("fraud", payments.drop("is_fraud"), ["by_hour"])


def test_labels_of_their_own_are_enough(payments):
    labels = payments.select("transaction_id", "is_fraud")
    apart = ts.analyse("fraud", payments.drop("is_fraud"), ["by_terminal"], labels=labels)
    assert found(apart, "by_terminal") == found(ts.analyse("fraud", payments, ["by_terminal"]), "by_terminal")


def test_the_json_is_the_same_again_and_names_no_engine(payments):
    one, two = (json.dumps(ts.analyse("fraud", payments).to_dict(), allow_nan=False) for _ in range(2))
    assert one == two
    assert "engine" not in one
    assert set(json.loads(one)["analyses"]["by_hour"]) == {"title", "columns", "rows"}


def test_another_engine_says_the_same_to_the_last_digit(tmp_path, monkeypatch):
    """Relational work is written once: what a lazy engine of SQL cannot do, Spark could not either."""
    ts.simulate("fraud", rows=3000, output=tmp_path / "p.csv", seed=3)
    mine = ts.analyse("fraud", tmp_path / "p.csv")
    assert mine.left_out == {}
    with duckdb.connect() as engine:
        engine.execute("SET TimeZone = 'UTC'")
        monkeypatch.setattr(
            LocalEngine, "table", lambda self, table: nw.from_native(engine.from_arrow(table))
        )
        monkeypatch.setattr(LocalEngine, "collect", collected)
        theirs = ts.analyse("fraud", tmp_path / "p.csv")
    assert theirs.to_dict() == mine.to_dict()
    assert all(one.rows for one in mine.analyses)


def collected(self, frame):
    table = frame.collect("pyarrow").to_native()
    assert isinstance(table, pa.Table)
    return table


def test_rows_without_a_time_or_a_card_do_no_harm(payments):
    holed = payments.with_columns(
        pl.when(pl.col("transaction_id") == "t0").then(None).otherwise(pl.col(name)).alias(name)
        for name in ("event_time", "customer_id", "terminal_id", "amount")
    )
    result = ts.analyse("fraud", holed)
    assert sum(row["payments"] for row in found(result, "by_day")) == ROWS - 1
    assert sum(row["payments"] for row in found(result, "rolling")) == ROWS - 1


def test_tables_and_a_page_are_written(payments, tmp_path):
    result = ts.analyse(
        "fraud", payments, ["by_hour", "alerts"], output=tmp_path / "out", report=tmp_path / "a.html"
    )
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["alerts.csv", "by_hour.csv"]
    assert pl.read_csv(tmp_path / "out" / "by_hour.csv")["frauds"].to_list() == [4]
    page = (tmp_path / "a.html").read_text(encoding="utf-8")
    assert page.count("data-chart=") == 2
    held = re.search(r'<script type="application/json" id="report">(.*?)</script>', page)[1]
    assert json.loads(held)["analyses"] == result.to_dict()["analyses"]
    assert "what to" not in page
    assert "The hour is local to the setting zone." in page


def test_a_name_that_is_none_and_a_solution_without_any_are_told(payments):
    with pytest.raises(UsageError, match="by_hours") as told:
        ts.analyse("fraud", payments, ["by_hours"])
    assert "by_hour" in told.value.hint
    with pytest.raises(UsageError, match="no analyses"):
        ts.analyse("complaints", payments)
