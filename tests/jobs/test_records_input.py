"""Events gathered from an input, its history and its labels, and replayed in the order they became known."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import tallystick as ts
from tallystick import registry
from tallystick.contracts.zones import LATEST
from tallystick.errors import DataError, UsageError
from tallystick.jobs.options import moment, run_context
from tallystick.jobs.records_input import read_records
from tallystick.learning import records as records_module
from tallystick.learning.records import Records, Span, replay

FRAUD = registry.solution("fraud")
COLUMNS = ["customer_id", "terminal_id", "amount"]
START = datetime(2025, 3, 1, 12, tzinfo=UTC)
COUNT, FRAUDS = "customer_id__count__1d", "terminal_id__count__30d__known_fraud"


@pytest.fixture(scope="module")
def windows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("windows") / "windows.yaml"
    path.write_text(
        "features:\n"
        "  - {entity: customer_id, windows: 1d, aggregates: [count]}\n"
        "  - {entity: terminal_id, windows: 30d, aggregates: [count], where: known_fraud}\n"
    )
    return path


def payments(*rows: dict[str, Any]) -> pl.DataFrame:
    """Payments of one card at one terminal, an hour apart, unless a row says otherwise."""
    usual = [
        {
            "transaction_id": f"t{i}", "event_time": START + timedelta(hours=i), "customer_id": "c",
            "terminal_id": "m", "amount": 10.0 + i, "is_fraud": False, "label_known_at": None,
        }
        for i in range(len(rows))
    ]  # fmt: skip
    kinds = {"label_known_at": pl.Datetime("us", "UTC"), "event_time": pl.Datetime("us", "UTC")}
    kinds |= dict.fromkeys(("transaction_id", "customer_id", "terminal_id"), pl.String)
    return pl.DataFrame([u | row for u, row in zip(usual, rows, strict=True)], schema_overrides=kinds)


def gather(frame: Any, **options: Any) -> Records:
    more = {name: options.pop(name) for name in ("history", "labels") if name in options}
    return read_records(FRAUD, frame, run_context("features", **options), COLUMNS, **more)


def applied(events: Records, until: int | None = None) -> list[tuple[str, bool]]:
    """The order in which events are applied: each id, and whether it is its label."""
    order: list[tuple[str, bool]] = []

    class Seen:
        rows = None

    def remember(rows: Any, labels: np.ndarray) -> Any:
        order.extend(zip(rows.column("transaction_id").to_pylist(), labels.tolist(), strict=True))
        return Seen()

    list(replay(events, remember, until))
    return order


def test_events_are_applied_when_they_became_known() -> None:
    hour = timedelta(hours=1)
    frame = payments(
        {"is_fraud": True, "label_known_at": START + 2 * hour},  # at the moment of t2: the label goes first
        {"is_fraud": False, "label_known_at": START + 1.5 * hour},  # a good payment sends no label
        {"is_fraud": True, "label_known_at": None},  # seven days after
        {"event_time": START + 2 * hour, "transaction_id": "a"},  # a tie: by the bytes of the key
        {"event_time": None, "is_fraud": True},  # nowhere in time: last, and its label never
        {"event_time": START + timedelta(days=8)},
    )
    order = applied(gather(frame.sample(fraction=1, shuffle=True, seed=4)))
    assert order == [
        ("t0", False), ("t1", False), ("t0", True), ("a", False), ("t2", False), ("t2", True), ("t5", False),
        ("t4", False),
    ]  # fmt: skip
    at = int((START + 2 * hour).timestamp() * 1e6)
    assert applied(gather(frame), until=at) == order[:2]


@pytest.mark.parametrize("batch", [1, 2, 65_536])
def test_how_many_are_applied_together_changes_nothing(
    batch: int, windows: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where a part holds nothing but labels."""
    known = START + timedelta(days=2)
    frame = payments(*[{"is_fraud": True, "label_known_at": known}] * 3, {"event_time": known}, {})
    together = ts.features("fraud", frame, windows=windows)
    assert together[FRAUDS].to_list() == [0, 0, 0, 3, 0]
    monkeypatch.setattr(records_module, "BATCH", batch)
    assert ts.features("fraud", frame, windows=windows).equals(together)


def test_rows_come_back_in_the_order_of_the_input(windows: Path) -> None:
    frame = payments({}, {}, {}, {}).reverse()
    found = ts.features("fraud", frame, windows=windows)
    assert found["id"].to_list() == ["t3", "t2", "t1", "t0"]
    assert found[COUNT].to_list() == [3, 2, 1, 0]


