"""Routing rule: when it holds, and the department, priority and due time that it gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tallystick.conditions import Condition
from tallystick.conditions.build import ConditionBuilder
from tallystick.conditions.keyword_automaton import Clause
from tallystick.contracts.ranges import Range
from tallystick.rules.routing_terms import Due

__all__ = ["ANY_WORDS", "PRIORITIES", "RoutingRule"]

PRIORITIES = ("low", "normal", "high", "urgent")
ANY_WORDS = Clause()


@dataclass(frozen=True, slots=True)
class RoutingRule:
    """When a decision is meant, and what becomes of it; `values` holds the columns with what they may say.

    In `values` None stands for a missing value; several: columns that may hold several values; amount is in
    minor units, certainty a share.
    """

    name: str
    department: str
    priority: str
    due: Due | None
    values: Mapping[str, tuple[str | None, ...]] = field(default_factory=dict)
    words: Clause = ANY_WORDS
    amount: Range | None = None
    certainty: Range | None = None
    several: frozenset[str] = frozenset()

    def condition(self) -> Condition | None:
        """Return when the rule holds, None for always: of its columns, `words`, `amount` and `certainty`."""
        builder = ConditionBuilder()
        for name, values in self.values.items():
            builder.add_texts(name, values, several=name in self.several)
        for name, span in (("amount", self.amount), ("certainty", self.certainty)):
            if span is not None:
                builder.add_range(name, span)
        builder.add_words("words", "words", self.words.any_of)
        builder.add_words("all_words", "words", self.words.all_of)
        builder.add_words("no_words", "words", self.words.none_of)
        return builder.build()
