"""Whether a score means what it says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import plotly.graph_objects as go

from tallystick.figures.theme import BLUE, GREY, empty, figure, percent

__all__ = ["reliability_diagram"]


def reliability_diagram(report: Mapping[str, Any]) -> go.Figure:
    """Draw `report["reliability"]`: accuracy against score in bins, their rows below.

    >>> bins = [{"low": 0.8, "high": 0.9, "rows": 10, "score": 0.85, "accuracy": 0.8}]
    >>> reliability_diagram({"reliability": bins}).data[1].y
    (0.8,)
    """
    bins = report["reliability"]
    if not bins:
        return empty("No decision has a score.")
    hover = [f"Score {b['low']:.0%} to {b['high']:.0%}: {b['rows']:,} rows" for b in bins]
    return figure(
        [
            go.Scatter(
                x=[0, 1],
                y=[0, 1],
                mode="lines",
                name="Score equals accuracy",
                line={"color": GREY, "dash": "dot", "width": 1.5},
                hoverinfo="skip",
            ),
            go.Scatter(
                x=[b["score"] for b in bins],
                y=[b["accuracy"] for b in bins],
                mode="lines+markers",
                name="Observed",
                line={"color": BLUE, "width": 2},
                marker={"size": 8},
                customdata=hover,
                hovertemplate="%{customdata}<br>mean score %{x:.1%}<br>right %{y:.1%}<extra></extra>",
            ),
            go.Bar(
                x=[(b["low"] + b["high"]) / 2 for b in bins],
                y=[b["rows"] for b in bins],
                width=[(b["high"] - b["low"]) * 0.9 for b in bins],
                name="Rows",
                marker={"color": GREY, "opacity": 0.55},
                customdata=hover,
                hovertemplate="%{customdata}<extra></extra>",
                yaxis="y2",
                showlegend=False,
            ),
        ],
        height=460,
        xaxis=percent("Score of the decision", anchor="y2"),
        yaxis=percent("Decisions that were right", domain=[0.3, 1]),
        yaxis2={
            "title": {"text": "Rows"},
            "domain": [0, 0.2],
            "nticks": 4,
            "tickformat": ",d",
            "rangemode": "tozero",
        },
    )