def test_history_goes_before_and_is_not_written(windows: Path) -> None:
    frame = payments({"is_fraud": True, "label_known_at": START + timedelta(hours=3)}, {}, {}, {})
    whole = ts.features("fraud", frame, windows=windows)
    warm = ts.features("fraud", frame[2:], windows=windows, history=frame[:2])
    assert warm.equals(whole[2:])
    assert warm[FRAUDS].to_list() == [0, 1]


def test_a_row_that_the_history_has_is_a_duplicate(windows: Path, tmp_path: Path) -> None:
    frame = payments({}, {}, {}, {"transaction_id": None})
    again = frame.with_columns(amount=pl.lit(99.0), customer_id=pl.lit("other"))
    for name, part in (("input.parquet", again[1:]), ("before.parquet", frame[:3])):
        part.write_parquet(tmp_path / name)
    done = ts.features(
        "fraud", tmp_path / "input.parquet", windows=windows, history=tmp_path / "before.parquet",
        output=tmp_path / "features.csv",
    )  # fmt: skip
    account = done.input_report.to_dict()
    assert (account["rows_in"], account["rows_clean"], account["rows_duplicate"]) == (3, 1, 2)
    assert done.rows == 1
    # What has no key is no duplicate, and is called by its place in its own file.
    assert pl.read_csv(tmp_path / "features.csv")["id"].to_list() == ["input.parquet:3"]
    named = pl.read_ndjson(tmp_path / "features.csv.duplicates.jsonl")
    assert named["kept_file"].to_list() == ["(history)"] * 2
    assert named["kept_row"].to_list() == [2, 3]
    with pytest.raises(DataError, match="all are duplicates"):
        ts.features("fraud", frame[:2], windows=windows, history=frame[:3])


def test_what_is_wrong_with_the_history_is_said(windows: Path, tmp_path: Path) -> None:
    frame = payments({}, {}, {})
    for name, part in (("input.csv", frame[2:]), ("before.csv", frame[:2])):
        part.write_csv(tmp_path / name)
    broken = (tmp_path / "before.csv").read_text().replace(",10.0,", ",ten,")
    (tmp_path / "before.csv").write_text(broken)
    options = {"windows": windows, "history": tmp_path / "before.csv", "output": tmp_path / "f.csv"}
    done = ts.features("fraud", tmp_path / "input.csv", **options)
    assert done.input_report.notes == ("History: 1 rows read, 1 bad, 0 duplicate.",)
    assert (done.input_report.rows_in, done.input_report.rows_quarantined) == (1, 0)
    (tmp_path / "before.csv").write_text(broken.replace(",11.0,", ",eleven,"))
    with pytest.raises(DataError, match=r"The history is refused: None of 2 rows.*2 not_a_number"):
        ts.features("fraud", tmp_path / "input.csv", **options)


def test_rows_without_a_time_are_last_and_know_no_behaviour(windows: Path) -> None:
    frame = payments({"event_time": None, "is_fraud": True}, {}, {"event_time": None}, {})
    events = gather(frame)
    assert (events.time == LATEST).tolist() == [True, False, True, False]
    assert (events.known["is_fraud"] == LATEST).tolist() == [True, False, True, False]
    found = ts.features("fraud", frame, windows=windows)
    assert found["event_time"].null_count() == 2
    assert found[COUNT].to_list()[1::2] == [0, 1]
    assert [value for value in found[FRAUDS].to_list() if value] == []


def test_rows_without_any_entity_have_unknown_behaviour(windows: Path) -> None:
    frame = payments(
        {}, {"customer_id": None, "terminal_id": None, "is_fraud": True}, {"customer_id": None}, {}
    )
    found = ts.features("fraud", frame, windows=windows)
    assert found[COUNT].to_list() == [0, None, None, 1]
    assert found[FRAUDS].to_list() == [0, None, 0, 0]


def test_bad_rows_and_duplicates_are_named_beside_the_output(windows: Path, tmp_path: Path) -> None:
    frame = payments({}, {}, {"transaction_id": "t0"}, {}).with_columns(pl.col("amount").cast(pl.String))
    frame = frame.with_columns(
        amount=pl.when(pl.col("transaction_id") == "t3").then(pl.lit("x")).otherwise("amount")
    )
    frame.write_csv(tmp_path / "in.csv")
    out = tmp_path / "out.jsonl"
    done = ts.features("fraud", tmp_path / "in.csv", windows=windows, output=out)
    account = done.to_dict()
    assert (account["rows_in"], account["rows"], account["rows_duplicate"]) == (4, 2, 1)
    assert account["reasons"] == {"not_a_number": 1}
    assert '"row":4' in Path(f"{out}.quarantine.jsonl").read_text().replace(" ", "")
    assert '"kept_row":1' in Path(f"{out}.duplicates.jsonl").read_text().replace(" ", "")


