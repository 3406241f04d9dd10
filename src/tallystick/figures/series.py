"""Several measures over one axis, each in a panel of its own: days, weeks, hours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import plotly.graph_objects as go

from tallystick.figures.theme import BLUE, empty, figure

__all__ = ["Line", "panels"]

GAP = 0.09  # of the height, between panels


class Line(NamedTuple):
    """One measure: its name, a value for each place on the axis, colour, kind (`line`, `bar`, `points`)."""

    name: str
    values: Sequence[float | None]
    colour: str = BLUE
    kind: str = "line"
    dash: str = "solid"
    words: str = "%{y:,.4~g}"


def panels(
    x: Sequence[Any],
    parts: Sequence[tuple[str, Sequence[Line]]],
    *,
    title: str,
    height: int = 210,
    **axis: Any,
) -> go.Figure:
    """Draw panels one below the other over the same `x`; each has the title of its axis and its lines.

    title: of the common axis; height: of one panel, in pixels; axis: more about the common axis.

    >>> drawn = panels(["2025-01-01"], [("Rows", [Line("All", [3])]), ("Share", [])], title="Day")
    >>> drawn.layout.yaxis.title.text, drawn.layout.yaxis2.title.text
    ('Rows', 'Share')
    """
    if not x or not parts:
        return empty(f"{title}: there is nothing to show.")
    count = len(parts)
    size = (1 - GAP * (count - 1)) / count
    traces: list[Any] = []
    axes: dict[str, Any] = {}
    for i, (name, lines) in enumerate(parts):
        suffix = "" if i == 0 else str(i + 1)
        top = 1 - i * (size + GAP)
        axes[f"yaxis{suffix}"] = {
            "title": {"text": name},
            "domain": [max(top - size, 0.0), top],
            "rangemode": "tozero",
            "nticks": 6,
            "tickformat": ".2~%" if any(line.words.endswith("%}") for line in lines) else ",",
        }
        traces += [_trace(x, line, f"y{suffix}") for line in lines]
    last = f"y{count}" if count > 1 else "y"
    return figure(
        traces,
        height=90 + height * count,
        barmode="overlay",
        bargap=0.1,
        hovermode="closest",
        xaxis={"title": {"text": title}, "anchor": last, **axis},
        **axes,
    )


def _trace(x: Sequence[Any], line: Line, axis: str) -> Any:
    words = f"%{{x}}<br>{line.name}: {line.words}<extra></extra>"
    common = {"x": list(x), "y": list(line.values), "name": line.name, "yaxis": axis, "hovertemplate": words}
    if line.kind == "bar":
        return go.Bar(**common, marker={"color": line.colour, "opacity": 0.7})
    if line.kind == "points":
        return go.Scatter(**common, mode="markers", marker={"color": line.colour, "size": 6, "opacity": 0.85})
    mode = "lines+markers" if len(x) <= 40 else "lines"
    style = {"color": line.colour, "width": 1.8, "dash": line.dash}
    return go.Scatter(**common, mode=mode, line=style, marker={"size": 5}, connectgaps=False)
