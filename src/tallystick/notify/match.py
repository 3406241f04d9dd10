"""Decisions that notification rules ask for: most batches hold none, and are done with after a column."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from tallystick.conditions.table import Column, ConditionTable
from tallystick.notify.rule import Rule

__all__ = ["BESIDE", "Matcher"]

#: How a reason that a rule beside the model gave is named.
BESIDE = "rule:"
ROUTE = ("department", "priority", "rule")
# What is cheap to look at, and seldom holds, first: most batches are done with after a column or two.
ORDER = ("action", "late", "score", "task", "label", "priority", "department", "rule", "reason")
SHORT = 128  # reasons up to which looking at each is quicker than asking for all together


class Matcher:
    """Notification rules, asked of batches of decisions.

    >>> rules = [Rule("refused", "desk", {"action": ("decline",)})]
    >>> batch = pa.RecordBatch.from_pydict({"action": ["accept", "decline"]})
    >>> Matcher(rules).hits(batch)
    [(1, 0)]
    """

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._table = ConditionTable([rule.condition() for rule in rules], ORDER)

    def hits(self, decisions: pa.RecordBatch) -> list[tuple[int, int]]:
        """Return (row, rule) for each rule that fits a row, by rows and then in the order of the rules."""

        def column(name: str) -> Column:
            return _beside(decisions) if name == "reason" else _column(decisions, name)

        return self._table.hits(column, len(decisions))


def _beside(decisions: pa.RecordBatch) -> dict[int, list[str]]:
    """Return the names of the rules beside the model that gave a reason, by row, where there are any."""
    reasons = _column(decisions, "reasons")
    features = None if reasons is None else reasons.flatten().field("feature")
    if not features:
        return {}
    if len(features) <= SHORT and not any(f and f.startswith(BESIDE) for f in features.to_pylist()):
        return {}
    beside = pc.fill_null(pc.starts_with(features, BESIDE), False)
    if not beside.true_count:
        return {}
    rows = pc.list_parent_indices(reasons).filter(beside).to_pylist()
    said: dict[int, list[str]] = {}
    for row, feature in zip(rows, features.filter(beside).to_pylist(), strict=True):
        said.setdefault(row, []).append(feature.removeprefix(BESIDE))
    return said


def _column(decisions: pa.RecordBatch, name: str) -> pa.Array | None:
    """Return a column of decisions, or a part of their route; None where there is none."""
    place = decisions.schema.get_field_index("route" if name in ROUTE else name)
    if place < 0:
        return None
    column = decisions.column(place)
    if name not in ROUTE:
        return column
    return column.flatten()[column.type.get_field_index(name)] if column.null_count else column.field(name)
