"""How an event is decided: one row as in a batch, alerts explained from the model, rules beside it."""

import dataclasses

import numpy as np
import pyarrow as pa
import pytest

from tallystick.evaluation import Thresholds
from tallystick.feature_extraction import (
    WINDOW_FEATURES,
    Columns,
    FitContext,
    ValueReader,
    WindowFeatures,
    fit_features,
    window_column,
)
from tallystick.models import EventCalibration, LinearModel, Model, load_model
from tallystick.models.rank_calibration import RankCalibration
from tallystick.models.stack import Stack
from tallystick.rules import Rules
from tallystick.scorer import Predictor, Want
from tallystick.scorer.predictor import TOP
from tallystick.tasks import Anomaly, Binary, ReviewAndDecline, Task
from tallystick.tasks.policies import FittedThresholds

FEATURES = (
    Columns(numbers=("amount", "v1"), categories=("place",), calendar=("night",)),
    WindowFeatures(),
)
TASK = Task(
    name="fraud", target=Binary("is_fraud"), features=FEATURES, learner="gradient_boosting",
    policy=ReviewAndDecline(),
)  # fmt: skip
WINDOWS = tuple(f"customer_id__count__{days}d" for days in range(1, 8))
WEIGHTS = np.array([0.02, 1.0, 0.4, 0.7, -0.3, 0.1, 0.3, 0.5, -0.6, 0.1, 0.2, -0.9, 0.05])


def batch(rows: int = 200, seed: int = 1) -> pa.RecordBatch:
    rng = np.random.default_rng(seed)
    behaviour = rng.poisson(3, (rows, 7)).astype(float)
    behaviour[rng.random((rows, 7)) < 0.2] = np.nan
    times = rng.integers(1_700_000_000, 1_705_000_000, rows) * 1_000_000
    return pa.RecordBatch.from_pydict(
        {
            "event_time": pa.array(times).cast(pa.timestamp("us", tz="UTC")),
            "amount": pa.array(rng.integers(-1_000, 20_000, rows), mask=rng.random(rows) < 0.1),
            "v1": pa.array(rng.normal(size=rows), mask=rng.random(rows) < 0.1),
            "place": pa.array(rng.choice(["north", "south", "west"], rows), mask=rng.random(rows) < 0.1),
            WINDOW_FEATURES: window_column(behaviour),
        }
    )


def words(feature: str, value: float, usual: float | None) -> str:
    return f"{feature} is {value:.4g}, usually {usual}"


def linear(weights: np.ndarray, means: np.ndarray, missing: np.ndarray, base: float) -> LinearModel:
    return LinearModel(weights[:, None], np.array([base]), means, missing[:, None])


def predictor(model: Model | None = None, **changed: object) -> Predictor:
    rows = batch()
    reader = ValueReader("event_time", {"amount": "currency"}, "America/New_York", "USD", WINDOWS)
    features = fit_features(FEATURES, rows, FitContext(reader))
    X = features.matrix(rows)
    missing = np.linspace(-0.4, 0.5, features.count)
    model = model or linear(WEIGHTS[: features.count], np.nanmean(X, axis=0), missing, -1.0)
    raw = model.raw(X)[:, 0]
    truth = raw + np.random.default_rng(2).normal(size=len(raw)) > 0.8
    whole = {
        "task": TASK,
        "features": features,
        "model": model,
        "calibrator": EventCalibration.fit(raw, truth),
        "policy": FittedThresholds(Thresholds(0.3, 0.7)),
        "outputs": ("no", "yes"),
        "medians": np.nanmedian(X, axis=0),
        "reason_text": words,
        "name": "fraud/fraud@0123456789ab",
    }
    return Predictor(**{**whole, **changed})


RULES = """
lists: {far: [west]}
rules:
  - {name: small, when: amount < 0, action: accept, reason: a refund}
  - name: many
    when: customer_id__count__1d >= 7
    action: decline
    reason: "{customer_id__count__1d:.0f} now"
  - {name: far, when: place in far, action: review, reason: "far off: {place}, {amount:.2f}"}
"""


@pytest.fixture(scope="module")
def rules() -> Rules:
    return Rules.load(RULES, ["amount", "place", "night", *WINDOWS], ("accept", "review", "decline"))


