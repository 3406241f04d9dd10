"""The report: plain values under the published names, small, and the same bytes each time."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tallystick.evaluation import HEADLINE, classification_report, classify, interval


def made(rows=400, k=3, seed=0):
    rng = np.random.default_rng(seed)
    truth = rng.integers(k, size=rows)
    raw = rng.gamma(0.4, size=(rows, k)) + np.eye(k)[truth] * 0.8
    return truth, raw / raw.sum(axis=1, keepdims=True), [f"class {c}" for c in range(k)]


def test_it_holds_the_published_figures_and_their_intervals():
    truth, p, classes = made()
    report = classification_report("product", truth, p, classes, seed=3, rounds=200)
    for name, value in classify(truth, p, classes).items():
        assert report[name] == value, name
    for name in HEADLINE:
        if name == "ece":
            assert name not in report["intervals"]
        else:
            low, high = report["intervals"][name]
            assert low < report[name] < high, name
    f1 = interval("f1_macro", truth, p.argmax(axis=1), seed=3, rounds=200)
    assert report["intervals"]["f1_macro"] == [f1["low"], f1["high"]]


@pytest.mark.parametrize(
    ("aims", "wanted"),
    [
        ({"accuracy": 0.9}, {"accuracy": 0.9}),
        ({"accuracy": 0.9, "automation": 0.5}, {"automation": 0.5}),
        ({"threshold": 0.8}, None),
        ({"threshold": 0.8, "accuracy": 0.99}, {"accuracy": 0.99}),
    ],
)
def test_the_threshold_serves_the_aim(aims, wanted):
    truth, p, classes = made()
    chosen = classification_report("product", truth, p, classes, rounds=20, **aims)["threshold"]
    assert chosen["wanted"] == wanted
    taken = p.max(axis=1) >= chosen["threshold"]
    assert chosen["automation"] == pytest.approx(taken.mean())
    assert chosen["accuracy"] == pytest.approx((p.argmax(axis=1) == truth)[taken].mean())
    if "threshold" in aims:
        assert chosen["threshold"] == aims["threshold"]
    if wanted == {"accuracy": 0.9}:
        assert chosen["accuracy"] >= 0.9
    if wanted == {"automation": 0.5}:
        assert chosen["automation"] == pytest.approx(0.5, abs=0.01)


def test_a_bundle_that_accepts_nothing_is_taken_at_its_word():
    truth, p, classes = made()
    chosen = classification_report("product", truth, p, classes, rounds=20, threshold=None, accuracy=0.5)
    assert (chosen["threshold"]["threshold"], chosen["threshold"]["automation"]) == (None, 0.0)


def test_the_same_arguments_give_the_same_bytes_and_strict_json():
    truth, p, classes = made()
    first, again = (
        json.dumps(
            classification_report(
                "product", truth, p, classes, rounds=50, split={"kind": "grouped", "folds": 5}
            ),
            allow_nan=False,
        )
        for _ in range(2)
    )
    assert first == again
    assert json.loads(first)["split"] == {"kind": "grouped", "folds": 5}


def test_many_rows_do_not_make_it_long():
    truth, p, classes = made(rows=20_000)
    assert len(json.dumps(classification_report("product", truth, p, classes, rounds=20))) < 40_000


def test_groups_widen_the_intervals_and_are_counted():
    truth, p, classes = made(rows=100)
    truth, p, groups = np.repeat(truth, 4), np.repeat(p, 4, axis=0), np.repeat(np.arange(100), 4)
    alone, together = (
        classification_report("product", truth, p, classes, groups=g, rounds=300) for g in (None, groups)
    )
    assert (alone["groups"], together["groups"]) == (None, 100)
    for name in ("accuracy", "f1_macro", "roc_auc", "log_loss"):
        widths = [high - low for low, high in (r["intervals"][name] for r in (alone, together))]
        assert widths[1] > 1.5 * widths[0], name


def test_one_row_one_class_and_unknown_classes_do_not_break_it():
    single = classification_report("product", [0], [[1.0]], ["card"], accuracy=0.95, rounds=10)
    assert single["threshold"]["threshold"] is None
    assert single["roc_auc"] is None
    assert single["intervals"]["roc_auc"] == [None, None]
    unknown = classification_report("product", [-1, 0], [[0.9, 0.1], [0.8, 0.2]], ["card", "loan"], rounds=10)
    assert unknown["accuracy"] == 0.5
    for report in (single, unknown):
        json.dumps(report, allow_nan=False)


def test_the_baseline_is_the_most_frequent_class():
    report = classification_report("product", [0, 1, 1], [[0.9, 0.1]] * 3, ["card", "loan"], rounds=10)
    assert report["baseline"] == {"class": "loan", "accuracy": pytest.approx(2 / 3)}
