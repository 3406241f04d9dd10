"""What thresholds do in money, in each currency."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Any

import plotly.graph_objects as go

from tallystick.figures.theme import BLUE, GREY, VERMILION, empty, figure, named
from tallystick.report.formatting import amount

__all__ = ["money_chart"]


def money_chart(
    money: Mapping[str, Mapping[str, Any] | None] | None, titles: Mapping[str, str] | None = None
) -> go.Figure:
    """Draw what is stopped, what is missed and what that costs in each currency; `titles` of sums by key.

    >>> sums = {"fraud": 9.0, "stopped": 7.0, "missed": 2.0, "review_cost": 1.0, "decline_cost": 0.0}
    >>> money_chart({"EUR": sums}).data[0].x
    (7.0,)
    """
    held = {code: sums for code, sums in (money or {}).items() if sums and sums["fraud"] > 0}
    if not held:
        return empty("No amount of any event is known, so there are no figures in money.")
    parts = (("stopped", BLUE), ("missed", VERMILION), ("review_cost", GREY), ("decline_cost", "#b0a04a"))
    return figure(
        [
            go.Bar(
                x=[sums[key] for sums in held.values()],
                y=list(range(len(held))),
                orientation="h",
                name=_title(titles, key),
                marker={"color": colour, "opacity": 0.85},
                customdata=[html.escape(amount(sums[key], code)) for code, sums in held.items()],
                hovertemplate=f"{_title(titles, key)}: %{{customdata}}<extra></extra>",
            )
            for key, colour in parts
        ],
        height=150 + 50 * len(held),
        barmode="stack",
        legend={"traceorder": "normal"},
        bargap=0.4,
        xaxis={"title": {"text": "Amount, each in its currency"}, "tickformat": ",.0f"},
        yaxis=named(list(held), title={"text": "Currency"}, range=[len(held) - 0.5, -0.5]),
    )


def _title(titles: Mapping[str, str] | None, key: str) -> str:
    return (titles or {}).get(key, key.replace("_", " ").capitalize())
