"""How well each class is recognised."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Any

import plotly.graph_objects as go

from tallystick.figures.theme import BLUE, GREEN, VERMILION, empty, figure, named, percent

__all__ = ["class_figures"]


def class_figures(report: Mapping[str, Any]) -> go.Figure:
    """Draw `report["per_class"]`: F1 as a bar, precision and recall as marks, the largest class on top.

    >>> row = {"class": "card", "support": 8, "precision": 0.9, "recall": 0.5, "f1": 0.64}
    >>> class_figures({"per_class": [row]}).data[0].x
    (0.64,)
    """
    rows = sorted((row for row in report["per_class"] if row["support"]), key=lambda row: -row["support"])
    if not rows:
        return empty("No class has a row to measure.")
    places = list(range(len(rows)))
    hover = [f"{html.escape(row['class'])}<br>{row['support']:,} rows" for row in rows]
    words = "%{customdata}<br>%{fullData.name} %{x:.1%}<extra></extra>"
    mark = {"mode": "markers", "y": places, "customdata": hover, "hovertemplate": words, "cliponaxis": False}
    return figure(
        [
            go.Bar(
                x=[row["f1"] for row in rows],
                y=places,
                orientation="h",
                name="F1",
                marker={"color": "rgba(0,114,178,0.4)", "line": {"color": BLUE, "width": 1}},
                customdata=hover,
                hovertemplate=words,
            ),
            go.Scatter(
                x=[row["precision"] for row in rows],
                name="Precision",
                marker={"symbol": "diamond", "size": 9, "color": VERMILION},
                **mark,
            ),
            go.Scatter(
                x=[row["recall"] for row in rows],
                name="Recall",
                marker={"symbol": "circle", "size": 9, "color": GREEN},
                **mark,
            ),
        ],
        height=130 + max(34 * len(rows), 90),
        bargap=0.35,
        xaxis=percent("Share"),
        yaxis={
            **named(
                [row["class"] for row in rows],
                title={"text": "True class (rows)"},
                range=[len(rows) - 0.5, -0.5],
            ),
            "ticktext": _with_rows(rows),
        },
    )


def _with_rows(rows: list[Any]) -> list[str]:
    texts = named([row["class"] for row in rows])["ticktext"]
    return [f"{text} ({row['support']:,})" for text, row in zip(texts, rows, strict=True)]
