"""Notification rule: which decisions are sent, over which channel, and how often at most."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tallystick.conditions import Condition
from tallystick.conditions.build import ConditionBuilder
from tallystick.contracts.ranges import Range
from tallystick.notify.terms import Limit

__all__ = ["COLUMNS", "Rule"]

#: What a rule may ask for by its value; `reason` is the name of a rule beside the model.
COLUMNS = ("task", "label", "action", "department", "priority", "rule", "reason")


@dataclass(frozen=True, slots=True)
class Rule:
    """When a decision is told, and where; all that is asked for must hold.

    values: columns with what they may say, None for a missing value; group: microseconds in which at most
    one message goes out, 0 for none; line: of the file, for errors.
    """

    name: str
    channel: str
    values: Mapping[str, tuple[str | None, ...]] = field(default_factory=dict)
    score: Range | None = None
    late: bool | None = None
    group: int = 0
    limit: Limit | None = None
    line: int = field(default=0, compare=False)

    def condition(self) -> Condition | None:
        """Return when the rule holds, None for always: of `COLUMNS`, `score` and `late`."""
        builder = ConditionBuilder()
        for name, values in self.values.items():
            builder.add_texts(name, values)
        if self.score is not None:
            builder.add_range("score", self.score)
        if self.late is not None:
            builder.add_flag("late", self.late)
        return builder.build()
