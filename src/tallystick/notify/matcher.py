"""Matching of decisions with notification rules."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from tallystick.conditions.table import Column, ConditionTable
from tallystick.notify.rule import NotifyRule

__all__ = ["RULE_PREFIX", "Matcher"]

#: Prefix of the feature name of a reason from a rule of `--rules`.
RULE_PREFIX = "rule:"
ROUTE = ("department", "priority", "rule")
# Cheap, selective columns first: most batches need one or two.
ORDER = ("action", "late", "score", "task", "label", "priority", "department", "rule", "reason")
MAX_LOOP = 128  # number of reasons up to which a loop is faster than array operations


class Matcher:
    """Matches batches of decisions with notification rules.

    >>> rules = [NotifyRule("refused", "desk", {"action": ("decline",)})]
    >>> batch = pa.RecordBatch.from_pydict({"action": ["accept", "decline"]})
    >>> Matcher(rules).hits(batch)
    [(1, 0)]
    """

    def __init__(self, rules: Sequence[NotifyRule]) -> None:
        self._table = ConditionTable([rule.condition() for rule in rules], ORDER)

    def hits(self, decisions: pa.RecordBatch) -> list[tuple[int, int]]:
        """Return (row, rule) for each match, by row and then in the order of the rules."""

        def column(name: str) -> Column:
            return _rule_reasons(decisions) if name == "reason" else _column(decisions, name)

        return self._table.hits(column, len(decisions))


def _rule_reasons(decisions: pa.RecordBatch) -> dict[int, list[str]]:
    """Return the names of the rules of `--rules` that gave a reason, by row."""
    reasons = _column(decisions, "reasons")
    features = None if reasons is None else reasons.flatten().field("feature")
    if not features:
        return {}
    if len(features) <= MAX_LOOP and not any(f and f.startswith(RULE_PREFIX) for f in features.to_pylist()):
        return {}
    is_rule = pc.fill_null(pc.starts_with(features, RULE_PREFIX), False)
    if not is_rule.true_count:
        return {}
    rows = pc.list_parent_indices(reasons).filter(is_rule).to_pylist()
    names: dict[int, list[str]] = {}
    for row, feature in zip(rows, features.filter(is_rule).to_pylist(), strict=True):
        names.setdefault(row, []).append(feature.removeprefix(RULE_PREFIX))
    return names


def _column(decisions: pa.RecordBatch, name: str) -> pa.Array | None:
    """Return a column of decisions, or a part of their route; None if absent."""
    index = decisions.schema.get_field_index("route" if name in ROUTE else name)
    if index < 0:
        return None
    column = decisions.column(index)
    if name not in ROUTE:
        return column
    return column.flatten()[column.type.get_field_index(name)] if column.null_count else column.field(name)
