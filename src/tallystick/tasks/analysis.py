"""An analysis: a table made of records by relational work, and how it is shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import narwhals as nw

from tallystick.config import Settings

__all__ = ["Analysis"]

Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Analysis:
    """What is asked of records: needed columns in, a table out, written once against Narwhals.

    name: as on the command line; title: a line for people, note: what to read from it; columns: of the
    contract, without which it is left out; windows: declared behaviour (as in a windows file) that joins the
    records as further columns; run: the relational work, money in major units; figure: rows to a Plotly
    figure.
    """

    name: str
    title: str
    columns: tuple[str, ...]
    run: Callable[[nw.LazyFrame[Any], Settings], nw.LazyFrame[Any]]
    note: str = ""
    windows: Mapping[str, Any] | None = None
    figure: Callable[[Rows], Any] | None = None
