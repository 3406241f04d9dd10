"""Events over time: what came, what was found and what was to be looked at each day; and week by week."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import plotly.graph_objects as go

from tallystick.figures.blocks import Table
from tallystick.figures.event_words import rare, spell
from tallystick.figures.series import Line, panels
from tallystick.figures.theme import BLUE, GREEN, GREY, VERMILION, empty
from tallystick.figures.words import number

__all__ = ["days_chart", "quality_chart", "span_words", "weeks_chart", "weeks_table"]

# Keys of a week's report, with their names and how they are written.
WEEK = {
    "rows": "Rows",
    "events": "Events",
    "average_precision": "Average precision",
    "roc_auc": "ROC AUC",
    "card_precision_at_100": "Card precision at 100",
    "precision": "Precision",
    "recall": "Recall",
}
NONE = "The rows have no times, so nothing can be said over time."


def days_chart(report: Mapping[str, Any], events: str = "events") -> go.Figure:
    """Draw the events and those found, and the alerts, of each entry of `report["over_time"]`.

    >>> day = {"day": "2025-01-01", "days": 1, "events": 3, "found": 2, "alerts": 5, "declined": 0}
    >>> days_chart({"over_time": [day]}).data[1].y
    (2,)
    """
    days = report.get("over_time")
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
                    Line("Declined", at["declined"], GREEN, words="%{y:,}"),
                ],
            ),
        ],
        title=_unit(days[0]["days"]),
    )


def quality_chart(report: Mapping[str, Any]) -> go.Figure:
    """Draw how good the scores were each day: average precision, recall, precision, card precision.

    >>> day = {"day": "2025-01-01", "days": 1, "average_precision": 0.5, "recall": 1.0, "precision": 0.5}
    >>> len(quality_chart({"over_time": [day | {"card_precision": None}]}).data)
    3
    """
    days = report.get("over_time")
    if not days:
        return empty(NONE)
    shown = [
        ("average_precision", "Average precision", BLUE, 0),
        ("card_precision", "Card precision at 100", GREEN, 0),
        ("recall", "Recall", VERMILION, 1),
        ("precision", "Precision", GREY, 1),
    ]
    parts: list[tuple[str, list[Line]]] = [("Ranking", []), ("Decisions", [])]
    for key, name, colour, part in shown:
        values = [day[key] for day in days]
        if any(value is not None for value in values):
            parts[part][1].append(Line(name, values, colour, "points", words="%{y:.3f}"))
    return panels([day["day"] for day in days], parts, title=_unit(days[0]["days"]), height=190)


def weeks_chart(report: Mapping[str, Any]) -> go.Figure:
    """Draw the figures of each of `report["weeks"]`.

    >>> week = {"from": "2025-01-01", "average_precision": 0.7, "roc_auc": 0.8}
    >>> weeks_chart({"weeks": [week]}).data[0].y
    (0.7,)
    """
    weeks = report.get("weeks") or []
    keys = ("average_precision", "roc_auc", "card_precision_at_100")
    lines = []
    for key, colour in zip(keys, (BLUE, VERMILION, GREEN), strict=True):
        values = [_plain(week.get(key)) for week in weeks]
        if any(value is not None for value in values):
            lines.append(Line(WEEK[key], values, colour, words="%{y:.3f}"))
    if not lines:
        return empty("The rows were not tested week by week.")
    drawn = panels(
        [_name(week, i) for i, week in enumerate(weeks, 1)], [("Value", lines)], title="Week", height=300
    )
    drawn.update_layout(xaxis={"type": "category"}, yaxis={"range": [0, 1.02]})
    return drawn


def weeks_table(report: Mapping[str, Any]) -> Table:
    """Give each week's figures; what no week has is left out.

    >>> weeks_table({"weeks": [{"from": "2025-01-01", "rows": 1200}]}).rows
    [['2025-01-01', '1,200']]
    """
    weeks = report.get("weeks") or []
    shown = [key for key in WEEK if any(_plain(week.get(key)) is not None for week in weeks)]
    rows = [
        [_name(week, i), *(_written(_plain(week.get(key))) for key in shown)]
        for i, week in enumerate(weeks, 1)
    ]
    return Table("Week by week", ["Week", *(WEEK[key] for key in shown)], rows)


def span_words(found: Mapping[str, Any]) -> list[list[str]]:
    """Say of cards how long they went on before they were found, as rows of a table.

    >>> rows = span_words({"cards": 4, "detected": 2, "share": 0.5, "frauds_undetected": 3})
    >>> rows[1]
    ['Of those, found by a flag', '2 (50.0\\xa0%)']
    """
    rows = [
        ["Cards with an event", f"{found['cards']:,}"],
        ["Of those, found by a flag", f"{found['detected']:,} ({rare(found['share'])})"],
    ]
    for key, name, unit in (
        ("hours", "From the first event to the first that was flagged", " h"),
        ("frauds_before", "Events that passed before it", ""),
    ):
        spread = found.get(key) or {}
        if spread.get("median") is not None:
            rows.append(
                [
                    name,
                    f"median {spell(spread['median'])}{unit}, mean {spell(spread['mean'])}{unit}, "
                    f"nine in ten within {spell(spread['p90'])}{unit}",
                ]
            )
    if found.get("amount_before") is not None:
        rows.append(
            [
                "Amount of what passed before a flag, and of cards never found",
                f"{found['amount_before']:,.0f}",
            ]
        )
    rows.append(["Events on cards that were never found", f"{found['frauds_undetected']:,}"])
    return rows


def _unit(days: int) -> str:
    return "Day" if days == 1 else f"{days} days from"


def _name(week: Mapping[str, Any], place: int) -> str:
    """Name a week by its first and last day, as far as they are told."""
    first = next(
        (week[key] for key in ("from", "first", "test_from", "start", "week") if week.get(key)), place
    )
    last = next((week[key] for key in ("until", "last", "test_until", "end") if week.get(key)), None)
    return str(first) if last is None else f"{first} to {last}"


def _plain(value: Any) -> float | None:
    return value if isinstance(value, int | float) else None


def _written(value: float | None) -> str:
    return f"{value:,}" if isinstance(value, int) else number(value)
