"""Each chart shows what the report says, labels its axes, and says in words when there is nothing."""

from __future__ import annotations

import copy
import json

import pytest

from tallystick.errors import UsageError
from tallystick.evaluation import amount_report, anomaly_report, sections, segments_report
from tallystick.figures import CHARTS, draw
from tallystick.figures.confusion import confusion_matrix
from tallystick.figures.counts import count_bars
from tallystick.figures.coverage import accuracy_against_coverage
from tallystick.figures.per_class import class_figures
from tallystick.figures.scores import score_histogram
from tallystick.report import Chart, Nouns

EMPTY = {
    "classes": {"report": {"per_class": []}},
    "confusion": {"report": {"confusion": {"classes": [], "counts": []}}},
    "coverage": {
        "report": {"coverage": {"score": [], "coverage": [], "accuracy": []}, "threshold": None},
    },
    "counts": {"counts": {}, "of": "Action"},
    "predicted_true": {"parts": []},
    "reliability": {"bins": []},
    "residuals": {"residuals": {"edges": [-1, 1], "counts": [0]}},
    "score_counts": {"distribution": {"edges": [0, 1], "counts": [0]}},
    "score_histogram": {"report": {"distribution": {"edges": [0, 1], "right": [0], "wrong": [0]}}},
}


def charts(report):
    """All charts of a report by kind."""
    blocks = [block for section in sections(report, Nouns()) for block in section.blocks]
    return {block.kind: block for block in blocks if isinstance(block, Chart)}


def others():
    amount = amount_report("loss", [1.0, 2.0, 6.0], [1.5, 2.5, 4.0], rounds=5)
    return [amount, anomaly_report("odd", [0.1, 0.9]), segments_report("group", [[0.0, 1.0], [4.0, 1.0]])]


def test_every_axis_has_a_label_and_the_report_stays_as_it_was(report):
    for one in (report, *others()):
        before = copy.deepcopy(one)
        found = charts(one)
        assert found
        for chart in found.values():
            layout = draw(chart).to_plotly_json()["layout"]
            axes = [value for name, value in layout.items() if name[1:].startswith("axis")]
            assert len(axes) >= 2, chart.kind
            assert all(axis["title"]["text"] for axis in axes), chart.kind
        assert one == before


@pytest.mark.parametrize("kind", EMPTY)
def test_nothing_is_said_in_words(kind):
    figure = draw(Chart(kind, EMPTY[kind], ""))
    assert not figure.data
    assert len(figure.layout.annotations[0].text.split()) > 3


def test_class_names_cannot_carry_markup(report):
    bad = "<a href='javascript:alert(1)'>x</a><script>"
    for row in (report["confusion"]["classes"], report["per_class"]):
        row[0] = bad if isinstance(row[0], str) else {**row[0], "class": bad}
    for chart in charts(report).values():
        drawn = json.dumps(draw(chart).to_plotly_json())
        assert "<a href" not in drawn
        assert "<script>" not in drawn


def test_a_kind_of_chart_that_there_is_not_is_refused():
    assert len(CHARTS) > 20
    with pytest.raises(UsageError, match="no chart of the kind"):
        draw(Chart("pie", {}, ""))


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
    drawn = draw(charts(report)["headline"]).data[0]
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
