"""How much is decided without a person, and how often that is right."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import plotly.graph_objects as go

from tallystick.figures.theme import BLUE, GREY, VERMILION, empty, figure, percent

__all__ = ["accuracy_against_coverage"]


def accuracy_against_coverage(report: Mapping[str, Any]) -> go.Figure:
    """Draw `report["coverage"]` and mark what `report["threshold"]` leads to.

    >>> curve = {"score": [0.9, 0.4], "coverage": [0.5, 1.0], "accuracy": [1.0, 0.75]}
    >>> accuracy_against_coverage({"coverage": curve, "threshold": None}).data[0].y
    (1.0, 0.75)
    """
    curve, chosen = report["coverage"], report["threshold"]
    if not curve["coverage"]:
        return empty("No decision has a score.")
    traces = [
        go.Scatter(
            x=curve["coverage"],
            y=curve["accuracy"],
            customdata=curve["score"],
            mode="lines" if len(curve["coverage"]) > 1 else "markers",
            name="By score",
            line={"color": BLUE, "width": 2},
            hovertemplate="%{x:.1%} decided without a person<br>%{y:.1%} of those right<br>"
            "score at least %{customdata:.3f}<extra></extra>",
        )
    ]
    shapes = []
    if chosen and chosen["accuracy"] is not None:
        traces.append(
            go.Scatter(
                x=[chosen["automation"]],
                y=[chosen["accuracy"]],
                mode="markers",
                name=f"Chosen: score at least {chosen['threshold']:.3f}",
                marker={"color": VERMILION, "size": 12, "symbol": "diamond"},
                hovertemplate="%{x:.1%} decided without a person<br>%{y:.1%} of those right<extra></extra>",
            )
        )
        shapes.append(_line(x0=chosen["automation"], x1=chosen["automation"], y0=0, y1=1, yref="paper"))
    wanted = ((chosen or {}).get("wanted") or {}).get("accuracy")
    if wanted is not None:
        shapes.append(_line(x0=0, x1=1, y0=wanted, y1=wanted, xref="paper"))
    lowest = min(curve["accuracy"])
    return figure(
        traces,
        showlegend=True,
        shapes=shapes,
        xaxis=percent("Share decided without a person"),
        # Accuracy moves in the upper part; the axis says where it starts.
        yaxis=percent("Accuracy of those", range=[max(0.0, int(lowest * 20 - 0.5) / 20), 1.005]),
    )


def _line(**ends: Any) -> dict[str, Any]:
    return {"type": "line", "line": {"color": GREY, "width": 1.5, "dash": "dot"}, "layer": "below", **ends}
