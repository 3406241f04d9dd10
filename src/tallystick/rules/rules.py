"""Rules beside a model: conditions on a record and its window features, each with an action and a reason.

The file gives the order, and **the first rule that holds decides**. Actions are those of the task's policy,
the harmless one first, each later one stricter:

- a rule with the harmless action (an allow list) goes before the model, whatever the model says;
- any other raises the model's action to its own and never lowers it; where no rule holds, the model alone
  decides.

So exceptions come first in the file, and of two rules that may hold together the stricter. `rules_file.py`
reads the file and describes its form.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tallystick.errors import UsageError
from tallystick.rules import rules_file
from tallystick.rules.rule import Rule

__all__ = ["Applied", "Rules", "combine"]

HINT = "Rules are read for the columns and features of one model; load them for the one that is used."

Values = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Applied:
    """What the rules said of rows.

    first: int64 (rows,), the deciding rule or -1; hits: bool (rows, rules), every rule that holds; action:
    int64 (rows,), the code of the deciding rule's action or -1.
    """

    first: NDArray[np.int64]
    hits: NDArray[np.bool_]
    action: NDArray[np.int64]


@dataclass(frozen=True)
class Rules:
    """Rules in their order.

    lists: those that conditions ask for, by name; order: the actions of the task's policy, the harmless one
    first, each later one stricter; an action's code is its place among them.

    >>> rules = Rules.load('''
    ... rules:
    ...   - name: burst
    ...     when: customer_id__count__5m >= 8
    ...     action: review
    ...     reason: "{customer_id__count__5m:.0f} records in 5 minutes"
    ... ''', known=["customer_id__count__5m"], actions=["accept", "review", "decline"])
    >>> values = {"customer_id__count__5m": np.array([2.0, 11.0])}
    >>> applied = rules.apply(values)
    >>> applied.first.tolist(), rules.rules[0].say(values, 1)
    ([-1, 0], '11 records in 5 minutes')
    >>> combine(np.array([2, 0]), applied).tolist()
    [2, 1]
    """

    rules: tuple[Rule, ...]
    lists: Mapping[str, tuple[str, ...]]
    order: tuple[str, ...]
    notes: tuple[str, ...] = ()

    @classmethod
    def load(cls, source: str | Path, known: Collection[str], actions: Sequence[str]) -> Rules:
        """Read a rules file, or its text (more than one line); a UsageError names each line that is wrong.

        known: the columns, derived names and features there are; as a mapping to their kinds ("number",
        "text", "flag") the kinds are checked too. actions: what a rule may do, in the order of the task's
        policy, the harmless one first.
        """
        content = rules_file.read(source, known, actions)
        return cls(content.rules, content.lists, tuple(actions), content.notes)

    @cached_property
    def needs(self) -> frozenset[str]:
        """The names that conditions and reasons look at."""
        return frozenset(self._looked_at) | self._told

    @property
    def names(self) -> tuple[str, ...]:
        """The rules by name, in their order."""
        return tuple(rule.name for rule in self.rules)

    @property
    def actions(self) -> tuple[str, ...]:
        """What each rule does, in their order."""
        return tuple(rule.action for rule in self.rules)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the content with the values of its lists; comments and layout do not count."""
        content = {
            "lists": {name: sorted(set(values)) for name, values in self.lists.items()},
            "rules": [[r.name, " ".join(r.when.text.split()), r.action, r.reason.text] for r in self.rules],
        }
        text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def apply(self, values: Values) -> Applied:
        """Say which rules hold of each row, and which of them decides.

        values: an array (rows,) for each name in `needs`, as conditions take them.
        """
        try:  # each is asked for once: looking a text up may cost more than the conditions do
            asked = {name: values[name] for name in self._looked_at}
        except KeyError as error:
            raise UsageError(f"The rules look at {error.args[0]}, which is not there.", HINT) from None
        held = [rule.when.holds(asked) for rule in self.rules]
        if len(held[0]) == 1:  # a row by itself, ten times as quick as with arrays
            flags = [bool(each[0]) for each in held]
            place = flags.index(True) if True in flags else -1
            return Applied(np.array([place]), np.array([flags]), self._codes[place : place + 1 or None])
        hits = np.column_stack(held)
        first = np.full(len(hits), -1, np.int64)
        for i in range(len(held) - 1, -1, -1):
            first[held[i]] = i
        return Applied(first, hits, self._codes[first])

    def say(self, values: Values, applied: Applied) -> dict[int, str]:
        """Return the reason of each row that a rule decides, by row; each column is asked for once."""
        decided = np.flatnonzero(applied.first >= 0).tolist()
        if not decided:
            return {}
        asked = {name: values[name] for name in self._told.intersection(values)}
        return {row: self.rules[applied.first[row]].say(asked, row) for row in decided}

    @cached_property
    def _told(self) -> frozenset[str]:
        return frozenset[str]().union(*(rule.reason.columns for rule in self.rules))

    @cached_property
    def _looked_at(self) -> tuple[str, ...]:
        return tuple(sorted({name for rule in self.rules for name in rule.when.columns}))

    @cached_property
    def _codes(self) -> NDArray[np.int64]:
        """The action of each rule; last, where -1 finds it, that of none."""
        return np.array([*(self.order.index(action) for action in self.actions), -1], np.int64)


def combine(action: NDArray[np.int64], applied: Applied) -> NDArray[np.int64]:
    """Join the model's actions and the rules', as codes in the policy's order, int64 (rows,).

    A rule with the harmless action (code 0) wins over the model; any other raises the model's action and
    never lowers it.
    """
    joined: NDArray[np.int64] = np.where(applied.action == 0, 0, np.maximum(action, applied.action))
    return joined
