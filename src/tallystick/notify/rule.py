"""Notification rule: which decisions are sent, over which channel, and how often at most."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tallystick.conditions import Condition
from tallystick.conditions.build import ConditionBuilder
from tallystick.contracts.ranges import Range
from tallystick.notify.limits import Limit

__all__ = ["COLUMNS", "NotifyRule"]

#: Columns that a rule may compare; `reason` is the name of a rule of `--rules`.
COLUMNS = ("task", "label", "action", "department", "priority", "rule", "reason")


@dataclass(frozen=True, slots=True)
class NotifyRule:
    """Sends decisions that meet all its conditions over a channel.

    values: columns with the accepted values, None for a missing value; group: microseconds in which at most
    one message is sent, 0 for none; line: of the file, for errors.
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
        """Return the condition on `COLUMNS`, `score` and `late`; None for always."""
        builder = ConditionBuilder()
        for name, values in self.values.items():
            builder.add_texts(name, values)
        if self.score is not None:
            builder.add_range("score", self.score)
        if self.late is not None:
            builder.add_flag("late", self.late)
        return builder.build()
