"""Events from train to score: nothing is used that was not known, every way through gives the same bits."""

import json
from datetime import timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

import tallystick as ts
from tallystick import registry
from tallystick.config import Settings
from tallystick.errors import DataError, DataWarning, UsageError
from tallystick.jobs.options import run_context
from tallystick.jobs.records_input import columns_of, read_records
from tallystick.learning import records as records_module
from tallystick.learning.records import replay
from tallystick.scorer import Scorer, load_scorer

FRAUD = registry.solution("fraud")


def decisions(frame: pl.DataFrame, model: Path, **options: object) -> pl.DataFrame:
    return ts.score("fraud", frame, model=model, **options)


def test_a_label_that_was_not_known_yet_changes_nothing(frame: pl.DataFrame, fraud_model: Path) -> None:
    """Every label is moved to after the last payment, or turned round: what came before stays to the bit."""
    moment = frame["event_time"][len(frame) * 2 // 3]
    later = pl.col("label_known_at") > moment
    moved = frame.with_columns(
        is_fraud=pl.when(later).then(~pl.col("is_fraud")).otherwise(pl.col("is_fraud")),
        label_known_at=pl.when(later)
        .then(pl.col("label_known_at") + timedelta(days=400))
        .otherwise(pl.col("label_known_at")),
    )
    before = frame["event_time"] <= moment
    assert not moved.equals(frame)
    assert decisions(moved, fraud_model).filter(before).equals(decisions(frame, fraud_model).filter(before))


def test_the_test_above_can_fail(frame: pl.DataFrame) -> None:
    """Labels that were known do change what came after them."""
    none = frame.with_columns(is_fraud=pl.lit(False))
    with_labels, without = (ts.features("fraud", one) for one in (frame, none))
    names = [name for name in with_labels.columns if "risk" in name or "fraud" in name]
    assert names
    assert not with_labels.select(names).equals(without.select(names))


def test_a_rows_own_label_is_never_a_feature(frame: pl.DataFrame, fraud_model: Path) -> None:
    """Also not where it claims to have been known at once, or before its event."""
    early = frame.with_columns(label_known_at=pl.col("event_time") - timedelta(days=1)).head(1)
    turned = early.with_columns(is_fraud=~pl.col("is_fraud"))
    assert decisions(early, fraud_model).equals(decisions(turned, fraud_model))


def one_at_a_time(scorer: Scorer, frame: pl.DataFrame, sizes: list[int]) -> pa.Table:
    """Send payments and the labels that become known between them through the scorer, in parts."""
    job = run_context("score")
    events = read_records(FRAUD, frame, job, columns_of(FRAUD, FRAUD.tasks))
    order: list[tuple[int, bool]] = []

    def remember(rows: pa.RecordBatch, labels: np.ndarray) -> object:
        order.extend(zip(rows.column("transaction_id").to_pylist(), labels.tolist(), strict=True))
        raise StopIteration

    batch, records_module.BATCH = records_module.BATCH, 10**9
    try:
        next(replay(events, remember))
    except (StopIteration, RuntimeError):
        pass
    finally:
        records_module.BATCH = batch
    place = {key: i for i, key in enumerate(events.rows.column("transaction_id").to_pylist())}
    parts, at, turn, state = [], 0, 0, scorer.new_state()
    while at < len(order):
        part = order[at : at + sizes[turn % len(sizes)]]
        index = np.array([place[key] for key, _ in part])
        labels = np.array([label for _, label in part])
        windowed = scorer.apply_windows(events.rows.take(pa.array(index)), state, labels)
        parts.append(scorer.decide(windowed, events.ids.take(pa.array(index[~labels]))))
        at, turn = at + len(part), turn + 1
    return pa.Table.from_batches(parts)


@pytest.mark.parametrize("sizes", [[1], [7, 1, 64]])
def test_one_at_a_time_equals_the_batch_to_the_bit(
    frame: pl.DataFrame, fraud_model: Path, sizes: list[int]
) -> None:
    some = frame.head(700)
    together = decisions(some, fraud_model).sort("id")
    scorer = load_scorer(FRAUD, fraud_model, Settings(threads=1))
    alone = pl.from_arrow(one_at_a_time(scorer, some, sizes)).sort("id")
    assert alone["score"].to_list() == together["score"].to_list()
    for name in ("action", "label", "reasons", "sequence", "late"):
        assert alone[name].to_list() == together[name].to_list(), name


def test_threads_and_the_order_of_the_file_change_nothing(frame: pl.DataFrame, fraud_model: Path) -> None:
    shuffled = frame.sample(fraction=1, shuffle=True, seed=3)
    one = decisions(frame, fraud_model, set={"threads": 1}).sort("id")
    two = decisions(shuffled, fraud_model, set={"threads": 2})
    assert two["id"].to_list() == shuffled["transaction_id"].to_list()
    assert two.sort("id").equals(one)


def test_history_warms_the_windows(frame: pl.DataFrame, fraud_model: Path) -> None:
    cut = len(frame) // 2
    whole = decisions(frame, fraud_model)[cut:]
    warm = decisions(frame[cut:], fraud_model, history=frame[:cut])
    cold = decisions(frame[cut:], fraud_model)
    assert warm.equals(whole)
    assert not cold.equals(whole)


def test_rows_of_the_history_are_not_decided_twice(frame: pl.DataFrame, fraud_model: Path) -> None:
    with pytest.warns(DataWarning, match="Of 50 rows 20 duplicate"):
        warm = decisions(frame[40:90], fraud_model, history=frame[:60])
    assert warm["id"].to_list() == frame["transaction_id"][60:90].to_list()


def test_labels_of_their_own_equal_a_label_column(frame: pl.DataFrame) -> None:
    apart = frame.select("transaction_id", "is_fraud", known_at="label_known_at")
    bare = frame.drop("is_fraud", "label_known_at", "scenario")
    assert ts.features("fraud", bare, labels=apart).equals(ts.features("fraud", frame))


def test_a_label_column_without_a_time_counts_seven_days_after(frame: pl.DataFrame) -> None:
    assumed = frame.drop("label_known_at")
    said = assumed.with_columns(label_known_at=pl.col("event_time") + timedelta(days=7))
    assert ts.features("fraud", assumed).equals(ts.features("fraud", said))
    later = ts.features("fraud", assumed, set={"label_delay": "30d"})
    assert not later.equals(ts.features("fraud", said))


def test_training_passes_over_what_was_not_known(frame: pl.DataFrame, tmp_path: Path) -> None:
    as_of = frame["event_time"][len(frame) * 3 // 4].date().isoformat()
    done = ts.train("fraud", frame, model=tmp_path, as_of=as_of, learner="logistic_regression")
    left_out = done.tasks[0].manifest["training"]["left_out"]
    assert left_out["not known yet"] > 0
    assert left_out["no is_fraud yet"] > 0
    training = done.tasks[0].manifest["training"]
    assert training["rows"] + sum(left_out.values()) == len(frame)
    assert training["until"][:10] <= as_of


def test_the_same_data_gives_the_same_bundle(payments: Path, fraud_model: Path, tmp_path: Path) -> None:
    again = ts.train("fraud", payments, model=tmp_path, set={"threads": 1}).tasks[0]
    kept = json.loads((fraud_model / "fraud" / "manifest.json").read_text())
    assert again.manifest["fingerprint"] == kept["fingerprint"]


def test_a_model_as_it_is_is_never_measured_on_its_fit(frame: pl.DataFrame, fraud_model: Path) -> None:
    report = ts.evaluate("fraud", frame, model=fraud_model).reports["fraud"]
    kept = json.loads((fraud_model / "fraud" / "manifest.json").read_text())["figures"]
    assert report["average_precision"] == pytest.approx(kept["average_precision"])
    assert report["rows"] + sum(report["left_out"].values()) == len(frame)


@pytest.mark.parametrize("split", ["time", "random", "grouped", "handbook", "prequential"])
def test_every_split_measures_anew(frame: pl.DataFrame, tmp_path: Path, split: str) -> None:
    ts.train("fraud", frame, model=tmp_path, learner="logistic_regression")
    report = ts.evaluate("fraud", frame, model=tmp_path, split=split).reports["fraud"]
    assert report["split"]["kind"] == split
    assert 0 < report["average_precision"] <= 1
    if split == "prequential":
        assert len(report["weeks"]) == 3
        mean = np.mean([week["roc_auc"] for week in report["weeks"]])
        assert report["roc_auc"] == pytest.approx(mean)


def test_without_labels_the_anomaly_is_learned(frame: pl.DataFrame, tmp_path: Path) -> None:
    bare = frame.drop("is_fraud", "label_known_at", "scenario")
    done = ts.train("fraud", bare, model=tmp_path)
    assert [task.task for task in done.tasks] == ["anomaly"]
    scores = decisions(bare, tmp_path)["score"]
    assert scores.min() >= 0
    assert scores.max() <= 1
    with pytest.raises(DataError, match="no row with a known is_fraud"):
        ts.train("fraud", bare, model=tmp_path, task=["fraud"])


def test_rules_are_tried_on_the_past_and_raise_actions(
    frame: pl.DataFrame, fraud_model: Path, tmp_path: Path
) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text(
        "rules:\n  - name: everything\n    when: amount > -1000000\n    action: review\n"
        "    reason: every payment is looked at\n"
    )
    report = ts.evaluate("fraud", frame, model=fraud_model, rules=rules).reports["fraud"]
    assert next(one["rule"] for one in report["rules"]) == "everything"
    assert report["rules"][0]["hits"] == report["rows"]
    decided = decisions(frame.head(50), fraud_model, rules=rules)
    assert set(decided["action"]) <= {"review", "decline"}
    assert decided["reasons"][0][0]["words"] == "every payment is looked at"


def test_reasons_of_an_alert_say_values_in_words(frame: pl.DataFrame, fraud_model: Path) -> None:
    alerts = decisions(frame, fraud_model).filter(pl.col("action") != "accept")
    assert len(alerts)
    for row in alerts.head(20).iter_rows(named=True):
        assert row["reasons"]
        assert all(one["effect"] > 0 and one["words"] for one in row["reasons"])
    accepted = decisions(frame, fraud_model).filter(pl.col("action") == "accept")
    assert accepted["reasons"].list.len().max() == 0


def test_the_options_of_events_are_refused_elsewhere(records: Path, model: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no use for --history"):
        ts.score("complaints", records, model=model, output=tmp_path / "d.csv", history=records)
    with pytest.raises(UsageError, match="reads no windows"):
        ts.features("complaints", records, output=tmp_path / "f.csv")


def test_what_is_known_after_the_event_is_refused_as_a_feature(frame: pl.DataFrame, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="known only after the event"):
        ts.train("fraud", frame, model=tmp_path, features=["amount", "scenario"])


def test_a_recorded_order_is_followed_whatever_the_times_say(frame: pl.DataFrame, tmp_path: Path) -> None:
    """Events that came late, replayed from what was written, see what they saw then."""
    bare = frame.head(300).drop("is_fraud", "label_known_at", "scenario")
    shuffled = bare.sample(fraction=1, shuffle=True, seed=4)
    # As a stream took them: row by row, whatever their times.
    from tallystick.solutions.fraud import SOLUTION
    from tallystick.windows import Windows, WindowState

    windows = Windows.read(SOLUTION.windows, SOLUTION.window_roles).restrict(set(bare.columns))
    rows = read_records(FRAUD, shuffled, run_context("features"), columns_of(FRAUD, FRAUD.tasks)).rows
    taken = WindowState(windows).apply(rows)
    assert taken.late.any()
    names = windows.entities
    recorded = [
        json.dumps({name: int(n) for name, n in zip(names, numbers, strict=True) if n})
        for numbers in taken.sequence
    ]
    path = tmp_path / "recorded.csv"
    shuffled.with_columns(sequence=pl.Series(recorded)).sort("transaction_id").write_csv(path)
    again = ts.features("fraud", pl.read_csv(path))
    wanted = dict(zip(shuffled["transaction_id"], taken.features.tolist(), strict=True))
    for row in again.iter_rows():
        np.testing.assert_array_equal(np.array(row[2:], float), wanted[row[0]])
    by_time = ts.features("fraud", bare.sort("transaction_id"))
    assert not again.equals(by_time)


def test_a_recorded_order_that_cannot_be_read_is_named(frame: pl.DataFrame) -> None:
    with pytest.raises(DataError, match='the sequence "first" cannot be read'):
        ts.features("fraud", frame.head(3).with_columns(sequence=pl.lit("first")))
    with pytest.raises(DataError, match="contradict each other"):
        ts.features("fraud", frame.head(3).with_columns(sequence=pl.lit('{"currency": 1}')))


def test_a_learner_can_be_told_more(frame: pl.DataFrame, tmp_path: Path) -> None:
    told = {"n_estimators": "7", "max_depth": 2}
    done = ts.train("fraud", frame.head(2000), model=tmp_path, learner_set=told).tasks[0].manifest
    assert done["learner"]["settings"]["n_estimators"] == "7"
    assert done["learner"]["settings"]["learning_rate"] == 0.08  # the task's own stays
    assert done["model"]["trees"] == 7
    with pytest.raises(UsageError, match='no setting "n_estimator"'):
        ts.train("fraud", frame.head(2000), model=tmp_path, learner_set={"n_estimator": 7})


def test_windows_may_not_look_at_what_is_known_after_the_event(frame: pl.DataFrame, tmp_path: Path) -> None:
    for words in (
        "features: [{entity: customer_id, windows: 7d, aggregates: [distinct scenario]}]",
        "conditions: {bad: is_fraud}\n"
        "features: [{entity: customer_id, windows: 7d, aggregates: [count], where: bad}]",
    ):
        path = tmp_path / "windows.yaml"
        path.write_text(words)
        with pytest.raises(UsageError, match="known only after the event"):
            ts.features("fraud", frame.head(50), windows=path)


def test_a_label_that_claims_to_be_known_before_its_event_has_the_usual_delay(frame: pl.DataFrame) -> None:
    midnight = frame.with_columns(label_known_at=pl.col("event_time").dt.truncate("1d"))
    assumed = frame.with_columns(label_known_at=pl.col("event_time") + timedelta(days=7))
    assert ts.features("fraud", midnight).equals(ts.features("fraud", assumed))


def test_rows_are_known_again_by_their_key(frame: pl.DataFrame, fraud_model: Path) -> None:
    """Another export of the same payments, with a column more and other cents, is not new to the model."""
    other = frame.with_columns(payee_id=pl.lit("p"), amount=pl.col("amount").cast(float).round(2) + 0.01)
    report = ts.evaluate("fraud", other, model=fraud_model).reports["fraud"]
    assert "rows new to it" not in report["split"]


def test_one_wish_at_scoring_leaves_the_other_as_trained(frame: pl.DataFrame, tmp_path: Path) -> None:
    ts.train("fraud", frame, model=tmp_path, learner="logistic_regression", set={"decline": "score=.5"})
    scorer = load_scorer(FRAUD, tmp_path, Settings(review="score=.1"))
    assert scorer.predictors[0].policy.thresholds.decline == 0.5
    assert scorer.predictors[0].policy.thresholds.review == 0.1


def test_another_currency_or_zone_than_the_model_s_is_refused(frame: pl.DataFrame, fraud_model: Path) -> None:
    for name, value in (("currency", "JPY"), ("zone", "Asia/Tokyo")):
        with pytest.raises(UsageError, match=f"trained with {name}="):
            decisions(frame.head(5), fraud_model, set={name: value})


def test_labels_that_name_frauds_alone_do_not_refuse_everything(frame: pl.DataFrame, tmp_path: Path) -> None:
    frauds = frame.with_columns(is_fraud=pl.when(pl.col("is_fraud")).then(True))
    ts.train("fraud", frauds, model=tmp_path, task=["anomaly"])
    actions = decisions(frame, tmp_path)["action"]
    assert (actions != "accept").mean() < 0.1


@pytest.mark.parametrize("name", ["history", "labels", "rules"])
def test_no_output_goes_over_what_is_read(
    frame: pl.DataFrame, fraud_model: Path, tmp_path: Path, name: str
) -> None:
    path = tmp_path / "own.csv"
    path.write_text("mine")
    source = tmp_path / "payments.parquet"
    frame.head(20).write_parquet(source)
    with pytest.raises(UsageError, match=f"both --{name} and --output"):
        ts.score("fraud", source, model=fraud_model, output=path, **{name: path})
    with pytest.raises(UsageError, match="both --output and --quarantine"):
        ts.score("fraud", source, model=fraud_model, output=tmp_path / "d.csv", quarantine=tmp_path / "d.csv")
    assert path.read_text() == "mine"


def test_a_payment_without_a_label_is_clean_in_every_verb(frame: pl.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / "blank.csv"
    frame.head(50).with_columns(is_fraud=pl.lit(None)).write_csv(path)
    assert ts.validate("fraud", path).input_report.rows_clean == 50


def test_events_that_leave_a_full_window_early_are_counted(frame: pl.DataFrame, tmp_path: Path) -> None:
    windows = tmp_path / "windows.yaml"
    words = "[{entity: customer_id, windows: 90d, aggregates: [ratio_trimmed amount], cap: %d}]"
    for cap, said in ((4, True), (4096, False)):
        windows.write_text("features: " + words % cap)
        ts.train("fraud", frame, model=tmp_path / "m", windows=windows, learner="logistic_regression")
        source, output = tmp_path / "p.parquet", tmp_path / "d.csv"
        frame.write_parquet(source)
        notes = " ".join(ts.score("fraud", source, model=tmp_path / "m", output=output).input_report.notes)
        assert ("left an exact window early" in notes) is said
