"""Labels: from their own column or a file of their own, and never before they were known."""

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import settings as tries
from hypothesis import strategies as st

import tallystick as ts
from tallystick import registry
from tallystick.contracts.zones import LATEST
from tallystick.errors import DataError, UsageError
from tallystick.jobs.options import run_context
from tallystick.jobs.records_input import columns_of, read_records
from tallystick.learning.records import Records

FRAUD = registry.solution("fraud")
START = datetime(2025, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
TIMES = {"event_time": pl.Datetime("us", "UTC"), "label_known_at": pl.Datetime("us", "UTC")}
FRAUDS = "terminal_id__count__30d__known_fraud"


@pytest.fixture(scope="module")
def windows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("windows") / "windows.yaml"
    path.write_text(
        "features:\n"
        "  - {entity: terminal_id, windows: [3d, 30d], aggregates: [count], where: known_fraud}\n"
        "  - {entity: terminal_id, windows: 5d, aggregates: [risk], delay: 2d}\n"
        "  - {entity: customer_id, windows: 7d, aggregates: [count]}\n"
    )
    return path


def payments(fraud: list[bool | None], known: list[datetime | None] | None = None) -> pl.DataFrame:
    """One payment a day at one terminal; without `known`, nothing says since when a label is."""
    days = range(len(fraud))
    columns: dict[str, Any] = {
        "transaction_id": [f"t{i}" for i in days], "event_time": [START + i * DAY for i in days],
        "customer_id": ["c"] * len(fraud), "terminal_id": ["m"] * len(fraud), "is_fraud": fraud,
    }  # fmt: skip
    return pl.DataFrame(
        columns | ({} if known is None else {"label_known_at": known}),
        schema_overrides={
            "is_fraud": pl.Boolean,
            **{k: v for k, v in TIMES.items() if known or k != "label_known_at"},
        },
    )


def gather(frame: pl.DataFrame, labels: Any = None, **set_: Any) -> Records:
    return read_records(FRAUD, frame, run_context("train", set=set_), ["terminal_id"], labels=labels)


def known(events: Records) -> list[float | None]:
    """When each label became known, in days after the first payment."""
    start = int(START.timestamp() * 1e6)
    return [None if k == LATEST else (k - start) / 86_400e6 for k in events.known["is_fraud"].tolist()]


def test_a_label_of_the_input_is_known_when_it_says() -> None:
    said = [START + 3 * DAY, START + 9 * DAY, None, START + 4 * DAY]
    events = gather(payments([True, False, True, None], said))
    assert events.answers[:3].tolist() == [1, 0, 1]
    assert np.isnan(events.answers[3])
    assert known(events) == [3, 9, 2 + 7, None]  # without a time seven days after; without a label never


@pytest.mark.parametrize(
    ("said", "days"), [({}, 7), ({"label_delay": "12h"}, 0.5), ({"label_delay": "30d"}, 30)]
)
def test_without_a_time_labels_are_late_as_the_setting_says(said: dict[str, str], days: float) -> None:
    assert known(gather(payments([True, False]), **said)) == [days, 1 + days]


@pytest.mark.parametrize("delay", ["soon", "0d", "-1d", "7"])
def test_a_delay_that_is_none_is_told(delay: str) -> None:
    with pytest.raises(UsageError, match="label_delay"):
        gather(payments([True]), label_delay=delay)


def test_a_label_known_before_its_event_says_nothing_of_when(windows: Path) -> None:
    """Also one known at the very moment: a payment's own answer is none of its features."""
    early = [START - 5 * DAY, START + 1 * DAY, START + DAY]
    frame = payments([True, True, True], early)
    assert known(gather(frame)) == [7, 8, 9]
    assert ts.features("fraud", frame, windows=windows)[FRAUDS].to_list() == [0, 0, 0]


def labels(*rows: tuple[str, object, object]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "tx_id": [r[0] for r in rows],
            "fraud": [r[1] for r in rows],
            "chargeback_date": [r[2] for r in rows],
        },
        schema_overrides={"chargeback_date": pl.Datetime("us", "UTC"), "fraud": pl.Boolean},
    )


def test_labels_of_their_own_go_before_the_column() -> None:
    frame = payments([False, True, None, False], [START + DAY, START + 2 * DAY, None, START + 4 * DAY])
    arrived = labels(("t0", True, START + 5 * DAY), ("t1", False, None), ("t2", True, None))
    events = gather(frame, arrived)
    assert events.answers.tolist() == [1, 0, 1, 0]
    # t1's label says no time, so that of the input stays; t2's has none at all.
    assert known(events) == [5, 2, 2 + 7, 4]
    assert known(gather(frame, arrived, label_delay="1d")) == [5, 2, 3, 4]


def test_of_two_labels_the_first_in_the_file_wins_and_strangers_are_counted(
    tmp_path: Path, windows: Path
) -> None:
    arrived = labels(("t1", True, None), ("nobody", True, None), ("t1", False, None), ("else", False, None))
    events = gather(payments([None, None]), arrived)
    assert events.answers[1] == 1
    assert np.isnan(events.answers[0])
    payments([None, None]).write_parquet(tmp_path / "in.parquet")
    arrived.write_csv(tmp_path / "labels.csv")
    options = {"windows": windows, "output": tmp_path / "o.csv", "labels": tmp_path / "labels.csv"}
    done = ts.features("fraud", tmp_path / "in.parquet", **options)
    assert done.input_report.notes == (
        "Labels: 3 read, 0 bad, 1 duplicate.",
        "2 of the labels are for no row here; they change nothing.",
    )
    assert (done.input_report.rows_in, done.input_report.rows_duplicate) == (2, 0)  # the input's own account


