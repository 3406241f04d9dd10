"""One look for all figures: calm, safe for the colour-blind, legible on light and on dark ground.

Grounds are transparent and text is a grey that reads on both (at least 4:1); a page may set both by CSS.
Colours are from Okabe & Ito's set, those with a contrast of at least 3:1 on white and on near-black.
"""

from __future__ import annotations

import html
import math
import textwrap
from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

__all__ = [
    "BLUE",
    "GREEN",
    "GREY",
    "RULE",
    "VERMILION",
    "empty",
    "figure",
    "label",
    "named",
    "percent",
    "powers",
]

BLUE = "#0072b2"
VERMILION = "#d55e00"
GREEN = "#009e73"
GREY = "#7b828d"
RULE = "rgba(123, 130, 141, 0.28)"

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif"
_AXIS = {
    "gridcolor": RULE,
    "zerolinecolor": RULE,
    "linecolor": RULE,
    "ticks": "outside",  # unseen ones, which keep the labels off the axis
    "ticklen": 7,
    "tickcolor": "rgba(0,0,0,0)",
    "automargin": True,
    "fixedrange": True,  # no zoom by accident while scrolling; the tables hold the exact values
    "title": {"standoff": 10},
}
_TEMPLATE = {
    "layout": {
        "colorway": [BLUE, VERMILION, GREEN, GREY],
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": FONT, "size": 13, "color": GREY},
        "xaxis": _AXIS,
        "yaxis": _AXIS,
        "margin": {"l": 56, "r": 16, "t": 40, "b": 48},
        "hoverlabel": {
            "bgcolor": "#23272f",
            "bordercolor": "#23272f",
            "font": {"family": FONT, "color": "#f5f6f8"},
            "align": "left",
        },
        "legend": {"orientation": "h", "x": 0, "xanchor": "left", "y": 1.02, "yanchor": "bottom"},
        "dragmode": False,
    }
}


def figure(data: Sequence[Any], height: int = 380, **layout: Any) -> go.Figure:
    """Make a figure in the common look, `height` in pixels.

    >>> figure([], xaxis_title="Score").layout.xaxis.title.text
    'Score'
    """
    drawn = go.Figure(list(data), layout={"template": _TEMPLATE, "height": height})
    drawn.update_layout(**layout)
    return drawn


def empty(words: str) -> go.Figure:
    """Say in words why there is nothing to draw.

    >>> empty("No row was scored.").layout.annotations[0].text
    'No row was scored.'
    """
    blank = {"visible": False}
    note = {
        "text": label(words, 48, 3),
        "showarrow": False,
        "xref": "paper",
        "yref": "paper",
        "x": 0.5,
        "y": 0.5,
    }
    return figure([], height=140, xaxis=blank, yaxis=blank, annotations=[note])


def label(text: str, width: int = 26, lines: int = 2) -> str:
    """Escape a text for Plotly, which reads some HTML, and wrap it; what is too long ends in an ellipsis.

    >>> label("Credit reporting or other personal consumer reports", 18)
    'Credit reporting<br>or other personal…'
    >>> label("<b>&")
    '&lt;b&gt;&amp;'
    """
    wrapped = textwrap.wrap(" ".join(text.split()), width, break_long_words=True) or ["(blank)"]
    if len(wrapped) > lines:
        wrapped = wrapped[:lines]
        wrapped[-1] = wrapped[-1][: width - 1].rstrip(" ,;") + "…"
    return "<br>".join(html.escape(line, quote=False) for line in wrapped)


def named(names: Sequence[str], *, width: int = 26, lines: int = 2, **more: Any) -> dict[str, Any]:
    """Make an axis whose places 0, 1, 2, … carry names; two names that shorten alike stay apart.

    >>> named(["card", "loan"])["ticktext"]
    ['card', 'loan']
    """
    return {
        "tickmode": "array",
        "tickvals": list(range(len(names))),
        "ticktext": [label(name, width, lines) for name in names],
        "showgrid": False,
        "zeroline": False,
        **more,
    }


def percent(title: str, **more: Any) -> dict[str, Any]:
    """Make an axis of shares, shown in percent from 0 to 100.

    >>> percent("Accuracy")["tickformat"]
    '.0%'
    """
    return {"title": {"text": title}, "tickformat": ".0%", "range": [0, 1.005], "zeroline": False, **more}


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
