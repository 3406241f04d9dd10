"""How well scores rank events: precision against recall, and the ROC curve, with thresholds marked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from tallystick.figures.theme import BLUE, GREEN, GREY, VERMILION, empty, figure, percent

__all__ = ["precision_recall_curve", "roc_curve"]

MARKS = ((VERMILION, "diamond"), (GREEN, "square"), (GREY, "triangle-up"))


def precision_recall_curve(report: Mapping[str, Any], actions: Sequence[str] = ()) -> go.Figure:
    """Draw `report["curves"]["precision_recall"]` with the thresholds of `actions` and the base rate.

    >>> curve = [{"recall": 1.0, "precision": 0.5, "threshold": 0.1}]
    >>> precision_recall_curve({"curves": {"precision_recall": curve}}).data[0].y
    (0.5,)
    """
    points = (report.get("curves") or {}).get("precision_recall")
    if not points:
        return empty("Without an event there is no precision against recall.")
    traces = [
        _line(
            points,
            "recall",
            "precision",
            "found %{x:.1%} of the events<br>%{y:.1%} of what is flagged is one",
        )
    ]
    base = (report.get("baseline") or {}).get("share")
    if base is not None:
        traces.append(_chance([0, 1], [base, base]))
    traces += _marks(report, actions, "recall", "precision")
    return figure(
        traces,
        height=440,
        xaxis=percent("Recall", range=[0, 1.01]),
        yaxis=percent("Precision", range=[0, 1.03]),
    )


def roc_curve(report: Mapping[str, Any], actions: Sequence[str] = ()) -> go.Figure:
    """Draw `report["curves"]["roc"]`, the thresholds of `actions` on it, and chance as the diagonal.

    >>> curve = [{"false_positive_rate": 0.1, "recall": 0.5, "threshold": 0.4}]
    >>> roc_curve({"curves": {"roc": curve}}).data[0].x
    (0.1,)
    """
    points = (report.get("curves") or {}).get("roc")
    if not points:
        return empty("Without both events and others there is no ROC curve.")
    words = "found %{y:.1%} of the events<br>%{x:.2%} of the others flagged"
    traces = [_line(points, "false_positive_rate", "recall", words), _chance([0, 1], [0, 1])]
    traces += _marks(report, actions, "false_positive_rate", "recall")
    return figure(
        traces,
        height=440,
        xaxis=percent("False-positive rate", range=[-0.01, 1.01]),
        yaxis=percent("Recall", range=[0, 1.03]),
    )


def _line(points: Sequence[Mapping[str, float]], x: str, y: str, words: str) -> go.Scatter:
    return go.Scatter(
        x=[point[x] for point in points],
        y=[point[y] for point in points],
        customdata=[point["threshold"] for point in points],
        mode="lines" if len(points) > 1 else "markers",
        name="Model",
        line={"color": BLUE, "width": 2},
        hovertemplate=f"{words}<br>score at least %{{customdata:.4f}}<extra></extra>",
    )


def _chance(x: list[float], y: list[float]) -> go.Scatter:
    return go.Scatter(
        x=x,
        y=y,
        mode="lines",
        name="By chance",
        line={"color": GREY, "dash": "dot", "width": 1.5},
        hoverinfo="skip",
    )


def _marks(report: Mapping[str, Any], actions: Sequence[str], x: str, y: str) -> list[go.Scatter]:
    """Mark what each threshold does alone, where it does anything."""
    traces = []
    for name, (colour, symbol) in zip(actions, MARKS, strict=False):
        title = f"{name.capitalize()} threshold"
        did = (report.get("thresholds") or {}).get(name) or {}
        if did.get("threshold") is None or did.get(x) is None or did.get(y) is None:
            continue
        traces.append(
            go.Scatter(
                x=[did[x]],
                y=[did[y]],
                mode="markers",
                name=title,
                marker={"color": colour, "size": 12, "symbol": symbol},
                hovertemplate=f"{title}: {did['threshold']:.4f}<br>%{{x:.2%}} by %{{y:.1%}}<extra></extra>",
                cliponaxis=False,
            )
        )
    return traces
