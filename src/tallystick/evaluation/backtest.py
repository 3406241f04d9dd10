"""Rules on past records: what each would have caught alone, and what it adds to the model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tallystick.errors import DataError

__all__ = ["ALL_RULES", "BOTH", "MODEL", "backtest"]

ALL_RULES, MODEL, BOTH = "all rules", "model", "rules and model"
ACCEPT = "accept"

Flags = NDArray[np.bool_]


def backtest(
    hits: ArrayLike,
    truth: ArrayLike,
    flagged: ArrayLike,
    amount: ArrayLike | None = None,
    *,
    names: Sequence[str] | None = None,
    actions: Sequence[str] | None = None,
) -> list[dict[str, Any]]:
    """Measure what rules caught: one entry for each rule, then for all rules, the model, and rules and model.

    hits: bool (rows, rules), where each rule holds, in the order in which they decide; truth: (rows,), 1 or
    true for an event, NaN where it is not known; flagged: bool (rows,), what the model alone reviews or
    declines; amount: (rows,) in major units; names and actions: of the rules, as they stand in their file. A
    rule whose action is `accept` flags nothing: it takes flags from the model and from the rules behind it.

    Each entry has: rule, action; hits (records that the rule holds of, or that are flagged), decides (of
    those, where no rule before it holds), events (`frauds`) and unknown among the hits; precision (events
    among hits whose truth is known), recall (of all events), amount (of the events among the hits); and
    against the model alone adds_hits, adds_frauds, adds_amount: flags with it less those without, so of an
    `accept` rule none is above 0 (but for refunds). Unknown is None. DataError where lengths differ.

    >>> entries = backtest([[1], [1], [0], [0]], [1, 0, 1, 0], flagged=[0, 0, 1, 1], names=["burst"])
    >>> for entry in entries:
    ...     print(entry["rule"], entry["hits"], entry["precision"], entry["recall"], entry["adds_frauds"])
    burst 2 0.5 0.5 1
    all rules 2 0.5 0.5 1
    model 2 0.5 0.5 0
    rules and model 4 0.5 1.0 1
    """
    held = np.asarray(hits, np.bool_)
    known = np.asarray(truth, np.float64)
    model = np.asarray(flagged, np.bool_)
    money = None if amount is None else np.asarray(amount, np.float64)
    rows = len(known)
    if held.ndim != 2 or any(len(each) != rows for each in (held, model, money) if each is not None):
        raise DataError(
            "Hits, truth, flags and amounts must be of the same records.", "Give one value a row."
        )
    rules = held.shape[1]
    names = [f"rule {i + 1}" for i in range(rules)] if names is None else names
    actions = ["review"] * rules if actions is None else actions
    if len(names) != rules or len(actions) != rules:
        raise DataError(f"There are {rules} rules, {len(names)} names and {len(actions)} actions.")

    first = np.where(held.any(axis=1), held.argmax(axis=1) if rules else 0, rules)
    accepting = np.array([*(action == ACCEPT for action in actions), False])
    raising = np.array([*(action != ACCEPT for action in actions), False])
    event = known == 1
    measure = _Measure(event, np.isnan(known), model, money)
    entries = []
    for i, (name, action) in enumerate(zip(names, actions, strict=True)):
        hit = held[:, i]
        together = model & ~hit if action == ACCEPT else model | hit
        entries.append(measure.entry(name, action, hit, int((first == i).sum()), together))
    joined = (model & ~accepting[first]) | raising[first]
    entries.append(measure.entry(ALL_RULES, None, raising[first], int(raising[first].sum()), joined))
    entries.append(measure.entry(MODEL, None, model, None, model))
    entries.append(measure.entry(BOTH, None, joined, None, joined))
    return entries


class _Measure:
    """Counts what is flagged against what was true."""

    def __init__(self, event: Flags, unknown: Flags, model: Flags, money: NDArray[np.float64] | None) -> None:
        self.event, self.unknown, self.model, self.money = event, unknown, model, money
        self.events = int(event.sum())

    def entry(
        self, rule: str, action: str | None, hit: Flags, decides: int | None, together: Flags
    ) -> dict[str, Any]:
        hits, events, unknown = int(hit.sum()), int((hit & self.event).sum()), int((hit & self.unknown).sum())
        before, after = self.amount(self.model), self.amount(together)
        return {
            "rule": rule,
            "action": action,
            "hits": hits,
            "decides": decides,
            "frauds": events,
            "unknown": unknown,
            "precision": events / (hits - unknown) if hits > unknown else None,
            "recall": events / self.events if self.events else None,
            "amount": self.amount(hit),
            "adds_hits": int(together.sum()) - int(self.model.sum()),
            "adds_frauds": int((together & self.event).sum()) - int((self.model & self.event).sum()),
            "adds_amount": None if before is None or after is None else round(after - before, 6),
        }

    def amount(self, flagged: Flags) -> float | None:
        """Sum the amounts of the events among what is flagged; an unknown amount counts as 0."""
        if self.money is None:
            return None
        return round(float(np.nansum(self.money[flagged & self.event])), 6)
