"""The condition language: a text about columns, parsed, checked and evaluated on arrays."""

from tallystick.conditions.condition import DERIVED, Condition
from tallystick.conditions.table import ConditionTable

__all__ = ["DERIVED", "Condition", "ConditionTable"]
