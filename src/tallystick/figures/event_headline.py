"""The headline figures of events, beside what knowing nothing gives and what nobody could beat."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import plotly.graph_objects as go

from tallystick.figures.blocks import Table
from tallystick.figures.theme import BLUE, GREEN, GREY, empty, figure, named
from tallystick.figures.words import level, number

__all__ = ["EVENT_NAMES", "event_headline", "headline_table"]

# Name and meaning of each figure, in the order of the page.
EVENT_NAMES = {
    "average_precision": ("Average precision", "Area under precision against recall: how pure the top is."),
    "roc_auc": ("ROC AUC", "How often an event scores higher than another row."),
    "card_precision_at_100": (
        "Card precision at 100",
        "Of the 100 cards a day that score highest, how many are defrauded; each counts until it is found.",
    ),
    "precision": ("Precision", "Of what is flagged, how much is an event."),
    "recall": ("Recall", "Of the events, how many are flagged."),
    "f1": ("F1", "Balance of precision and recall."),
    "balanced_accuracy": ("Balanced accuracy", "Share decided rightly, events and others counting alike."),
    "accuracy": ("Accuracy", "Share decided rightly; where events are rare, saying no always looks good."),
    "false_positive_rate": ("False-positive rate", "Of what is no event, how much is flagged; low is good."),
    "log_loss": ("Log loss", "Surprise at what happened, in nats; 0 is best."),
    "brier": ("Brier score", "Squared distance of the probability from what happened; 0 is best."),
    "ece": ("Calibration error (ECE)", "Mean gap of probability and share; 0 is best. It has no interval."),
}
DRAWN = tuple(EVENT_NAMES)[:6]


def event_headline(report: Mapping[str, Any]) -> go.Figure:
    """Draw the headline figures with their intervals; `baseline` and `oracle` as marks where they are there.

    >>> drawn = event_headline({"average_precision": 0.5, "baseline": {"average_precision": 0.01}})
    >>> [trace.name for trace in drawn.data]
    ['Measured', 'By chance']
    """
    names = [name for name in DRAWN if report.get(name) is not None]
    if not names:
        return empty("No figure could be measured.")
    values = [report[name] for name in names]
    ends = [(report.get("intervals") or {}).get(name) or [None, None] for name in names]
    ends = [[v if e is None else e for e in pair] for v, pair in zip(values, ends, strict=True)]
    said = [
        f"{EVENT_NAMES[name][0]} {number(value)}<br>{level(report)} interval {number(low)} to {number(high)}"
        for name, value, (low, high) in zip(names, values, ends, strict=True)
    ]
    traces = [
        go.Scatter(
            x=values,
            y=list(range(len(names))),
            mode="markers",
            name="Measured",
            marker={"color": BLUE, "size": 10},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [max(high - value, 0.0) for value, (_, high) in zip(values, ends, strict=True)],
                "arrayminus": [max(value - low, 0.0) for value, (low, _) in zip(values, ends, strict=True)],
                "color": BLUE,
                "thickness": 1.8,
                "width": 5,
            },
            customdata=said,
            hovertemplate="%{customdata}<extra></extra>",
            cliponaxis=False,
        )
    ]
    for key, name, colour, symbol in (
        ("baseline", "By chance", GREY, "line-ns"),
        ("oracle", "Best that can be expected", GREEN, "diamond-open"),
    ):
        known = report.get(key) or {}
        places = [i for i, figure_ in enumerate(names) if known.get(figure_) is not None]
        if places:
            traces.append(
                go.Scatter(
                    x=[known[names[i]] for i in places],
                    y=places,
                    mode="markers",
                    name=name,
                    marker={
                        "symbol": symbol,
                        "size": 13,
                        "color": colour,
                        "line": {"width": 2.5, "color": colour},
                    },
                    hovertemplate=f"{name} %{{x:.3f}}<extra></extra>",
                    cliponaxis=False,
                )
            )
    return figure(
        traces,
        height=120 + 40 * len(names),
        xaxis={
            "title": {"text": f"Value ({level(report)} interval)"},
            "range": [-0.01, 1.01],
            "zeroline": False,
        },
        yaxis=named(
            [EVENT_NAMES[name][0] for name in names],
            range=[len(names) - 0.5, -0.5],
            showgrid=True,
            title={"text": "Figure"},
        ),
    )


def headline_table(report: Mapping[str, Any]) -> Table:
    """Give all figures with interval, chance, oracle where there is one, and meaning.

    >>> headline_table({"recall": 0.5}).rows[0][:2]
    ['Recall', '0.500']
    """
    oracle, baseline = report.get("oracle") or {}, report.get("baseline") or {}
    rows = []
    for name, (title, meaning) in EVENT_NAMES.items():
        if report.get(name) is None:
            continue
        low, high = (report.get("intervals") or {}).get(name) or (None, None)
        interval = "–" if low is None else f"{number(low)} to {number(high)}"
        row = [title, number(report[name]), interval, number(baseline.get(name))]
        rows.append([*row, *([number(_value(oracle, name))] if oracle else []), meaning])
    header = ["Figure", "Value", f"{level(report)} interval", "By chance"]
    best = ["Oracle"] if oracle else []
    align = "lrrr" + "r" * len(best) + "l"
    return Table("Figures with their intervals", [*header, *best, "What it says"], rows, align)


def _value(oracle: Mapping[str, Any], name: str) -> float | None:
    value = oracle.get(name)
    return value if isinstance(value, int | float) else None
