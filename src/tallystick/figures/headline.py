"""The figures that a reader looks for first, with how far they may be trusted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import plotly.graph_objects as go

from tallystick.figures.theme import BLUE, empty, figure, named, percent

__all__ = ["NAMES", "headline_figures"]

# What a figure is called on a page, in the order of the chart.
NAMES = {
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "precision_macro": "Precision, macro",
    "recall_macro": "Recall, macro",
    "f1_macro": "F1, macro",
    "precision_weighted": "Precision, weighted",
    "recall_weighted": "Recall, weighted",
    "f1_weighted": "F1, weighted",
    "roc_auc": "ROC AUC, macro",
    "average_precision": "Average precision, macro",
    "log_loss": "Log loss",
    "brier": "Brier score",
    "ece": "Calibration error (ECE)",
}
LOSSES = ("log_loss", "brier", "ece")
# Weighted recall is accuracy, macro recall is balanced accuracy: drawn once.
DRAWN = [name for name in NAMES if name not in (*LOSSES, "recall_weighted", "recall_macro")]


def headline_figures(report: Mapping[str, Any]) -> go.Figure:
    """Draw the shares among the headline figures with `report["intervals"]`; losses are not shares.

    >>> headline_figures({"accuracy": 0.8, "intervals": {"accuracy": [0.75, 0.84]}}).data[0].x
    (0.8,)
    """
    names = [name for name in DRAWN if report.get(name) is not None]
    if not names:
        return empty("No figure could be measured.")
    values = [report[name] for name in names]
    ends = [_ends(report, name) for name in names]
    level = report.get("level", 0.95)
    return figure(
        [
            go.Scatter(
                x=values,
                y=list(range(len(names))),
                mode="markers",
                marker={"color": BLUE, "size": 9},
                error_x={
                    "type": "data",
                    "symmetric": False,
                    "array": [high - value for value, (_, high) in zip(values, ends, strict=True)],
                    "arrayminus": [value - low for value, (low, _) in zip(values, ends, strict=True)],
                    "color": BLUE,
                    "thickness": 1.8,
                    "width": 5,
                },
                customdata=[
                    f"{NAMES[name]} {value:.1%}<br>{level:.0%} interval {low:.1%} to {high:.1%}"
                    for name, value, (low, high) in zip(names, values, ends, strict=True)
                ],
                hovertemplate="%{customdata}<extra></extra>",
                showlegend=False,
            )
        ],
        height=110 + 36 * len(names),
        margin={"t": 16},
        xaxis=percent(f"Value ({level:.0%} interval)"),
        yaxis=named(
            [NAMES[name] for name in names],
            range=[len(names) - 0.5, -0.5],
            showgrid=True,
            title={"text": "Figure"},
        ),
    )


def _ends(report: Mapping[str, Any], name: str) -> tuple[float, float]:
    low, high = report.get("intervals", {}).get(name) or (None, None)
    return (report[name] if low is None else low, report[name] if high is None else high)
