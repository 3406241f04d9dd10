"""A stream in pictures: rate, latency, alerts and waiting records over time, and how latencies spread."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import plotly.graph_objects as go

from tallystick.figures.series import Line, panels
from tallystick.figures.stream_words import milliseconds, spell_span
from tallystick.figures.theme import BLUE, GREEN, GREY, VERMILION, empty, figure

__all__ = ["decades", "latency_chart", "rate_chart", "spread_chart", "waiting_chart"]

TIME = "Time (UTC)"
NONE = "No record came, so there is nothing to show over time."
# Percentiles that are marked in the spread.
MARKED = (("p50", "Half", BLUE), ("p99", "99 %", VERMILION), ("p999", "99.9 %", GREEN))


def rate_chart(stream: Mapping[str, Any]) -> go.Figure:
    """Draw events a second, and the alerts of each point of time.

    >>> series = {"seconds": 1, "at": ["2025-01-01T00:00:00.000Z"], "rate": [9.5], "alerts": [1]}
    >>> rate_chart({"events": 9, "series": series}).data[0].y
    (9.5,)
    """
    series = stream["series"]
    if not stream["events"] or not series["at"]:
        return empty(NONE)
    return panels(
        series["at"],
        [
            ("Events a second", [Line("Events a second", series["rate"], BLUE, words="%{y:,.0f}")]),
            (
                f"Alerts in {_each(series['seconds'])}",
                [Line("Alerts", series["alerts"], VERMILION, words="%{y:,}")],
            ),
        ],
        title=TIME,
        height=180,
        **_times(series["at"]),
    ).update_layout(showlegend=False)


def latency_chart(stream: Mapping[str, Any]) -> go.Figure:
    """Draw the median and the 99th percentile of the latency over time, on an axis of powers of ten.

    >>> series = {"at": ["2025-01-01T00:00:00.000Z"], "p50_ms": [4.0], "p99_ms": [12.0]}
    >>> latency_chart({"series": series}).layout.yaxis.type
    'log'
    """
    series = stream["series"]
    values = [value for key in ("p50_ms", "p99_ms") for value in series[key] if value is not None]
    if not values:
        return empty("Nothing was decided, so there is no latency to show.")
    lines = [
        Line("Half within (p50)", series["p50_ms"], BLUE, words="%{y:,.3~g} ms"),
        Line("99 % within (p99)", series["p99_ms"], VERMILION, words="%{y:,.3~g} ms"),
    ]
    drawn = panels(series["at"], [("Latency, ms", lines)], title=TIME, height=250, **_times(series["at"]))
    return drawn.update_layout(yaxis=decades("Latency, ms", min(values), max(values)))


def spread_chart(stream: Mapping[str, Any]) -> go.Figure:
    """Draw how many decisions took how long; both axes go in powers of ten, since the tail is what counts.

    >>> spread_chart({"distribution": {"edges_ms": [1, 2, 4], "counts": [5, 1]}, "latency_ms": {}}).data[0].y
    (5, 1)
    """
    edges, counts = stream["distribution"]["edges_ms"], stream["distribution"]["counts"]
    if not counts:
        return empty("Nothing was decided, so there is no latency to show.")
    total = sum(counts)
    words = [
        f"{milliseconds(low)} to {milliseconds(high)}: {count:,} ({count / total:.2%})"
        for low, high, count in zip(edges, edges[1:], counts, strict=False)
    ]
    logs = [math.log10(edge) for edge in edges]
    bars = go.Bar(
        x=[(low + high) / 2 for low, high in pairwise(logs)],
        y=list(counts),
        width=[high - low for low, high in pairwise(logs)],
        marker={"color": GREY, "opacity": 0.55, "line": {"width": 0}},
        customdata=words,
        hovertemplate="%{customdata}<extra></extra>",
        name="Decisions",
        showlegend=False,
    )
    traces: list[Any] = [bars]
    for key, name, colour in MARKED:
        value = stream["latency_ms"].get(key)
        if value:
            place = math.log10(value)
            traces.append(
                go.Scatter(
                    x=[place, place],
                    y=[0.8, max(counts)],
                    mode="lines",
                    line={"color": colour, "width": 2, "dash": "dot"},
                    name=f"{name} within {milliseconds(value)}",
                    hovertemplate=f"{name} within {milliseconds(value)}<extra></extra>",
                )
            )
    # Bars on a logarithmic axis cannot be given widths, so the axis holds logarithms and says what they mean.
    axis = decades("Latency, ms", edges[0], edges[-1])
    places = [math.log10(tick) for tick in axis["tickvals"]]
    return figure(
        traces,
        height=340,
        bargap=0,
        xaxis={
            "title": {"text": "Latency, ms"},
            "tickmode": "array",
            "tickvals": places,
            "ticktext": axis["ticktext"],
            "range": [min(logs[0], places[0]), max(logs[-1], places[-1])],
            "zeroline": False,
        },
        yaxis={**decades("Decisions", 1, max(counts)), "range": [-0.1, math.log10(max(counts)) + 0.1]},
    )


def waiting_chart(stream: Mapping[str, Any]) -> go.Figure:
    """Draw how many records waited in the source.

    >>> series = {"at": ["2025-01-01T00:00:00.000Z"], "lag": [3]}
    >>> waiting_chart({"series": series}).data[0].y
    (3,)
    """
    series = stream["series"]
    if all(value is None for value in series["lag"]):
        return empty("The source does not say how many records wait in it.")
    line = Line("Records that wait", series["lag"], GREEN, words="%{y:,}")
    return panels(
        series["at"], [("Records", [line])], title=TIME, height=170, **_times(series["at"])
    ).update_layout(showlegend=False)


def decades(title: str, low: float, high: float) -> dict[str, Any]:
    """Make an axis of powers of ten with numbers as people write them; where it is short, 2 and 5 as well.

    >>> decades("Latency, ms", 3, 40)["ticktext"]
    ['2', '5', '10', '20', '50']
    >>> decades("Rows", 1, 100_000)["ticktext"]
    ['1', '10', '100', '1,000', '10,000', '100,000']
    """
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    steps = (1, 2, 5) if last - first <= 2 else (1,)
    ticks = [step * 10.0**power for power in range(first, last + 1) for step in steps]
    below = [i for i, tick in enumerate(ticks) if tick <= low]
    above = [i for i, tick in enumerate(ticks) if tick >= high]
    ticks = ticks[below[-1] if below else 0 : (above[0] if above else len(ticks) - 1) + 1]
    return {
        "title": {"text": title},
        "type": "log",
        "tickmode": "array",
        "tickvals": ticks,
        "ticktext": [f"{tick:,.0f}" if tick >= 1 else f"{tick:g}" for tick in ticks],
        "range": [math.log10(min(ticks[0], low)), math.log10(max(ticks[-1], high))],
        "rangemode": "normal",
        "zeroline": False,
    }


def _each(seconds: int) -> str:
    return "a second" if seconds == 1 else spell_span(seconds)


def _times(at: Sequence[str]) -> dict[str, Any]:
    """Say what an axis of times looks like."""
    return {"type": "date", "nticks": 6, **({"range": [at[0], at[-1]]} if len(at) > 1 else {})}
