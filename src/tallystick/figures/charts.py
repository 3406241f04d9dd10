"""Charts by kind: from the data of a report's chart to a Plotly figure."""

from __future__ import annotations

from collections.abc import Callable

import plotly.graph_objects as go

from tallystick.errors import UsageError, did_you_mean
from tallystick.figures.amounts import predicted_true, residuals
from tallystick.figures.binary_curves import precision_recall_curve, roc_curve
from tallystick.figures.binary_days import days_chart, quality_chart, weeks_chart
from tallystick.figures.binary_kinds import rules_chart, scenario_chart
from tallystick.figures.binary_scores import event_scores, score_counts
from tallystick.figures.confusion import confusion_matrix
from tallystick.figures.counts import count_bars
from tallystick.figures.coverage import accuracy_against_coverage
from tallystick.figures.headline import headline_figures
from tallystick.figures.money import money_chart
from tallystick.figures.per_class import class_figures
from tallystick.figures.reliability import reliability_diagram
from tallystick.figures.scores import score_histogram
from tallystick.figures.stream_charts import latency_chart, rate_chart, spread_chart, waiting_chart
from tallystick.report import Chart

__all__ = ["CHARTS", "draw"]

CHARTS: dict[str, Callable[..., go.Figure]] = {
    "classes": class_figures,
    "confusion": confusion_matrix,
    "counts": count_bars,
    "coverage": accuracy_against_coverage,
    "days": days_chart,
    "event_scores": event_scores,
    "headline": headline_figures,
    "kinds": scenario_chart,
    "latency": latency_chart,
    "latency_spread": spread_chart,
    "money": money_chart,
    "plotly": go.Figure,
    "precision_recall": precision_recall_curve,
    "predicted_true": predicted_true,
    "quality": quality_chart,
    "rate": rate_chart,
    "reliability": reliability_diagram,
    "residuals": residuals,
    "roc": roc_curve,
    "rules": rules_chart,
    "score_counts": score_counts,
    "score_histogram": score_histogram,
    "waiting": waiting_chart,
    "weeks": weeks_chart,
}


def draw(chart: Chart) -> go.Figure:
    """Draw a chart; UsageError for a kind that there is not.

    >>> draw(Chart("counts", {"counts": {"auto": 3}, "of": "Action"}, "Actions")).data[0].x
    (3,)
    """
    if chart.kind not in CHARTS:
        raise UsageError(f'There is no chart of the kind "{chart.kind}".', did_you_mean(chart.kind, CHARTS))
    return CHARTS[chart.kind](**chart.data)