def test_a_label_file_as_people_have_it(tmp_path: Path) -> None:
    (tmp_path / "l.csv").write_text(
        "TRANSACTION_ID,TX_FRAUD,reported_at\nt0,1,2025-03-09\nt1,maybe,\nt2,no,2025-03-10 12:00\nt3,,\n"
    )
    events = gather(payments([None] * 4), tmp_path / "l.csv")
    assert events.answers[:3:2].tolist() == [1, 0]
    assert known(events) == [8, None, 9.5, None]
    assert (
        events.report.notes[0] == "Labels: 2 read, 2 bad, 0 duplicate."
    )  # "maybe" says nothing, nor a blank


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("tx_id,reported_at\nt0,2025-03-09\n", DataError, "is_fraud, what it was"),
        ("is_fraud\n1\n", DataError, "transaction_id, which event a label is for"),
        ("", DataError, "The labels are refused: .*labels.csv"),
        ("tx_id,is_fraud\n", DataError, "The labels are refused: .*a header but no row"),
        (None, UsageError, "is not there"),
    ],
)
def test_labels_that_cannot_be_used_are_refused(
    text: str | None, kind: type, words: str, tmp_path: Path
) -> None:
    if text is not None:
        (tmp_path / "labels.csv").write_text(text)
    with pytest.raises(kind, match=words):
        gather(payments([None]), tmp_path / "labels.csv")


def test_labels_where_no_label_is_taken(tmp_path: Path) -> None:
    from tallystick.jobs.labels import read_labels

    with pytest.raises(UsageError, match="no labels of their own"):
        read_labels(registry.solution("complaints"), labels(("a", True, None)), run_context("train"))


def test_the_order_of_the_label_file_and_of_the_input_is_no_matter(windows: Path) -> None:
    frame = payments([None] * 12)
    arrived = labels(*((f"t{i}", i % 3 == 0, START + (i + 2) * DAY) for i in range(12)))
    wanted = ts.features("fraud", frame, windows=windows, labels=arrived)
    assert wanted[FRAUDS].max() == 4
    mixed = ts.features("fraud", frame.reverse(), windows=windows, labels=arrived.reverse())
    assert mixed.sort("event_time").equals(wanted)


@given(st.integers(0, 2**32))
@tries(max_examples=25)
def test_nothing_before_a_label_was_known_depends_on_it(windows: Path, seed: int) -> None:
    """Whatever later labels say, and however late they come: what was before them stays to the bit."""
    chance = random.Random(seed)
    count = 30
    at = sorted(START + timedelta(hours=chance.randrange(0, 400)) for _ in range(count))
    told = [chance.choice([None, when + timedelta(hours=chance.randrange(-50, 300))]) for when in at]
    frame = pl.DataFrame(
        {
            "transaction_id": [f"t{i}" for i in range(count)], "event_time": at,
            "customer_id": [chance.choice(["a", "b", None]) for _ in at],
            "terminal_id": [chance.choice(["x", "y"]) for _ in at],
            "is_fraud": [chance.choice([True, True, False, None]) for _ in at], "label_known_at": told,
        },
        schema_overrides={"is_fraud": pl.Boolean, **TIMES},
    )  # fmt: skip
    moment = chance.choice(at)
    when = pl.coalesce("label_known_at", pl.col("event_time") + 7 * DAY)
    later = pl.max_horizontal(when, pl.col("event_time")) >= moment + timedelta(microseconds=1)
    changed = frame.with_columns(
        is_fraud=pl.when(later).then(~pl.col("is_fraud")).otherwise("is_fraud"),
        label_known_at=pl.when(later)
        .then(when + timedelta(hours=chance.randrange(1, 99)))
        .otherwise("label_known_at"),
    )
    before = frame["event_time"] <= moment
    plain, moved = (ts.features("fraud", one, windows=windows).filter(before) for one in (frame, changed))
    assert moved.equals(plain, null_equal=True)
    # The same through a file of labels, and with the later ones left out altogether.
    own = frame.filter(~later & pl.col("is_fraud").is_not_null()).select(
        "transaction_id", "is_fraud", known_at=when
    )
    bare = frame.drop("is_fraud", "label_known_at")
    told_apart = ts.features("fraud", bare, windows=windows, labels=own if len(own) else None)
    assert told_apart.filter(before).equals(plain, null_equal=True)


def test_silence_means_good_where_the_settings_say_so(tmp_path: Path) -> None:
    """A file of chargebacks names frauds alone; what nobody complained of in time was good."""
    days = [datetime(2024, 1, 1, tzinfo=UTC) + timedelta(days=n) for n in range(40)]
    frame = pl.DataFrame(
        {
            "transaction_id": [str(n) for n in range(40)],
            "event_time": days,
            "customer_id": ["a"] * 40,
            "amount": [10.0] * 40,
        }
    )
    labels = pl.DataFrame(
        {"transaction_id": ["3", "39"], "is_fraud": [True, True], "label_known_at": [days[9], days[39]]}
    )
    job = run_context("train", set={"good_after": "30d"})
    events = read_records(FRAUD, frame, job, columns_of(FRAUD, FRAUD.tasks), labels=labels)
    silent = [n for n in range(40) if n not in (3, 39)]
    assert events.answers[[3, 39]].tolist() == [1, 1]
    # The last payment is the moment from which one looks back: ten of the others are old enough.
    assert [n for n in silent if events.answers[n] == 0] == [n for n in silent if n + 30 <= 39]
    assert all(events.known["is_fraud"][n] == events.time[n] + 30 * 86_400_000_000 for n in (0, 9))
    plain = read_records(FRAUD, frame, run_context("train"), columns_of(FRAUD, FRAUD.tasks), labels=labels)
    assert np.isnan(plain.answers[silent]).all()
