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

# Keys of a week's report, with their names.
RANKED = ("average_precision", "roc_auc", "card_precision_at_100")
WEEK = {
    "rows": "Rows",
    "events": "Events",
    **dict(zip(RANKED, ("Average precision", "ROC AUC", "Card precision at 100"), strict=True)),
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
    """Draw the figures of each of `report["weeks"]`, beside them dotted what could be expected at best.

    >>> week = {"from": "2025-01-01", "average_precision": 0.7, "oracle": {"average_precision": 0.8}}
    >>> [line.y for line in weeks_chart({"weeks": [week]}).data]
    [(0.7,), (0.8,)]
    """
    weeks = report.get("weeks") or []
    lines = []
    for key, colour in zip(RANKED, (BLUE, VERMILION, GREEN), strict=True):
        for name, dash, values in (
            (WEEK[key], "solid", [week.get(key) for week in weeks]),
            (f"{WEEK[key]}, oracle", "dot", [(week.get("oracle") or {}).get(key) for week in weeks]),
        ):
            if any(value is not None for value in values):
                lines.append(Line(name, values, colour, dash=dash, words="%{y:.3f}"))
    if not lines:
        return empty("The rows were not tested week by week.")
    x = [_name(week, i) for i, week in enumerate(weeks, 1)]
    drawn = panels(x, [("Value", lines)], title="Week from", height=300)
    return drawn.update_layout(xaxis={"type": "category"}, yaxis={"range": [0, 1.02]})


def weeks_table(report: Mapping[str, Any]) -> Table:
    """Give each week's figures, those of the oracle behind them; what no week has is left out.

    >>> weeks_table({"weeks": [{"from": "2025-01-01", "rows": 1200, "roc_auc": 0.9}]}).rows
    [['2025-01-01', '1,200', '0.900']]
    """
    weeks = report.get("weeks") or []
    best = [week.get("oracle") or {} for week in weeks]
    shown = [key for key in WEEK if any(week.get(key) is not None for week in weeks)]
    known = [key for key in RANKED if any(one.get(key) is not None for one in best)]
    rows = [
        [
            _name(week, i),
            *(f"{week[key]:,}" if isinstance(week.get(key), int) else number(week.get(key)) for key in shown),
            *(number(best[i - 1].get(key)) for key in known),
        ]
        for i, week in enumerate(weeks, 1)
    ]
    header = ["Week from", *(WEEK[key] for key in shown), *(f"{WEEK[key]}, oracle" for key in known)]
    return Table("Week by week", header, rows)


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
    """Name a week by its first day, or by its place where it has none."""
    return str(week.get("from") or place)
