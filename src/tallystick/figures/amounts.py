"""Predicted amounts against true ones, and the spread of errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import plotly.graph_objects as go

from tallystick.figures.theme import BLUE, GREY, VERMILION, empty, figure
from tallystick.report.formatting import compact

__all__ = ["predicted_true", "residuals"]


def predicted_true(parts: Sequence[Mapping[str, Any]]) -> go.Figure:
    """Draw the mean of the true values against the mean prediction of each part of the rows.

    >>> part = {"rows": 9, "predicted": 2.0, "truth": 3.0, "truth_low": 1.0, "truth_high": 5.0}
    >>> predicted_true([part]).data[1].y
    (3.0,)
    """
    if not parts:
        return empty("No row has both a predicted and a true amount.")
    x, y = [one["predicted"] for one in parts], [one["truth"] for one in parts]
    ends = [min(x), max(x)]
    hover = [
        f"{one['rows']:,} rows<br>predicted {compact(one['predicted'])}, true {compact(one['truth'])}<br>"
        f"eight in ten between {compact(one['truth_low'])} and {compact(one['truth_high'])}"
        for one in parts
    ]
    return figure(
        [
            go.Scatter(
                x=ends,
                y=ends,
                mode="lines",
                name="True equals predicted",
                line={"color": GREY, "dash": "dot", "width": 1.5},
                hoverinfo="skip",
            ),
            go.Scatter(
                x=x,
                y=y,
                mode="lines+markers",
                name="Mean of the true values",
                line={"color": BLUE, "width": 2},
                marker={"size": 8},
                error_y={
                    "type": "data",
                    "symmetric": False,
                    "array": [one["truth_high"] - one["truth"] for one in parts],
                    "arrayminus": [one["truth"] - one["truth_low"] for one in parts],
                    "color": "rgba(0,114,178,0.45)",
                    "thickness": 1.5,
                    "width": 4,
                },
                customdata=hover,
                hovertemplate="%{customdata}<extra></extra>",
            ),
        ],
        height=440,
        xaxis={"title": {"text": "Predicted value"}, "tickformat": ",", "zeroline": False},
        yaxis={"title": {"text": "True value"}, "tickformat": ",", "zeroline": False},
    )


def residuals(residuals: Mapping[str, Sequence[float]]) -> go.Figure:
    """Draw how many rows have which error; `edges` and `counts` of bins.

    >>> residuals({"edges": [-1.0, 0.0, 1.0], "counts": [2, 1]}).data[0].y
    (2, 1)
    """
    edges, counts = residuals["edges"], residuals["counts"]
    if not sum(counts):
        return empty("No row has an error to show.")
    ranges = [f"{compact(low)} to {compact(high)}" for low, high in pairwise(edges)]
    middles = [(low + high) / 2 for low, high in pairwise(edges)]
    return figure(
        [
            go.Bar(
                x=middles,
                y=list(counts),
                marker={"color": [VERMILION if middle > 0 else BLUE for middle in middles], "opacity": 0.85},
                customdata=ranges,
                hovertemplate="Error %{customdata}<br>%{y:,} rows<extra></extra>",
                showlegend=False,
            )
        ],
        bargap=0.06,
        margin={"t": 16},
        xaxis={"title": {"text": "Error: predicted minus true"}, "tickformat": ",", "zeroline": True},
        yaxis={"title": {"text": "Rows"}, "rangemode": "tozero", "tickformat": ","},
    )
