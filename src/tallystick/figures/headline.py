"""The headline figures of a report with their intervals, baseline and oracle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from tallystick.figures.theme import BLUE, GREEN, GREY, empty, figure, named
from tallystick.report.formatting import number

__all__ = ["headline_figures"]

MARKS = (
    ("baseline", "Baseline", GREY, "line-ns"),
    ("oracle", "Best that can be expected", GREEN, "diamond-open"),
)


def headline_figures(points: Sequence[Mapping[str, Any]], level: str = "95 %") -> go.Figure:
    """Draw figures between 0 and 1: each point has title, value, low, high, baseline and oracle, or None.

    >>> point = {"title": "Recall", "value": 0.5, "low": 0.4, "high": 0.6, "baseline": 0.1, "oracle": None}
    >>> [trace.name for trace in headline_figures([point]).data]
    ['Measured', 'Baseline']
    """
    if not points:
        return empty("No figure could be measured.")
    values = [point["value"] for point in points]
    lows = [point["value"] if point["low"] is None else point["low"] for point in points]
    highs = [point["value"] if point["high"] is None else point["high"] for point in points]
    hover = [
        f"{point['title']} {number(point['value'])}<br>{level} interval {number(low)} to {number(high)}"
        for point, low, high in zip(points, lows, highs, strict=True)
    ]
    traces = [
        go.Scatter(
            x=values,
            y=list(range(len(points))),
            mode="markers",
            name="Measured",
            marker={"color": BLUE, "size": 10},
            error_x={
                "type": "data",
                "symmetric": False,
                # A mean over weeks may lie outside of its interval: no bar is drawn backwards.
                "array": [max(high - value, 0.0) for value, high in zip(values, highs, strict=True)],
                "arrayminus": [max(value - low, 0.0) for value, low in zip(values, lows, strict=True)],
                "color": BLUE,
                "thickness": 1.8,
                "width": 5,
            },
            customdata=hover,
            hovertemplate="%{customdata}<extra></extra>",
            cliponaxis=False,
        )
    ]
    for key, name, colour, symbol in MARKS:
        places = [i for i, point in enumerate(points) if point.get(key) is not None]
        if places:
            traces.append(
                go.Scatter(
                    x=[points[i][key] for i in places],
                    y=places,
                    mode="markers",
                    name=name,
                    marker={
                        "symbol": symbol,
                        "size": 13,
                        "color": colour,
                        "line": {"width": 2.5, "color": colour},
                    },
                    hovertemplate=f"{name} %{{x:.3f}}<extra></extra>",
                    cliponaxis=False,
                )
            )
    return figure(
        traces,
        height=120 + 38 * len(points),
        showlegend=len(traces) > 1,
        margin={"t": 40 if len(traces) > 1 else 16},
        xaxis={"title": {"text": f"Value ({level} interval)"}, "range": [-0.01, 1.01], "zeroline": False},
        yaxis=named(
            [point["title"] for point in points],
            range=[len(points) - 0.5, -0.5],
            showgrid=True,
            title={"text": "Figure"},
        ),
    )
