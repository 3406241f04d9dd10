"""One routing rule: which decisions it holds for, and where they go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tallystick.contracts.ranges import Range
from tallystick.rules.keyword_automaton import Clause
from tallystick.rules.routing_terms import Due

__all__ = ["ANY_WORDS", "PRIORITIES", "RoutingRule"]

PRIORITIES = ("low", "normal", "high", "urgent")
ANY_WORDS = Clause()


@dataclass(frozen=True, slots=True)
class RoutingRule:
    """When a decision is meant, and what becomes of it; `values` holds the columns with what they may say.

    In `values` None stands for a missing value; amount is in minor units, certainty a share.
    """

    name: str
    department: str
    priority: str
    due: Due | None
    values: Mapping[str, tuple[str | None, ...]] = field(default_factory=dict)
    words: Clause = ANY_WORDS
    amount: Range | None = None
    certainty: Range | None = None
