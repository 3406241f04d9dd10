"""When rows count: not before either answer could have been known."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

import tallystick as ts
from tallystick import registry
from tallystick.contracts.zones import LATEST
from tallystick.jobs.options import run_context
from tallystick.jobs.records_input import columns_of, read_records
from tallystick.jobs.task_rows import rows_of
from tallystick.learning.records import Records

FRAUD = registry.solution("fraud")
START = datetime(2025, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
MICROS = 86_400_000_000


def payments(days: int = 100, fraud_each: int = 10, **columns: Any) -> pl.DataFrame:
    """One payment a day; each tenth is a fraud."""
    times = [START + n * DAY for n in range(days)]
    fraud = [n % fraud_each == 0 for n in range(days)]
    return pl.DataFrame(
        {"transaction_id": [f"t{n}" for n in range(days)], "event_time": times, "customer_id": ["c"] * days,
         "amount": [10.0] * days, "is_fraud": fraud} | columns
    )  # fmt: skip


def waits(frame: pl.DataFrame, fraud: float, good: float) -> pl.DataFrame:
    """Say when labels are known: this many days after the payment."""
    wait = pl.when("is_fraud").then(pl.lit(fraud * MICROS)).otherwise(pl.lit(good * MICROS))
    wait = wait.cast(pl.Int64).cast(pl.Duration("us"))
    return frame.with_columns(label_known_at=pl.col("event_time") + wait)


def gather(frame: pl.DataFrame, labels: Any = None, until: datetime | None = None, **set_: Any) -> Records:
    context = run_context("train", set=set_)
    return read_records(
        FRAUD, frame, context, columns_of(FRAUD, FRAUD.tasks), labels=labels, known_by=until
    )  # fmt: skip


def counted(records: Records) -> list[float]:
    """From when on each row counts, in days after its event; infinite: not yet."""
    moments = records.dataset(run_context("train").settings).counted_from("is_fraud")
    return [
        float("inf") if moment == LATEST else (moment - time) / MICROS
        for moment, time in zip(moments.tolist(), records.time.tolist(), strict=True)
    ]


def learned_from(records: Records, as_of: int | None = None, *, judged: bool = False) -> list[int]:
    """The rows that the fraud task learns from, or is measured on."""
    dataset = records.dataset(run_context("train").settings)
    return rows_of(FRAUD.tasks[0], dataset, as_of=as_of, judged=judged).dataset.index.tolist()


def test_frauds_known_early_count_when_a_good_payment_could_be_known() -> None:
    """Frauds are known after 5 days and goods after 14: from then on both count, and none before."""
    records = gather(waits(payments(), fraud=5, good=14))
    assert set(counted(records)) == {14.0}
    # Windows see the fraud when it was known: there it is no label but an event.
    _, known = records.label_events
    assert set(((known - records.time[records.answers == 1]) / MICROS).tolist()) == {5.0}


def test_goods_known_early_count_when_a_fraud_could_be_known() -> None:
    assert set(counted(gather(waits(payments(), fraud=20, good=3)))) == {20.0}


@pytest.mark.parametrize("judged", [False, True])
def test_a_day_that_frauds_alone_are_known_of_is_left_out(judged: bool) -> None:
    """The file was written on day 99: what is good has a label up to day 85, what is a fraud up to day 94."""
    frame = waits(payments(), fraud=5, good=14)
    end = START + 99 * DAY
    cut = frame.with_columns(
        pl.when(pl.col("label_known_at") <= end).then(c).alias(c) for c in ("is_fraud", "label_known_at")
    )
    assert cut["is_fraud"][90] is True
    assert learned_from(gather(cut), judged=judged) == list(range(86))
    # Where all labels are there, either answer was known of each.
    assert learned_from(gather(frame), judged=judged) == list(range(100))


def test_labels_that_come_alike_count_as_they_come() -> None:
    random = np.random.default_rng(1)
    wait = pl.Series(random.exponential(7, 1000) * MICROS).cast(pl.Int64).cast(pl.Duration("us"))
    frame = payments(1000).with_columns(label_known_at=pl.col("event_time") + wait)
    records = gather(frame)
    assert records.counts == {}


@pytest.mark.parametrize("judged", [False, True])
def test_chargebacks_count_when_silence_does(judged: bool) -> None:
    """Of the last 30 days only frauds would be known: none of these days counts, in learning or figures."""
    frame = payments().drop("is_fraud")
    frauds = waits(payments(), fraud=5, good=5).filter("is_fraud")
    frauds = frauds.select("transaction_id", "is_fraud", "label_known_at")
    records = gather(frame, frauds, good_after="30d")
    assert learned_from(records, judged=judged) == list(range(70))
    assert set(counted(records)[:70]) == {30.0}
    # One looks back from --as-of where it is later than the file: silence since then says more.
    later = gather(frame, frauds, START + 200 * DAY, good_after="30d")
    assert learned_from(later, judged=judged) == list(range(100))
    early = gather(frame, frauds, START + 50 * DAY, good_after="30d")
    assert learned_from(early, judged=judged) == list(range(21))


def test_folds_by_time_learn_from_both_answers() -> None:
    """The share of frauds among what each fold learns from is that of the payments."""
    frame = payments(400, 20)
    frauds = waits(frame, fraud=2, good=2).filter("is_fraud")
    frauds = frauds.select("transaction_id", "is_fraud", "label_known_at")
    records = gather(frame.drop("is_fraud"), frauds, good_after="30d")
    dataset = records.dataset(run_context("train").settings)
    truth = FRAUD.tasks[0].target.encode(dataset)
    for day in (100, 200, 300):
        known = truth.as_known(int(records.time[day])).values
        assert int((~np.isnan(known)).sum()) == day - 30 + 1
        assert np.nanmean(known) == pytest.approx(1 / 20, abs=0.01)


def test_train_and_evaluate_say_what_does_not_count_yet(tmp_path: Any) -> None:
    ts.simulate("fraud", rows=6_000, seed=3, preset="handbook", output=tmp_path / "p.parquet")
    frame = pl.read_parquet(tmp_path / "p.parquet")
    frauds = frame.filter("is_fraud").select("transaction_id", "is_fraud")
    bare = frame.drop("is_fraud", "label_known_at", "scenario", strict=False)
    last = frame["event_time"].max() - 7 * DAY  # type: ignore[operator]
    young = frame.filter(pl.col("event_time") > last)
    given: dict[str, Any] = {"labels": frauds, "set": {"good_after": "7d"}}
    trained = ts.train("fraud", bare, model=tmp_path / "model", task=["fraud"], **given)
    left_out = trained.tasks[0].manifest["training"]["left_out"]
    assert left_out["no is_fraud"] == len(young.filter(~pl.col("is_fraud")))
    assert left_out["no is_fraud yet"] == len(young.filter("is_fraud"))
    report = ts.evaluate("fraud", bare, model=tmp_path / "model", task=["fraud"], **given).reports["fraud"]
    assert report["left_out"]["no is_fraud yet"] == len(young.filter("is_fraud"))
