"""How scores are spread over events and the others, and whether a probability means what it says."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import plotly.graph_objects as go

from tallystick.figures.theme import BLUE, GREY, VERMILION, empty, figure, percent

__all__ = ["event_reliability", "event_scores"]


def event_scores(report: Mapping[str, Any], event: str = "event") -> go.Figure:
    """Draw `report["distribution"]`: rows by score on a scale of powers of ten, thresholds as lines.

    >>> spread = {"edges": [0.0, 0.5, 1.0], "no": [90, 1], "yes": [0, 5]}
    >>> event_scores({"distribution": spread}).data[1].y
    (None, 5)
    """
    spread = report["distribution"]
    edges = spread["edges"]
    if not sum(spread["no"]) + sum(spread["yes"]):
        return empty("No row has a score.")
    middles = [(low + high) / 2 for low, high in pairwise(edges)]
    ranges = [f"Score {low:.3g} to {high:.3g}" for low, high in pairwise(edges)]
    lines, notes = [], []
    # A line for each threshold; the names stand at different heights, for the two may lie close.
    for name, height in (("review", 1.0), ("decline", 0.92)):
        at = ((report.get("thresholds") or {}).get(name) or {}).get("threshold")
        if at is None:
            continue
        lines.append(
            {
                "type": "line",
                "x0": at,
                "x1": at,
                "y0": 0,
                "y1": 1,
                "yref": "paper",
                "line": {"color": GREY, "width": 1.5, "dash": "dot"},
            }
        )
        side = "right" if at > 0.7 else "left"
        notes.append(
            {
                "text": name,
                "x": at,
                "xanchor": side,
                "y": height,
                "yref": "paper",
                "yanchor": "top",
                "showarrow": False,
                "xshift": -4 if side == "right" else 4,
            }
        )
    return figure(
        [
            _bars("No " + event, BLUE, middles, spread["no"], ranges),
            _bars(event.capitalize(), VERMILION, middles, spread["yes"], ranges),
        ],
        height=420,
        barmode="group",
        bargap=0.12,
        bargroupgap=0,
        shapes=lines,
        annotations=notes,
        xaxis={"title": {"text": "Score"}, "range": [-0.005, 1.005], "zeroline": False},
        yaxis=powers("Rows (powers of ten)", max(*spread["no"], *spread["yes"])),
    )


def event_reliability(report: Mapping[str, Any], event: str = "event") -> go.Figure:
    """Draw `report["reliability"]`: share of events against their probability, and the rows behind it.

    >>> bins = [{"low": 0.8, "high": 0.9, "rows": 10, "score": 0.85, "accuracy": 0.8}]
    >>> event_reliability({"reliability": bins}).data[1].y
    (0.8,)
    """
    bins = report.get("reliability")
    if not bins:
        return empty("These scores are no probabilities, so there is nothing to hold them to.")
    hover = [f"Probability {b['low']:.0%} to {b['high']:.0%}: {b['rows']:,} rows" for b in bins]
    return figure(
        [
            go.Scatter(
                x=[0, 1],
                y=[0, 1],
                mode="lines",
                name="Probability equals share",
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
                hovertemplate=f"%{{customdata}}<br>mean %{{x:.1%}}<br>{event} %{{y:.1%}}<extra></extra>",
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
        xaxis=percent(f"Probability of {event}", anchor="y2"),
        yaxis=percent(f"Share that was {event}", domain=[0.34, 1], range=[0, 1.03]),
        yaxis2={**powers("Rows", max(b["rows"] for b in bins)), "domain": [0, 0.2]},
    )


def powers(title: str, largest: int) -> dict[str, Any]:
    """Make an axis of counts by powers of ten, on which a single one is still seen.

    >>> powers("Rows", 1200)["ticktext"]
    ['1', '10', '100', '1,000']
    """
    exponents = range(len(str(max(int(largest), 1))))
    step = 1 if len(exponents) <= 5 else 2
    shown = [10**e for e in exponents][::step]
    return {
        "type": "log",
        "title": {"text": title},
        "tickvals": shown,
        "ticktext": [f"{value:,}" for value in shown],
        "range": [-0.35, math.log10(max(largest, 1)) + 0.55],
    }


def _bars(name: str, colour: str, x: list[float], rows: list[int], ranges: list[str]) -> go.Bar:
    return go.Bar(
        x=x,
        y=[count or None for count in rows],
        name=name,
        marker={"color": colour, "opacity": 0.85},
        customdata=ranges,
        hovertemplate="%{customdata}<br>%{y:,} " + name.lower() + "<extra></extra>",
    )
