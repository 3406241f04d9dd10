"""How scores are spread: over events and others, or over all rows without labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import plotly.graph_objects as go

from tallystick.figures.theme import BLUE, GREY, VERMILION, empty, figure, powers

__all__ = ["event_scores", "score_counts"]

HEIGHTS = (1.0, 0.92, 0.84)  # of the names of thresholds, which may lie close


def event_scores(
    distribution: Mapping[str, Sequence[Any]],
    lines: Mapping[str, float | None] | None = None,
    event: str = "event",
) -> go.Figure:
    """Draw rows by score on a scale of powers of ten; `lines` are thresholds by name.

    >>> event_scores({"edges": [0.0, 0.5, 1.0], "no": [90, 1], "yes": [0, 5]}).data[1].y
    (None, 5)
    """
    bars = (
        ("No " + event, BLUE, distribution["no"]),
        (event.capitalize(), VERMILION, distribution["yes"]),
    )
    return _drawn(distribution["edges"], bars, lines or {})


def score_counts(
    distribution: Mapping[str, Sequence[Any]], lines: Mapping[str, float | None] | None = None
) -> go.Figure:
    """Draw all rows by score on a scale of powers of ten; `lines` are thresholds by name.

    >>> score_counts({"edges": [0.0, 0.5, 1.0], "counts": [90, 1]}).data[0].y
    (90, 1)
    """
    return _drawn(distribution["edges"], (("Rows", BLUE, distribution["counts"]),), lines or {})


def _drawn(
    edges: Sequence[float],
    bars: Sequence[tuple[str, str, Sequence[int]]],
    lines: Mapping[str, float | None],
) -> go.Figure:
    largest = max((count for _, _, counts in bars for count in counts), default=0)
    if not largest:
        return empty("No row has a score.")
    ranges = [f"Score {low:.3g} to {high:.3g}" for low, high in pairwise(edges)]
    middles = [(low + high) / 2 for low, high in pairwise(edges)]
    width = edges[-1] - edges[0]
    shapes, notes = [], []
    for (name, at), height in zip(lines.items(), HEIGHTS, strict=False):
        if at is None:
            continue
        line = {"color": GREY, "width": 1.5, "dash": "dot"}
        shapes.append({"type": "line", "x0": at, "x1": at, "y0": 0, "y1": 1, "yref": "paper", "line": line})
        side = "right" if at > edges[0] + 0.7 * width else "left"
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
        [_bars(name, colour, middles, counts, ranges) for name, colour, counts in bars],
        height=420,
        barmode="group",
        bargap=0.12,
        bargroupgap=0,
        shapes=shapes,
        annotations=notes,
        showlegend=len(bars) > 1,
        xaxis={
            "title": {"text": "Score"},
            "range": [edges[0] - 0.005 * width, edges[-1] + 0.005 * width],
            "zeroline": False,
        },
        yaxis=powers("Rows (powers of ten)", largest),
    )


def _bars(name: str, colour: str, x: list[float], rows: Sequence[int], ranges: list[str]) -> go.Bar:
    return go.Bar(
        x=x,
        y=[count or None for count in rows],
        name=name,
        marker={"color": colour, "opacity": 0.85},
        customdata=ranges,
        hovertemplate="%{customdata}<br>%{y:,} " + name.lower() + "<extra></extra>",
    )
