"""The headline figures of a report: a table and the data of a chart, for every target."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tallystick.report import Table
from tallystick.report.formatting import interval, level, number

__all__ = ["figure_table", "headline"]

Figures = Mapping[str, tuple[str, str]]


def figure_table(
    report: Mapping[str, Any],
    figures: Figures,
    write: Callable[[float | None], str] = number,
    caption: str = "Figures with their intervals",
) -> Table:
    """Give the figures of a report: value, meaning, and interval, baseline and oracle where it has them.

    figures: title and meaning by key; write: how a value is written.

    >>> report = {"recall": 0.5, "intervals": {"recall": [0.4, 0.6]}}
    >>> figure_table(report, {"recall": ("Recall", "Share found.")}).rows
    [['Recall', '0.500', '0.400 to 0.600', 'Share found.']]
    """
    shown = [key for key in figures if report.get(key) is not None]
    beside = [
        (title, values)
        for title, values in (("Baseline", report.get("baseline")), ("Oracle", report.get("oracle")))
        if values and any(isinstance(values.get(key), int | float) for key in shown)
    ]
    drawn = [f"{level(report)} interval"] if report.get("intervals") else []
    rows = [
        [
            figures[key][0],
            write(report[key]),
            *(interval(report, key, write) for _ in drawn),
            *("" if values.get(key) is None else write(values[key]) for _, values in beside),
            figures[key][1],
        ]
        for key in shown
    ]
    header = ["Figure", "Value", *drawn, *(title for title, _ in beside), "Meaning"]
    brief = tuple(range(len(header) - 1))
    return Table(caption, header, rows, "l" + "r" * (len(header) - 2) + "l", brief)


def headline(report: Mapping[str, Any], figures: Figures, drawn: Sequence[str]) -> dict[str, Any]:
    """Give the data of the chart of headline figures; all of them lie between 0 and 1."""
    points = []
    for key in drawn:
        if report.get(key) is None:
            continue
        low, high = (report.get("intervals") or {}).get(key) or (None, None)
        points.append(
            {
                "title": figures[key][0],
                "value": report[key],
                "low": low,
                "high": high,
                "baseline": (report.get("baseline") or {}).get(key),
                "oracle": (report.get("oracle") or {}).get(key),
            }
        )
    return {"points": points, "level": level(report)}