def decide(model: Predictor, rows: pa.RecordBatch, **options: object) -> pa.RecordBatch:
    want = Want(reasons=bool(options.pop("reasons", True)), all_scores=True)
    return pa.RecordBatch.from_pydict(model.decide(rows, want, **options))


@pytest.mark.parametrize("reasons", [True, False])
@pytest.mark.parametrize("with_rules", [True, False])
def test_a_row_alone_is_the_row_in_a_batch_to_the_bit(reasons: bool, with_rules: bool, rules: Rules) -> None:
    model, rows = predictor(), batch(300, seed=7)
    options = {"reasons": reasons, "rules": rules if with_rules else None}
    whole = decide(model, rows, **options)
    chance = model.scores(rows).score
    assert set(whole.column("action").to_pylist()) == {"accept", "review", "decline"}
    for i in range(0, 300, 7):
        assert decide(model, rows.slice(i, 1), **options).to_pylist() == whole.slice(i, 1).to_pylist()
        assert model.scores(rows.slice(i, 1)).score.tobytes() == chance[i : i + 1].tobytes()
    part = decide(model, rows.slice(11, 100), **options)
    assert part.to_pylist() == whole.slice(11, 100).to_pylist()
    assert whole.column("score").to_numpy().tobytes() == chance.tobytes()


def test_reasons_change_no_decision() -> None:
    model, rows = predictor(), batch(100, seed=3)
    told, silent = decide(model, rows), decide(model, rows, reasons=False)
    assert "reasons" not in silent.schema.names
    assert told.drop_columns("reasons").to_pylist() == silent.to_pylist()


def test_thresholds_decide_and_the_label_is_theirs() -> None:
    rows = batch(300, seed=7)
    for row in decide(predictor(), rows).to_pylist():
        score = row["score"]
        assert row["action"] == ("decline" if score >= 0.7 else "review" if score >= 0.3 else "accept")
        assert row["label"] == ("yes" if score >= 0.3 else "no")
        assert dict(row["scores"]) == {"no": 1 - score, "yes": score}
    never = decide(predictor(policy=FittedThresholds(Thresholds(None, None))), rows)
    assert set(never.column("action").to_pylist()) == {"accept"}
    refused = decide(predictor(policy=FittedThresholds(Thresholds(None, 0.3))), rows)
    assert set(refused.column("action").to_pylist()) == {"accept", "decline"}


def test_an_alert_is_explained_by_what_spoke_for_it() -> None:
    model, rows = predictor(), batch(300, seed=7)
    X = model.features.matrix(rows)
    parts = model.model.contributions(X)
    assert np.allclose(parts.sum(axis=1), model.model.raw(X)[:, 0])
    decided = decide(model, rows).to_pylist()
    alerts = 0
    for i, row in enumerate(decided):
        if row["action"] == "accept":
            assert row["reasons"] == []
            continue
        alerts += 1
        effects = [one["effect"] for one in row["reasons"]]
        best = sorted((part for part in parts[i, :-1] if part > 0), reverse=True)[:TOP]
        assert effects == best
        for one in row["reasons"]:
            place = model.features.names.index(one["feature"])
            value = X[i, place]
            assert one["value"] == (None if np.isnan(value) else value)
            assert one["words"] == words(one["feature"], value, model.medians[place])
    assert alerts > 20


def test_rules_raise_actions_and_say_so_first(rules: Rules) -> None:
    model, rows = predictor(), batch(300, seed=7)
    without, ruled = decide(model, rows).to_pylist(), decide(model, rows, rules=rules).to_pylist()
    place, amount = rows.column("place").to_pylist(), rows.column("amount").to_pylist()
    burst = model.features.matrix(rows)[:, model.features.names.index(WINDOWS[0])]
    seen = set()
    for i, (before, after) in enumerate(zip(without, ruled, strict=True)):
        assert (before["score"], before["label"]) == (after["score"], after["label"])
        if amount[i] is not None and amount[i] < 0:  # an allow rule goes before all others and the model
            assert after["action"] == "accept"
            seen.add("accept")
        elif burst[i] >= 7:
            assert after["action"] == "decline"
            assert after["reasons"][0] == {
                "feature": "rule:many", "value": None, "effect": None, "words": f"{burst[i]:.0f} now",
            }  # fmt: skip
            seen.add("decline")
        elif place[i] == "west":
            assert after["action"] == max(before["action"], "review", key=TASK.policy.actions.index)
            assert after["reasons"][0]["words"].startswith("far off: west, ")
            seen.add("review")
        else:
            assert after == before
    assert seen == {"accept", "decline", "review"}


