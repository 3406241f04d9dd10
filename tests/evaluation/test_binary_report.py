"""The report on events: the published names, plain values, the same bytes, and what nobody can know."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn import metrics as reference

from tallystick.errors import DataError
from tallystick.evaluation import Costs, Thresholds, days_covered, event_report, outcome
from tallystick.evaluation.days import DAY

PUBLISHED = (
    *("rows", "accuracy", "balanced_accuracy", "precision_macro", "recall_macro", "f1_macro", "f1_weighted"),
    *("roc_auc", "average_precision", "log_loss", "brier", "ece"),
)


def made(n=4000, seed=0):
    rng = np.random.default_rng(seed)
    card = rng.integers(0, 400, n)
    truth = rng.random(n) < np.where(card < 40, 0.2, 0.005)
    score = np.clip(rng.beta(1, 20, n) + truth * rng.random(n) * 0.9, 0, 1)
    return {
        "truth": truth,
        "score": score,
        "time": np.sort(rng.integers(17_000 * DAY, 17_010 * DAY, n)),
        "entity": card,
        "amount": np.round(rng.gamma(2, 30, n), 2),
        "scenario": np.where(truth, np.where(card % 2, "burst", "night"), None),
    }


TWO = Thresholds(0.2, 0.6, "alerts_per_day=20", "precision=.9")


def test_it_holds_the_published_figures():
    rows = made()
    report = event_report("fraud", **rows, thresholds=TWO, rounds=30)
    truth, score, yes = rows["truth"], rows["score"], rows["score"] >= 0.2
    assert set(PUBLISHED) <= report.keys()
    assert report["yes_from"] == 0.2
    assert report["f1_macro"] == pytest.approx(reference.f1_score(truth, yes, average="macro"))
    assert report["precision"] == pytest.approx(reference.precision_score(truth, yes))
    assert report["average_precision"] == pytest.approx(reference.average_precision_score(truth, score))
    assert report["roc_auc"] == pytest.approx(reference.roc_auc_score(truth, score))
    assert report["brier"] == pytest.approx(reference.brier_score_loss(truth, score))
    assert report["confusion"]["counts"] == reference.confusion_matrix(truth, yes).tolist()
    assert report["groups"] == 400
    for name, (low, high) in report["intervals"].items():
        assert low <= report[name] <= high, name
        assert low < high, name


def test_thresholds_are_told_alone_together_and_in_money():
    rows = made()
    costs = Costs(review_cost=1)
    report = event_report("fraud", **rows, thresholds=TWO, costs=costs, rounds=5)
    found = report["thresholds"]
    assert found["review"]["flagged"] == (rows["score"] >= 0.2).sum()
    assert found["decline"]["confusion"][1][1] == (rows["truth"] & (rows["score"] >= 0.6)).sum()
    assert found["review"]["wanted"] == "alerts_per_day=20"
    days = days_covered(rows["time"])
    both = outcome(rows["truth"], rows["score"], days, rows["amount"], 0.2, 0.6, costs)
    assert found["together"] == both
    assert report["money"] == {"USD": both["money"]}
    currency = np.where(np.arange(4000) % 4 == 0, "EUR", "USD").astype(object)
    apart = event_report("fraud", **rows, currency=currency, thresholds=TWO, costs=costs, rounds=5)
    assert list(apart["money"]) == ["EUR", "USD"]
    assert sum(part["saved"] for part in apart["money"].values()) == pytest.approx(both["money"]["saved"])
    assert apart["thresholds"]["together"]["money"] is None
    assert apart["detection"]["amount_before"] is None


def test_scenarios_days_and_cards():
    rows = made()
    report = event_report("fraud", **rows, thresholds=TWO, rounds=5)
    truth, score = rows["truth"], rows["score"]
    for part in report["by_scenario"]:
        mine = rows["scenario"] == part["scenario"]
        assert part["events"] == mine.sum()
        assert part["recall"] == pytest.approx((score[mine] >= 0.2).mean())
        beside = mine | ~truth
        expected = reference.average_precision_score(truth[beside], score[beside])
        assert part["average_precision"] == pytest.approx(expected)
    assert [part["scenario"] for part in report["by_scenario"]] == ["burst", "night"]
    assert len(report["over_time"]) == 10
    assert sum(day["events"] for day in report["over_time"]) == truth.sum()
    assert report["detection"]["cards"] == len(set(rows["entity"][truth].tolist()))
    spread = report["distribution"]
    assert (sum(spread["yes"]), sum(spread["no"])) == (truth.sum(), (~truth).sum())
    assert report["baseline"]["share"] == pytest.approx(truth.mean())


def test_the_same_arguments_give_the_same_bytes_and_strict_json():
    first, again = (
        json.dumps(
            event_report("fraud", **made(), thresholds=TWO, rounds=10, split={"kind": "handbook"}),
            allow_nan=False,
        )
        for _ in range(2)
    )
    assert first == again
    assert json.loads(first)["split"] == {"kind": "handbook"}
    assert len(first) < 40_000


def test_what_was_declined_is_left_out_and_named():
    rows = made()
    declined = rows["score"] > 0.7
    report = event_report("fraud", **rows, thresholds=TWO, rounds=5, declined=declined)
    kept = {name: column[~declined] for name, column in rows.items()}
    same = event_report("fraud", **kept, thresholds=TWO, rounds=5)
    said, unsaid = report.pop("selective_labels"), same.pop("selective_labels")
    assert report == same
    assert said["declined_before"] == declined.sum()
    assert str(declined.sum()) in said["note"]
    assert unsaid["declined_before"] is None
    assert unsaid["would_decline"] == (kept["score"] >= 0.6).sum()
    with pytest.raises(DataError, match="Every row was declined"):
        event_report("fraud", **rows, declined=np.ones(4000, bool))


def test_little_is_enough():
    report = event_report("anomaly", [False, False], [0.9, 0.1], probability=False, rounds=5)
    assert (report["average_precision"], report["roc_auc"], report["log_loss"]) == (None, None, None)
    assert report["accuracy"] == 0.5
    assert (report["over_time"], report["detection"], report["money"], report["thresholds"]) == (None,) * 4
    assert json.dumps(report, allow_nan=False)


def test_rows_without_card_or_time_count_where_they_can():
    rows = made(500)
    rows["entity"][::7] = -1
    rows["time"][::11] = np.iinfo(np.int64).max
    report = event_report("fraud", **rows, thresholds=TWO, rounds=5, zone="Europe/Berlin")
    dated = rows["time"] < np.iinfo(np.int64).max
    held = dated & (rows["entity"] >= 0)
    assert report["rows"] == 500
    assert sum(day["rows"] for day in report["over_time"]) == dated.sum()
    assert report["detection"]["cards"] == len(set(rows["entity"][held & rows["truth"]].tolist()))
    names = np.array([None if code < 0 else f"card {code:03d}" for code in rows["entity"]], object)
    again = event_report("fraud", **rows | {"entity": names}, thresholds=TWO, rounds=5, zone="Europe/Berlin")
    assert again["detection"] == report["detection"]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"score": [0.5, 1.5]}, "between 0 and 1"),
        ({"score": [0.5]}, "do not fit"),
        ({"time": [0]}, "The column time"),
        ({"declined": [True]}, "The column declined"),
    ],
)
def test_what_does_not_fit_is_refused(wrong, said):
    with pytest.raises(DataError, match=said):
        event_report("fraud", **{"truth": [True, False], "score": [0.5, 0.5], **wrong})


def test_thresholds_go_by_the_names_of_the_policys_actions():
    rows = made(500)
    named = Thresholds(0.2, 0.6, "alerts_per_day=20", "precision=.9", actions=("call", "visit"))
    report = event_report("fraud", **rows, thresholds=named, rounds=5)
    usual = event_report("fraud", **rows, thresholds=TWO, rounds=5)
    assert list(report["thresholds"])[:2] == ["call", "visit"]
    assert report["thresholds"]["visit"] == usual["thresholds"]["decline"]
    one = Thresholds(0.2, None, actions=("call", ""))
    assert list(event_report("fraud", **rows, thresholds=one, rounds=5)["thresholds"])[:2] == [
        "call",
        "together",
    ]
    assert Thresholds.of(named.to_dict()) == named
    assert "actions" not in TWO.to_dict()
