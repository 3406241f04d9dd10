"""Each chart shows what the report says, labels its axes, and says in words when there is nothing."""

from __future__ import annotations

import copy
import json

import pytest

from tallystick.figures import (
    accuracy_against_coverage,
    class_figures,
    confusion_matrix,
    count_bars,
    headline_figures,
    reliability_diagram,
    score_histogram,
)

CHARTS = {
    accuracy_against_coverage: {"coverage": {"score": [], "coverage": [], "accuracy": []}},
    class_figures: {"per_class": []},
    confusion_matrix: {"confusion": {"classes": [], "counts": []}},
    headline_figures: dict.fromkeys(("accuracy", "f1_macro")),
    reliability_diagram: {"reliability": []},
    score_histogram: {"distribution": {"edges": [0, 1], "right": [0], "wrong": [0], "by_class": {}}},
}
NOTHING = {**next(iter(CHARTS.values())), "threshold": None, "intervals": {}}


@pytest.mark.parametrize("draw", CHARTS, ids=lambda draw: draw.__name__)
def test_every_axis_has_a_label_and_the_report_stays_as_it_was(draw, report):
    before = copy.deepcopy(report)
    figure = draw(report)
    assert report == before
    axes = [value for name, value in figure.to_plotly_json()["layout"].items() if name[1:].startswith("axis")]
    assert len(axes) >= 2
    assert all(axis["title"]["text"] for axis in axes)


@pytest.mark.parametrize("draw", CHARTS, ids=lambda draw: draw.__name__)
def test_nothing_is_said_in_words(draw):
    figure = draw(NOTHING | CHARTS[draw])
    assert not figure.data
    assert len(figure.layout.annotations[0].text.split()) > 3


@pytest.mark.parametrize("draw", CHARTS, ids=lambda draw: draw.__name__)
def test_class_names_cannot_carry_markup(draw, report):
    bad = "<a href='javascript:alert(1)'>x</a><script>"
    for row in (report["confusion"]["classes"], report["per_class"]):
        row[0] = bad if isinstance(row[0], str) else {**row[0], "class": bad}
    drawn = json.dumps(draw(report).to_plotly_json())
    assert "<a href" not in drawn
    assert "<script>" not in drawn


def test_confusion_is_in_shares_of_the_true_class_with_counts_on_hover(report):
    drawn = confusion_matrix(report).data[0]
    assert list(drawn.z[1]) == [6 / 30, 22 / 30, 2 / 30]
    assert "6 of 30 (20.0%)" in drawn.customdata[1][0]
    assert confusion_matrix(report).data[1].text[:3] == ("80", "10", "10")


def test_confusion_of_many_classes_sums_up_the_small_ones():
    size = 40
    counts = [[(50 - t) * (t == p) + (t == p + 1) for p in range(size)] for t in range(size)]
    figure = confusion_matrix({"confusion": {"classes": [f"c{c}" for c in range(size)], "counts": counts}})
    assert len(figure.data[0].z) == 24
    assert figure.layout.yaxis.ticktext[-1] == "(all other classes)"
    rest = sum(sum(row) for row in counts[23:])
    inside = sum(counts[t][p] for t in range(23, size) for p in range(23, size))
    assert f"{inside:,} of {rest:,}" in figure.data[0].customdata[-1][-1]


def test_confusion_leaves_out_classes_that_never_occur(report):
    report["confusion"]["classes"].append("never")
    report["confusion"]["counts"] = [[*row, 0] for row in report["confusion"]["counts"]] + [[0, 0, 0, 0]]
    assert len(confusion_matrix(report).data[0].z) == 3


def test_classes_are_sorted_by_rows_and_undefined_precision_is_left_blank(report):
    report["per_class"][2]["precision"] = None
    report["per_class"].reverse()
    figure = class_figures(report)
    assert figure.layout.yaxis.ticktext[1] == "Debt collection (30)"
    assert figure.data[1].x == (0.8, 0.8, None)


def test_the_chosen_threshold_is_marked_in_both_charts(report):
    curve = accuracy_against_coverage(report)
    assert (curve.data[1].x, curve.data[1].y) == ((0.5,), (67 / 70,))
    assert "0.800" in curve.data[1].name
    assert {shape.y0 for shape in curve.layout.shapes} == {0, 0.95}
    assert score_histogram(report).layout.shapes[0].x0 == 0.8
    report["threshold"] = {"threshold": None, "accuracy": None, "automation": 0.0, "wanted": None}
    assert len(accuracy_against_coverage(report).data) == 1
    assert not score_histogram(report).layout.shapes


def test_wrong_decisions_stand_below_with_true_counts_on_the_axis(report):
    figure = score_histogram(report)
    assert figure.data[1].y == (-12, -20)
    assert all(not text.startswith("-") for text in figure.layout.yaxis.ticktext)
    assert 0 in figure.layout.yaxis.tickvals


def test_intervals_are_drawn_as_they_are(report):
    drawn = headline_figures(report).data[0]
    assert drawn.error_x.array[0] == pytest.approx(0.839 - 108 / 140)
    assert drawn.error_x.arrayminus[0] == pytest.approx(108 / 140 - 0.701)
    assert drawn.error_x.array[1] == 0  # no interval, no bar


def test_counts_are_sorted_and_the_rest_is_summed_up():
    figure = count_bars({"auto": 5, "review": 7}, of="Action")
    assert figure.data[0].x == (7, 5)
    many = count_bars({f"d{i:02}": i + 1 for i in range(40)}, of="Department", largest=10)
    assert len(many.data[0].x) == 10
    assert sum(many.data[0].x) == sum(range(1, 41))
    assert many.layout.yaxis.ticktext[-1] == "(31 others)"
    assert "nothing to count" in count_bars({}, of="Action").layout.annotations[0].text
