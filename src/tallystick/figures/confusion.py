"""Which classes are taken for which."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Any

import plotly.graph_objects as go

from tallystick.figures.theme import GREY, empty, figure, named

__all__ = ["confusion_matrix"]

LARGEST = 24  # more rows than this cannot be read; the others are drawn as one
OTHERS = "(all other classes)"


def confusion_matrix(report: Mapping[str, Any]) -> go.Figure:
    """Draw `report["confusion"]`: a row for each true class, in percent of that row, counts on hover.

    The largest classes come first; beyond 24 the rest is summed up as one class.

    >>> report = {"confusion": {"classes": ["card", "loan"], "counts": [[2, 0], [1, 1]]}}
    >>> confusion_matrix(report).data[0].z
    ([1.0, 0.0], [0.5, 0.5])
    """
    classes, counts = _ordered(report["confusion"])
    if not classes:
        return empty("There is no decision to compare with a true class.")
    size = len(classes)
    totals = [sum(row) for row in counts]
    shares = [
        [count / total if total else None for count in row] for row, total in zip(counts, totals, strict=True)
    ]
    hover = [
        [
            f"True: {html.escape(classes[t])}<br>Decided: {html.escape(classes[p])}<br>"
            f"{counts[t][p]:,} of {totals[t]:,} ({counts[t][p] / totals[t]:.1%})"
            if totals[t]
            else "no row of this class"
            for p in range(size)
        ]
        for t in range(size)
    ]
    cells = [(t, p, share) for t, row in enumerate(shares) for p, share in enumerate(row) if share]
    cells = [cell for cell in cells if cell[2] >= 0.005]
    axis = named(classes, width=34, lines=1, range=[-0.5, size - 0.5])
    return figure(
        [
            go.Heatmap(
                z=shares,
                zmin=0,
                zmax=1,
                xgap=1,
                ygap=1,
                # Never opaque: dark text reads on it over light ground, light text over dark ground.
                colorscale=[[0, "rgba(0,114,178,0.03)"], [1, "rgba(0,114,178,0.75)"]],
                customdata=hover,
                hovertemplate="%{customdata}<extra></extra>",
                colorbar={
                    "title": {"text": "Share of the<br>true class"},
                    "tickformat": ".0%",
                    "thickness": 10,
                    "outlinewidth": 0,
                },
            ),
            go.Scatter(
                x=[p for _, p, _ in cells],
                y=[t for t, _, _ in cells],
                mode="text",
                text=[f"{share * 100:.0f}" for _, _, share in cells],
                textfont={"size": 11, "color": ["#ffffff" if share > 0.5 else GREY for *_, share in cells]},
                hoverinfo="skip",
                showlegend=False,
            ),
        ],
        height=340 + max(26 * size, 120),
        xaxis={**axis, "title": {"text": "Decided class"}, "tickangle": -90},
        yaxis={**axis, "title": {"text": "True class"}, "range": [size - 0.5, -0.5]},
    )


def _ordered(confusion: Mapping[str, Any]) -> tuple[list[str], list[list[int]]]:
    """Put the largest classes first, leave out those that never occur, sum up those beyond the limit."""
    classes, counts = confusion["classes"], confusion["counts"]
    support = [sum(row) for row in counts]
    seen = [support[c] + sum(row[c] for row in counts) for c in range(len(classes))]
    order = sorted((c for c in range(len(classes)) if seen[c]), key=lambda c: (-support[c], c))
    if len(order) <= LARGEST:
        parts = [[c] for c in order]
    else:
        parts = [[c] for c in order[: LARGEST - 1]] + [order[LARGEST - 1 :]]
    names = [classes[part[0]] if len(part) == 1 else OTHERS for part in parts]
    return names, [[sum(counts[t][p] for t in row for p in column) for column in parts] for row in parts]
