"""The report of `evaluate` on events as a page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tallystick.figures.page import page

__all__ = ["event_page"]


def event_page(
    evaluation: Mapping[str, Any],
    *,
    title: str = "Evaluation",
    records: str = "records",
    facts: Mapping[str, str] | None = None,
) -> str:
    """Make the page of `{"tasks": {TASK: report}}`, the JSON of *evaluate* on events."""
    return page(title, [], lead=records, facts=facts, data=evaluation)
