"""How scores are spread over events and the others."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import plotly.graph_objects as go

from tallystick.figures.theme import BLUE, GREY, VERMILION, empty, figure, powers

__all__ = ["event_scores"]


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


def _bars(name: str, colour: str, x: list[float], rows: list[int], ranges: list[str]) -> go.Bar:
    return go.Bar(
        x=x,
        y=[count or None for count in rows],
        name=name,
        marker={"color": colour, "opacity": 0.85},
        customdata=ranges,
        hovertemplate="%{customdata}<br>%{y:,} " + name.lower() + "<extra></extra>",
    )
