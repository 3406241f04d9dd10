"""Kinds of event and rules: how many there were, how many are flagged."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from tallystick.figures.theme import BLUE, GREY, VERMILION, empty, figure, named
from tallystick.report.formatting import rare

__all__ = ["rules_chart", "scenario_chart"]


def scenario_chart(kinds: Sequence[Mapping[str, Any]], events: str = "events") -> go.Figure:
    """Draw for each of `by_scenario` how many events there were and how many are flagged.

    >>> kind = {"scenario": "1", "events": 4, "found": 3, "recall": 0.75}
    >>> scenario_chart([kind]).data[1].x
    (3,)
    """
    kinds = sorted(kinds, key=lambda kind: (-kind["events"], str(kind["scenario"])))
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


def rules_chart(rules: Sequence[Mapping[str, Any]], events: str = "events") -> go.Figure:
    """Draw what each rule hits, and how much of it are events; `rules` as the back-test gives them.

    >>> entry = {"rule": "burst", "action": "review", "hits": 9, "frauds": 4, "precision": 0.5}
    >>> rules_chart([entry]).data[0].x
    (4,)
    """
    if not rules:
        return empty("No rules were tried on these rows.")
    places = list(range(len(rules)))
    hover = [
        f"{html.escape(str(e['rule']))}<br>{e['hits']:,} hits, "
        f"{e['frauds']:,} {events} ({rare(e['precision'])})"
        for e in rules
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
                x=[e["frauds"] for e in rules],
                name=events.capitalize(),
                marker={"color": VERMILION, "opacity": 0.85},
                **bars,
            ),
            go.Bar(
                x=[e["hits"] - e["frauds"] for e in rules],
                name="Other hits",
                marker={"color": GREY, "opacity": 0.45},
                text=[f"{e['hits']:,}" for e in rules],
                textposition="outside",
                cliponaxis=False,
                **bars,
            ),
        ],
        height=120 + 36 * len(rules),
        barmode="stack",
        legend={"traceorder": "normal"},
        bargap=0.35,
        margin={"r": 64},
        xaxis={"title": {"text": "Hits"}, "rangemode": "tozero"},
        yaxis=named([str(e["rule"]) for e in rules], title={"text": "Rule"}, range=[len(rules) - 0.5, -0.5]),
    )
