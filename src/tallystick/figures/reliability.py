"""Whether a score means what it says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from tallystick.figures.theme import BLUE, GREY, empty, figure, percent, powers

__all__ = ["event_reliability", "reliability_diagram"]


def reliability_diagram(report: Mapping[str, Any]) -> go.Figure:
    """Draw `report["reliability"]`: accuracy against score in bins, their rows below.

    >>> bins = [{"low": 0.8, "high": 0.9, "rows": 10, "score": 0.85, "accuracy": 0.8}]
    >>> reliability_diagram({"reliability": bins}).data[1].y
    (0.8,)
    """
    bins = report["reliability"]
    if not bins:
        return empty("No decision has a score.")
    return _diagram(bins, "Score", "accuracy", "right", "Score of the decision", "Decisions that were right")


def event_reliability(report: Mapping[str, Any], event: str = "event") -> go.Figure:
    """Draw `report["reliability"]`: share of events against their probability, and the rows behind it.

    >>> bins = [{"low": 0.8, "high": 0.9, "rows": 10, "score": 0.85, "accuracy": 0.8}]
    >>> event_reliability({"reliability": bins}).data[1].y
    (0.8,)
    """
    bins = report.get("reliability")
    if not bins:
        return empty("These scores are no probabilities, so there is nothing to hold them to.")
    return _diagram(bins, "Probability", "share", event, f"Probability of {event}", f"Share that was {event}")


def _diagram(
    bins: Sequence[Mapping[str, Any]], score: str, outcome: str, said: str, across: str, up: str
) -> go.Figure:
    """Draw what came of each bin against its mean score, above the rows of the bins.

    score, outcome: the words for the two, `said` the one for the outcome of a point; across, up: the axes.
    """
    hover = [f"{score} {b['low']:.0%} to {b['high']:.0%}: {b['rows']:,} rows" for b in bins]
    return figure(
        [
            go.Scatter(
                x=[0, 1],
                y=[0, 1],
                mode="lines",
                name=f"{score} equals {outcome}",
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
                hovertemplate=f"%{{customdata}}<br>mean {score.lower()} %{{x:.1%}}<br>{said} %{{y:.1%}}"
                "<extra></extra>",
                cliponaxis=False,
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
        height=480,
        xaxis=percent(across, anchor="y2"),
        yaxis=percent(up, domain=[0.34, 1], range=[0, 1.03]),
        yaxis2={**powers("Rows", max(b["rows"] for b in bins)), "domain": [0, 0.2]},
    )