def test_an_event_without_alerts_has_empty_reasons() -> None:
    model = predictor(policy=FittedThresholds(Thresholds(None, None)))
    for rows in (0, 1, 64, 65, 300):
        decided = decide(model, batch(300, seed=7).slice(0, rows))
        assert decided.column("reasons").to_pylist() == [[]] * rows
        assert (
            decided.schema.field("reasons").type == decide(predictor(), batch()).schema.field("reasons").type
        )


def test_a_model_with_columns_of_its_own_explains_them_without_values() -> None:
    """A stack adds the anomaly score of its detector: a reason, but no value of the row's."""
    base = predictor()
    count = base.features.count
    rng = np.random.default_rng(5)
    first = linear(rng.normal(size=count), np.zeros(count), np.zeros(count), 0.0)
    then = linear(np.append(WEIGHTS[:count], 3.0), np.zeros(count + 1), np.zeros(count + 1), 0.0)
    stack = Stack(first, then)
    again = load_model(stack.describe(), stack.arrays())
    model = predictor(stack)
    rows = batch(100, seed=7)
    assert again.raw(model.features.matrix(rows)).tolist() == stack.raw(model.features.matrix(rows)).tolist()
    said = [one for row in decide(model, rows).column("reasons").to_pylist() for one in row]
    added = [one for one in said if one["feature"] in stack.added]
    assert added
    assert all(one["value"] is None and one["effect"] > 0 for one in added)


def test_an_anomaly_is_a_share_of_what_was_seen() -> None:
    base = predictor()
    raw = base.model.raw(base.features.matrix(batch()))[:, 0]
    model = dataclasses.replace(
        base,
        task=dataclasses.replace(TASK, target=Anomaly()),
        calibrator=RankCalibration.fit(raw),
        outputs=(),
    )
    assert decide(model, batch(50)).column("label").null_count == 50  # a rank is neither yes nor no
    score = model.scores(batch()).score
    assert 0 <= score.min() < 0.05
    assert 0.95 < score.max() <= 1
    assert np.argsort(score, kind="stable").tolist() == np.argsort(raw, kind="stable").tolist()


def test_what_spoke_against_an_alert_is_no_reason_for_it() -> None:
    """Also where less than five features spoke for it."""
    weights = np.full(len(WEIGHTS), -0.01)
    weights[0] = 0.05
    means = np.zeros(len(WEIGHTS))
    rows = batch(100, seed=7)
    decided = decide(predictor(linear(weights, means, means, -3.0)), rows)
    said = [row for row in decided.column("reasons").to_pylist() if row]
    assert any(len(row) < TOP for row in said)
    assert all(one["effect"] > 0 for row in said for one in row)


@pytest.mark.parametrize("rows", [1, 200])
def test_behaviour_beside_the_rows_counts_as_a_column_of_them_does(rows: int) -> None:
    model, whole = predictor(), batch().slice(0, rows)
    rules = Rules.load(
        RULES_OF_BEHAVIOUR, known=[*model.features.names, "amount"], actions=("accept", "review", "decline")
    )
    behaviour = model.features.values(whole).window_features
    beside = whole.drop_columns([WINDOW_FEATURES])
    want = Want(all_scores=True)
    with_column = model.decide(whole, want, rules=rules)
    without = model.decide(beside, want, rules=rules, window_features=behaviour)
    assert {name: array.to_pylist() for name, array in with_column.items()} == {
        name: array.to_pylist() for name, array in without.items()
    }


RULES_OF_BEHAVIOUR = """
rules:
  - name: busy
    when: customer_id__count__1d >= 3
    action: review
    reason: "{customer_id__count__1d:.0f} payments in a day"
"""
