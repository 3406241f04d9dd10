"""Events over time: how many came, were found and were flagged each day; figures day by day, week by week."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from tallystick.figures.series import Line, panels
from tallystick.figures.theme import BLUE, GREEN, GREY, VERMILION, empty

__all__ = ["days_chart", "quality_chart", "weeks_chart"]

Days = Sequence[Mapping[str, Any]]

NONE = "The rows have no times, so there are no figures over time."


def days_chart(days: Days, events: str = "events", stopped: str = "stopped") -> go.Figure:
    """Draw the events and those found, and the alerts, of each entry of `over_time`.

    >>> day = {"day": "2025-01-01", "days": 1, "events": 3, "found": 2, "alerts": 5, "declined": 0}
    >>> days_chart([day]).data[1].y
    (2,)
    """
    if not days:
        return empty(NONE)
    at = {key: [day[key] for day in days] for key in ("events", "found", "alerts", "declined")}
    return panels(
        [day["day"] for day in days],
        [
            (
                events.capitalize(),
                [
                    Line(f"All {events}", at["events"], GREY, "bar", words="%{y:,}"),
                    Line("Found", at["found"], BLUE, "bar", words="%{y:,}"),
                ],
            ),
            (
                "Flagged",
                [
                    Line("Alerts to look at", at["alerts"], VERMILION, words="%{y:,}"),
                    Line(stopped.capitalize(), at["declined"], GREEN, words="%{y:,}"),
                ],
            ),
        ],
        title=_unit(days[0]["days"]),
    )


def quality_chart(days: Days, further: Mapping[str, str] | None = None) -> go.Figure:
    """Draw average precision, recall and precision of each day; `further` are keys of figures with titles.

    >>> day = {"day": "2025-01-01", "days": 1, "average_precision": 0.5, "recall": 1.0, "precision": 0.5}
    >>> len(quality_chart([day]).data)
    3
    """
    if not days:
        return empty(NONE)
    shown = [
        ("average_precision", "Average precision", BLUE, 0),
        *((key, title, GREEN, 0) for key, title in (further or {}).items()),
        ("recall", "Recall", VERMILION, 1),
        ("precision", "Precision", GREY, 1),
    ]
    parts: list[tuple[str, list[Line]]] = [("Ranking", []), ("Decisions", [])]
    for key, name, colour, part in shown:
        values = [day.get(key) for day in days]
        if any(value is not None for value in values):
            parts[part][1].append(Line(name, values, colour, "points", words="%{y:.3f}"))
    return panels([day["day"] for day in days], parts, title=_unit(days[0]["days"]), height=190)


def weeks_chart(weeks: Days, figures: Mapping[str, str]) -> go.Figure:
    """Draw figures (titles by key) of each week, and dotted those of the oracle.

    >>> week = {"from": "2025-01-01", "average_precision": 0.7, "oracle": {"average_precision": 0.8}}
    >>> [line.y for line in weeks_chart([week], {"average_precision": "Average precision"}).data]
    [(0.7,), (0.8,)]
    """
    lines = []
    for (key, title), colour in zip(figures.items(), (BLUE, VERMILION, GREEN), strict=False):
        for name, dash, values in (
            (title, "solid", [week.get(key) for week in weeks]),
            (f"{title}, oracle", "dot", [(week.get("oracle") or {}).get(key) for week in weeks]),
        ):
            if any(value is not None for value in values):
                lines.append(Line(name, values, colour, dash=dash, words="%{y:.3f}"))
    if not lines:
        return empty("The rows were not tested week by week.")
    x = [_name(week, i) for i, week in enumerate(weeks, 1)]
    drawn = panels(x, [("Value", lines)], title="Week from", height=300)
    return drawn.update_layout(xaxis={"type": "category"}, yaxis={"range": [0, 1.02]})


def _unit(days: int) -> str:
    return "Day" if days == 1 else f"{days} days from"


def _name(week: Mapping[str, Any], place: int) -> str:
    """Name a week by its first day, or by its place where it has none."""
    return str(week.get("from") or place)
