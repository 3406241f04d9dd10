"""How often something happens by hour, by band, by name: counts as bars, the share beside or below them."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from tallystick.figures.theme import BLUE, GREY, VERMILION, empty, figure, label, named
from tallystick.report.formatting import rare

__all__ = ["ranked", "rates", "scatter"]

Rows = Sequence[Mapping[str, Any]]
COLOURS = (BLUE, VERMILION, "#009e73", GREY, "#a5843d")
MARKS = ("circle", "diamond", "square", "triangle-up", "cross")


def rates(
    rows: Rows,
    by: str,
    *,
    title: str,
    share: str,
    of: str,
    hits: str,
    group: str | None = None,
    words: str = "",
) -> go.Figure:
    """Draw the `share` of each row of `rows`, in their order, and below it how many (`of`) stand behind it.

    by: the key that names a row, title: of its axis; hits: the key of what is counted; group: a key that
    splits the rows where it has several values; words: the title of the share's axis.

    >>> row = {"hour": 3, "calls": 200, "sales": 4, "sale_share": 0.02}
    >>> names = {"title": "Hour", "share": "sale_share", "of": "calls", "hits": "sales"}
    >>> rates([row], "hour", **names).data[0].y
    (0.02,)
    """
    if not rows:
        return empty(f"{title}: there is nothing to show.")
    kinds = _kinds(rows, group)
    places = list(dict.fromkeys(str(row[by]) for row in rows))
    traces = []
    for i, kind in enumerate(kinds):
        mine = [row for row in rows if group is None or row[group] == kind]
        hover = [
            f"{html.escape(str(row[by]))}{_with(kind, kinds)}<br>"
            f"{row[hits]:,} {hits} of {row[of]:,} {of} ({rare(row[share])})"
            for row in mine
        ]
        common = {
            "x": [places.index(str(row[by])) for row in mine],
            "customdata": hover,
            "hovertemplate": "%{customdata}<extra></extra>",
            "showlegend": len(kinds) > 1,
            "legendgroup": str(kind),
        }
        colour = COLOURS[i % len(COLOURS)]
        traces += [
            go.Bar(
                y=[row[share] for row in mine],
                name=str(kind),
                marker={"color": VERMILION if len(kinds) == 1 else colour, "opacity": 0.85},
                **common,
            ),
            go.Bar(
                y=[row[of] for row in mine],
                name=str(kind),
                marker={"color": GREY if len(kinds) == 1 else colour, "opacity": 0.55},
                yaxis="y2",
                **{**common, "showlegend": False},
            ),
        ]
    return figure(
        traces,
        height=420,
        bargap=0.25,
        xaxis={**named(places, width=10, lines=2), "title": {"text": title}, "anchor": "y2"},
        yaxis={
            "title": {"text": words or "Share"},
            "domain": [0.42, 1],
            "tickformat": ".2~%",
            "rangemode": "tozero",
        },
        yaxis2={
            "title": {"text": of.capitalize()},
            "domain": [0, 0.3],
            "rangemode": "tozero",
            "nticks": 4,
            "tickformat": ",d",
        },
    )


def ranked(
    rows: Rows,
    by: str,
    value: str,
    *,
    title: str,
    words: str,
    says: Sequence[tuple[str, str]] = (),
    beside: str | None = None,
    most: int = 25,
) -> go.Figure:
    """Draw the first `most` rows as bars lying down, in their order; `says` stands at the end of each.

    by and value: keys of name and length; title and words: of their axes; says: pairs of a key and what
    stands behind its value (keys that begin or end with `share` are shares); beside: the key of a value to
    compare with, drawn as a stroke.

    >>> row = {"branch": "B1", "sales": 4, "sale_share": 0.5}
    >>> says = [("sale_share", "")]
    >>> ranked([row], "branch", "sales", title="Branch", words="Sales", says=says).data[0].text
    ('50.0\\xa0%',)
    """
    if not rows:
        return empty(f"{title}: there is nothing to show.")
    shown = rows[:most]
    names = [str(row[by]) for row in shown]
    text = [
        ", ".join(
            f"{_said(key, row[key])} {_one(what) if row[key] == 1 else what}".strip() for key, what in says
        )
        for row in shown
    ]
    traces = [
        go.Bar(
            x=[row[value] for row in shown],
            y=list(range(len(shown))),
            orientation="h",
            name=words,
            marker={"color": BLUE, "opacity": 0.85},
            text=text,
            textposition="outside",
            cliponaxis=False,
            customdata=[
                f"{html.escape(name)}: {_said(value, row[value])} {html.escape(more)}"
                for name, row, more in zip(names, shown, text, strict=True)
            ],
            hovertemplate="%{customdata}<extra></extra>",
            showlegend=beside is not None,
        )
    ]
    if beside is not None:
        traces.append(
            go.Scatter(
                x=[row[beside] for row in shown],
                y=list(range(len(shown))),
                mode="markers",
                name=beside.replace("_", " ").capitalize(),
                marker={"symbol": "line-ns", "size": 14, "line": {"width": 2.5, "color": VERMILION}},
                hovertemplate=f"{beside.replace('_', ' ')} %{{x:,.3~g}}<extra></extra>",
            )
        )
    longest = max(map(len, text), default=0)
    return figure(
        traces,
        height=110 + 28 * len(shown),
        bargap=0.35,
        margin={"t": 40 if beside else 16, "r": 20 + 7 * longest},
        xaxis={"title": {"text": words}, "rangemode": "tozero", "tickformat": ","},
        yaxis=named(names, title={"text": title}, range=[len(shown) - 0.5, -0.5], width=30, lines=1),
    )


def scatter(
    rows: Rows,
    x: str,
    y: str,
    *,
    title: str,
    words: str,
    kind: str,
    says: Sequence[str] = (),
    size: str | None = None,
) -> go.Figure:
    """Draw a point for each row, marked by what `kind` says; `says` are keys that are read on hover.

    title and words: of the axes; size: a key whose larger values are drawn larger.

    >>> row = {"time": "2025-01-01T10:00:00", "calls": 7, "reason": "many"}
    >>> scatter([row], "time", "calls", title="Time", words="Calls", kind="reason").data[0].name
    'many'
    """
    if not rows:
        return empty(f"{title}: there is nothing to show.")
    traces = []
    for i, value in enumerate(sorted({str(row[kind]) for row in rows})):
        mine = [row for row in rows if str(row[kind]) == value]
        traces.append(
            go.Scatter(
                x=[row[x] for row in mine],
                y=[row[y] for row in mine],
                mode="markers",
                name=label(value, 40, 1),
                marker={
                    "color": COLOURS[i % len(COLOURS)],
                    "symbol": MARKS[i % len(MARKS)],
                    "size": [_size(row[size] if size else None) for row in mine],
                    "opacity": 0.8,
                    "line": {"width": 0},
                },
                customdata=["<br>".join(html.escape(str(row[key])) for key in says) for row in mine],
                hovertemplate="%{x}<br>%{customdata}<extra></extra>",
            )
        )
    return figure(
        traces,
        height=420,
        xaxis={"title": {"text": title}},
        yaxis={"title": {"text": words}, "rangemode": "tozero", "tickformat": ","},
    )


def _size(value: float | None) -> float:
    """Let the area grow with the value, from 7 to 26 pixels across."""
    return 7.0 if value is None else min(7.0 + max(value, 0.0) ** 0.5, 26.0)


def _kinds(rows: Rows, group: str | None) -> list[Any]:
    return list(dict.fromkeys(row[group] for row in rows)) if group is not None else [None]


def _with(kind: Any, kinds: list[Any]) -> str:
    return f", {html.escape(str(kind))}" if len(kinds) > 1 else ""


def _one(words: str) -> str:
    return words.removesuffix("s")


def _said(key: str, value: Any) -> str:
    if value is None:
        return "–"
    if key.startswith("share") or key.endswith("share"):
        return rare(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:,.1f}"
