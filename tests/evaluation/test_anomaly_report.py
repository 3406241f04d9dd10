"""The report on anomaly scores: their spread without labels, and the binary figures with them."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tallystick.errors import DataError
from tallystick.evaluation import Thresholds, anomaly_report, event_report


def test_without_labels_it_tells_of_the_scores_alone():
    score = np.linspace(0, 1, 1001)
    report = anomaly_report("odd", score, thresholds=Thresholds(0.9, 0.99), split={"kind": "time"})
    assert report["target"] == "anomaly"
    assert [(one["action"], one["rows"]) for one in report["above"]] == [("review", 101), ("decline", 11)]
    assert {one["quantile"]: one["score"] for one in report["quantiles"]}[0.95] == pytest.approx(0.95)
    assert sum(report["distribution"]["counts"]) == 1001
    assert report["distribution"]["edges"][0] == 0
    assert json.loads(json.dumps(report, allow_nan=False))["split"] == {"kind": "time"}


def test_scores_need_no_bounds():
    report = anomaly_report("odd", [-3.0, 5.0])
    assert report["distribution"]["edges"][::50] == [-3.0, 5.0]
    assert report["above"] == []
    assert sum(anomaly_report("odd", [2.0, 2.0])["distribution"]["counts"]) == 2


def test_a_label_that_judges_gives_the_binary_figures():
    truth, score = [True, False, False], [0.9, 0.5, 0.1]
    judged = anomaly_report("odd", score, truth, thresholds=Thresholds(0.4, None), rounds=5)
    binary = event_report("odd", truth, score, thresholds=Thresholds(0.4, None), rounds=5, probability=False)
    assert judged == binary | {"target": "anomaly"}
    assert judged["log_loss"] is None


@pytest.mark.parametrize(("score", "words"), [([], "nothing to measure"), ([np.nan], "missing")])
def test_what_does_not_fit_is_refused(score, words):
    with pytest.raises(DataError, match=words):
        anomaly_report("odd", score)
