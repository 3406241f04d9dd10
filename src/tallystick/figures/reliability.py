"""Whether a score means what it says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from tallystick.figures.theme import BLUE, GREY, empty, figure, percent, powers

__all__ = ["reliability_diagram"]


def reliability_diagram(
    bins: Sequence[Mapping[str, Any]] | None,
    *,
    score: str = "Score",
    outcome: str = "accuracy",
    event: str = "right",
    across: str = "Score of the decision",
    up: str = "Decisions that were right",
    none: str = "No decision has a score.",
) -> go.Figure:
    """Draw the outcome of each bin of `reliability` against its mean score, above the rows of the bins.

    score, outcome: what the two are called; event: what is counted; across, up: titles of the axes; none:
    the text shown without bins.

    >>> bins = [{"low": 0.8, "high": 0.9, "rows": 10, "score": 0.85, "accuracy": 0.8}]
    >>> reliability_diagram(bins).data[1].y
    (0.8,)
    """
    if not bins:
        return empty(none)
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
                hovertemplate=f"%{{customdata}}<br>mean {score.lower()} %{{x:.1%}}<br>{event} %{{y:.1%}}"
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