@pytest.mark.parametrize(
    ("from_", "until", "zone", "inside", "passed"),
    [
        (None, None, "UTC", [0, 1, 2, 3], {}),
        ("2025-03-01T13:00:00", None, "UTC", [1, 2], {"before the time span": 1, "no time": 1}),
        (None, "2025-03-01T14:00:00", "UTC", [0, 1], {"after the time span": 1, "no time": 1}),
        ("2025-03-01T13:00:00", "2025-03-01T14:00:00", "UTC", [1], None),
        ("2025-03-01T08:00:00", None, "America/New_York", [1, 2], None),
        ("2025-03-02", None, "UTC", [], {"before the time span": 3, "no time": 1}),
    ],
)
def test_a_span_has_its_first_moment_and_not_its_last(
    from_: str | None, until: str | None, zone: str, inside: list[int], passed: dict[str, int] | None
) -> None:
    events = gather(payments({}, {}, {}, {"event_time": None}))
    span = Span.of(
        events,
        None if from_ is None else moment(from_, zone, "from"),
        None if until is None else moment(until, zone, "until"),
    )
    assert np.flatnonzero(span.inside).tolist() == inside
    assert passed is None or span.left_out == passed
    assert (span.end is None) == (until is None)


def test_a_span_that_is_none_is_refused() -> None:
    day = datetime(2025, 3, 2, tzinfo=UTC)
    with pytest.raises(UsageError, match="no time span"):
        Span.of(gather(payments({})), day, day)
    with pytest.raises(UsageError, match="no day and no time"):
        moment("soon", "UTC", "from")


def test_as_of_passes_over_what_came_later_and_counts_it() -> None:
    now = START + timedelta(hours=1)
    events = gather(payments({}, {}, {}))
    span = Span.of(events, as_of=now)
    assert np.flatnonzero(span.inside).tolist() == [0, 1]
    assert span.left_out == {"not known yet": 1}
    assert span.end == int(now.timestamp() * 1e6) + 1


def test_the_future_is_a_quarantine_reason_where_rows_are_scored(windows: Path, tmp_path: Path) -> None:
    frame = payments({}, {}, {}, {"event_time": START + timedelta(days=20_000)})
    frame.write_parquet(tmp_path / "in.parquet")
    options = {"windows": windows, "output": tmp_path / "out.csv"}
    done = ts.features("fraud", tmp_path / "in.parquet", **options)
    assert (done.rows, done.input_report.reasons) == (3, {"future_time": 1})  # now is the default
    moment = (START + timedelta(hours=1)).isoformat()
    done = ts.features("fraud", tmp_path / "in.parquet", as_of=moment, **options)
    assert (done.rows, done.input_report.reasons) == (2, {"future_time": 2})


def test_labels_of_the_history_count(windows: Path) -> None:
    frame = payments({}, {}, {"event_time": START + timedelta(days=9)})
    labels = pl.DataFrame({"transaction_id": ["t0"], "is_fraud": [True]})
    cold = ts.features("fraud", frame[2:], windows=windows, labels=labels)
    warm = ts.features("fraud", frame[2:], windows=windows, labels=labels, history=frame[:2])
    assert (cold[FRAUDS].to_list(), warm[FRAUDS].to_list()) == ([0], [1])


def test_columns_that_hold_nothing_are_replayed_at_the_length_of_the_rest() -> None:
    frame = payments(*[{"is_fraud": True}] * 3).with_columns(device_id=pl.lit(None, pl.String))
    events = gather(frame)
    seen: list[Any] = []

    def remember(rows: Any, labels: np.ndarray) -> Any:
        seen.append((rows, labels))
        return rows

    list(replay(events, remember))
    ((rows, labels),) = seen
    assert (len(rows), int(labels.sum())) == (6, 3)  # more than the input has
    rows.validate(full=True)
    empty = [name for name in rows.schema.names if rows.column(name).null_count == len(rows)]
    assert empty
    assert all(len(rows.column(name)) == 6 for name in empty)
