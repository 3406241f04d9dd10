"""How many of each: classes, actions, departments, reasons for quarantine."""

from __future__ import annotations

import html
from collections.abc import Mapping

import plotly.graph_objects as go

from tallystick.figures.theme import BLUE, empty, figure, named

__all__ = ["count_bars"]


def count_bars(counts: Mapping[str, int], *, of: str, unit: str = "Rows", largest: int = 30) -> go.Figure:
    """Draw counts by name as bars, the largest on top; `of` says what the names are.

    Names beyond the `largest` are summed up in a last bar.

    >>> count_bars({"auto": 3, "review": 9}, of="Action").data[0].x
    (9, 3)
    """
    rows = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    total = sum(counts.values())
    if not total:
        return empty(f"{of}: there is nothing to count.")
    if len(rows) > largest:
        rest = rows[largest - 1 :]
        rows = [*rows[: largest - 1], (f"({len(rest):,} others)", sum(count for _, count in rest))]
    return figure(
        [
            go.Bar(
                x=[count for _, count in rows],
                y=list(range(len(rows))),
                orientation="h",
                marker={"color": BLUE, "opacity": 0.85},
                text=[f"{count:,}" for _, count in rows],
                textposition="outside",
                cliponaxis=False,
                customdata=[f"{html.escape(name)}: {count:,} ({count / total:.1%})" for name, count in rows],
                hovertemplate="%{customdata}<extra></extra>",
            )
        ],
        height=100 + max(30 * len(rows), 60),
        bargap=0.35,
        margin={"t": 16, "r": 64},
        xaxis={"title": {"text": unit}, "rangemode": "tozero", "tickformat": ","},
        yaxis=named([name for name, _ in rows], title={"text": of}, range=[len(rows) - 0.5, -0.5]),
    )
