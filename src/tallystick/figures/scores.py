"""How scores are spread over right and wrong decisions."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import plotly.graph_objects as go

from tallystick.figures.theme import BLUE, GREY, VERMILION, empty, figure, percent

__all__ = ["score_histogram"]


def score_histogram(report: Mapping[str, Any]) -> go.Figure:
    """Draw `report["distribution"]`: right decisions upwards, wrong ones downwards, the threshold as a line.

    >>> spread = {"edges": [0.0, 0.5, 1.0], "right": [1, 8], "wrong": [2, 1]}
    >>> score_histogram({"distribution": spread}).data[1].y
    (-2, -1)
    """
    spread = report["distribution"]
    edges, right, wrong = spread["edges"], spread["right"], spread["wrong"]
    if not sum(right) + sum(wrong):
        return empty("No decision has a score.")
    middles = [(low + high) / 2 for low, high in pairwise(edges)]
    ranges = [f"{low:.0%} to {high:.0%}" for low, high in pairwise(edges)]
    threshold = (report.get("threshold") or {}).get("threshold")
    line = {"type": "line", "x0": threshold, "x1": threshold, "y0": 0, "y1": 1, "yref": "paper"}
    note = {
        "text": "threshold",
        "x": threshold,
        "xanchor": "right" if (threshold or 0) > 0.5 else "left",
        "y": 1,
        "yref": "paper",
        "yanchor": "top",
        "showarrow": False,
    }
    step = _step(max(*right, *wrong))
    ticks = list(range(-step * (max(wrong) // step), max(right) + 1, step))
    return figure(
        [
            _bars("Right", BLUE, middles, right, right, ranges),
            _bars("Wrong", VERMILION, middles, [-count for count in wrong], wrong, ranges),
        ],
        barmode="relative",
        bargap=0.08,
        shapes=[] if threshold is None else [{**line, "line": {"color": GREY, "width": 1.5, "dash": "dot"}}],
        annotations=[] if threshold is None else [note],
        xaxis=percent("Score of the decision"),
        yaxis={
            "title": {"text": "Rows (wrong ones below)"},
            "range": [-1.1 * max(wrong) - 0.02 * max(right), 1.14 * max(right) + 0.02 * max(wrong)],
            "tickvals": ticks,
            "ticktext": [f"{abs(tick):,}" for tick in ticks],
        },
    )


def _bars(name: str, colour: str, x: list[float], y: list[int], rows: list[int], ranges: list[str]) -> go.Bar:
    return go.Bar(
        x=x,
        y=y,
        name=name,
        marker={"color": colour, "opacity": 0.85},
        customdata=[[words, count] for words, count in zip(ranges, rows, strict=True)],
        hovertemplate="Score %{customdata[0]}<br>%{customdata[1]:,} " + name.lower() + "<extra></extra>",
    )


def _step(largest: int) -> int:
    """Find the round number (1, 2, 5, 10, 20, …) of which at most four fit in."""
    size = 1
    while True:
        for first in (1, 2, 5):
            if largest <= 5 * first * size - 1:
                return first * size
        size *= 10
