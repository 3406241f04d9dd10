"""What kind of event is found, and what rules catch beside the model."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Any

import plotly.graph_objects as go

from tallystick.figures.blocks import Table
from tallystick.figures.event_words import amount, rare
from tallystick.figures.theme import BLUE, GREY, VERMILION, empty, figure, named
from tallystick.figures.words import number

__all__ = ["rules_chart", "rules_table", "scenario_chart", "scenario_table"]

TOGETHER = "The last three lines are all rules, the model, and both together."


def scenario_chart(report: Mapping[str, Any], events: str = "events") -> go.Figure:
    """Draw for each of `report["by_scenario"]` how many events there were and how many are flagged.

    >>> kind = {"scenario": "1", "events": 4, "found": 3, "recall": 0.75}
    >>> scenario_chart({"by_scenario": [kind]}).data[1].x
    (3,)
    """
    kinds = _kinds(report)
    if not kinds:
        return empty(f"The rows do not say what kind the {events} are of.")
    names = [str(kind["scenario"]) for kind in kinds]
    places = list(range(len(names)))
    hover = [
        f"{html.escape(name)}<br>{kind['found']:,} of {kind['events']:,} flagged ({rare(kind['recall'])})"
        for name, kind in zip(names, kinds, strict=True)
    ]
    bars = {
        "y": places,
        "orientation": "h",
        "customdata": hover,
        "hovertemplate": "%{customdata}<extra></extra>",
    }
    return figure(
        [
            go.Bar(
                x=[kind["events"] for kind in kinds],
                name=f"All {events}",
                marker={"color": GREY, "opacity": 0.45},
                text=[f"{rare(kind['recall'])}" for kind in kinds],
                textposition="outside",
                cliponaxis=False,
                **bars,
            ),
            go.Bar(
                x=[kind["found"] for kind in kinds],
                name="Flagged (share at the end of the bar)",
                marker={"color": BLUE, "opacity": 0.9},
                **bars,
            ),
        ],
        height=120 + 34 * len(names),
        barmode="overlay",
        bargap=0.35,
        margin={"r": 70},
        xaxis={"title": {"text": events.capitalize()}, "rangemode": "tozero"},
        yaxis=named(
            [name.replace("_", " ") for name in names], title={"text": "Kind"}, range=[len(names) - 0.5, -0.5]
        ),
    )


def scenario_table(report: Mapping[str, Any], events: str = "events") -> Table:
    """Give the figures of each kind of event.

    >>> kind = {"scenario": "1", "events": 4, "found": 3, "recall": 0.75, "declined": 1}
    >>> scenario_table({"by_scenario": [kind]}).rows
    [['1', '4', '3', '75.0\\xa0%', '1', '–', '–']]
    """
    return Table(
        "By kind, each beside all that is none",
        ["Kind", events.capitalize(), "Flagged", "Recall", "Declined", "Average precision", "ROC AUC"],
        [
            [
                str(kind["scenario"]).replace("_", " "),
                f"{kind['events']:,}",
                f"{kind['found']:,}",
                rare(kind["recall"]),
                f"{kind['declined']:,}",
                number(kind.get("average_precision")),
                number(kind.get("roc_auc")),
            ]
            for kind in _kinds(report)
        ],
    )


def rules_chart(report: Mapping[str, Any], events: str = "events") -> go.Figure:
    """Draw what each rule hits, and how much of it are events; `report["rules"]` as the back-test gives it.

    >>> entry = {"rule": "burst", "action": "review", "hits": 9, "frauds": 4, "precision": 0.5}
    >>> rules_chart({"rules": [entry]}).data[0].x
    (4,)
    """
    entries = report.get("rules") or []
    if not entries:
        return empty("No rules were tried on these rows.")
    places = list(range(len(entries)))
    hover = [
        f"{html.escape(str(e['rule']))}<br>{e['hits']:,} hits, "
        f"{e['frauds']:,} {events} ({rare(e['precision'])})"
        for e in entries
    ]
    bars = {
        "y": places,
        "orientation": "h",
        "customdata": hover,
        "hovertemplate": "%{customdata}<extra></extra>",
    }
    return figure(
        [
            go.Bar(
                x=[e["frauds"] for e in entries],
                name=events.capitalize(),
                marker={"color": VERMILION, "opacity": 0.85},
                **bars,
            ),
            go.Bar(
                x=[e["hits"] - e["frauds"] for e in entries],
                name="Other hits",
                marker={"color": GREY, "opacity": 0.45},
                text=[f"{e['hits']:,}" for e in entries],
                textposition="outside",
                cliponaxis=False,
                **bars,
            ),
        ],
        height=120 + 36 * len(entries),
        barmode="stack",
        legend={"traceorder": "normal"},
        bargap=0.35,
        margin={"r": 64},
        xaxis={"title": {"text": "Hits"}, "rangemode": "tozero"},
        yaxis=named(
            [str(e["rule"]) for e in entries], title={"text": "Rule"}, range=[len(entries) - 0.5, -0.5]
        ),
    )


def rules_table(report: Mapping[str, Any], events: str = "events", currency: str = "") -> Table:
    """Give what each rule hits alone, and what it adds to the model.

    >>> entry = {"rule": "burst", "action": "review", "hits": 9, "decides": 9, "frauds": 4, "unknown": 0}
    >>> shares = {"precision": 0.5, "recall": 0.1, "amount": None, "adds_hits": 5, "adds_frauds": -2}
    >>> rules_table({"rules": [entry | shares]}).rows[0][7:]
    ['–', '+5', '\\u22122', '–']
    """
    unit = f", {currency}" if currency else ""
    return Table(
        f"Rules tried: alone, and what each adds to the model; amounts are of {events}. {TOGETHER}",
        [
            *("Rule", "Action", "Hits", "Decides", events.capitalize(), "Precision", "Recall"),
            *(f"Amount{unit}", "Adds hits", f"Adds {events}", f"Adds amount{unit}"),
        ],
        [
            [
                str(e["rule"]),
                e["action"] or "–",
                f"{e['hits']:,}",
                "–" if e["decides"] is None else f"{e['decides']:,}",
                f"{e['frauds']:,}",
                rare(e["precision"]),
                rare(e["recall"]),
                amount(e.get("amount")),
                _signed(e["adds_hits"]),
                _signed(e["adds_frauds"]),
                amount(e.get("adds_amount")),
            ]
            for e in report.get("rules") or []
        ],
        "ll" + "r" * 9,
    )


def _kinds(report: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return sorted(report.get("by_scenario") or [], key=lambda kind: (-kind["events"], str(kind["scenario"])))


def _signed(value: int) -> str:
    return f"+{value:,}" if value > 0 else f"{value:,}".replace("-", "\N{MINUS SIGN}")
