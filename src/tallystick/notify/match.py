"""Finding the decisions that rules ask for: array work, since most batches hold none."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tallystick.notify.rule import Rule

__all__ = ["BESIDE", "Matcher"]

#: How a reason that a rule beside the model gave is named.
BESIDE = "rule:"
ROUTE = ("department", "priority", "rule")
# What is cheap to look at, and seldom holds, first: most batches are done with after a column or two.
ORDER = ("action", "late", "score", "task", "label", "priority", "department", "rule", "reason")
FEW = 256  # rows up to which looking at each is quicker than finding the distinct ones
SHORT = 128  # reasons, likewise
REMEMBERED = 8192  # distinct values of a column whose answers are kept

Masks = NDArray[np.bool_]


class Matcher:
    """Rules as questions to columns.

    >>> rules = [Rule("refused", "desk", {"action": ("decline",)})]
    >>> batch = pa.RecordBatch.from_pydict({"action": ["accept", "decline"]})
    >>> Matcher(rules).hits(batch)
    [(1, 0)]
    """

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = tuple(rules)
        self._all = (1 << len(rules)) - 1
        self._questions: list[Callable[[pa.RecordBatch, list[int]], list[int]]] = []
        self._tables: list[Callable[[pa.RecordBatch, Masks], None]] = []
        for name in ORDER:
            if not (asked := _question(name, self._rules)):
                continue
            self._questions.append(asked.few)
            self._tables.append(asked.many)

    def hits(self, decisions: pa.RecordBatch) -> list[tuple[int, int]]:
        """Return (row, rule) for each rule that fits a row, by rows and then in the order of the rules."""
        rows = len(decisions)
        if not rows or not self._rules:
            return []
        if rows <= FEW:
            masks = [self._all] * rows
            for few in self._questions:
                masks = few(decisions, masks)
                if not any(masks):
                    return []
            return [
                (row, rule)
                for row, mask in enumerate(masks)
                if mask
                for rule in range(len(self._rules))
                if mask >> rule & 1
            ]
        fits = np.ones((rows, len(self._rules)), bool)
        for many in self._tables:
            many(decisions, fits)
            if not fits.any():
                return []
        found, rules = np.nonzero(fits)
        return list(zip(found.tolist(), rules.tolist(), strict=True))


class _Question:
    """What the rules ask of one column: bit i, or column i of a table, says whether rule i allows a row."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.count = len(rules)

    def few(self, decisions: pa.RecordBatch, masks: list[int]) -> list[int]:
        raise NotImplementedError

    def many(self, decisions: pa.RecordBatch, fits: Masks) -> None:
        raise NotImplementedError


def _question(name: str, rules: Sequence[Rule]) -> _Question | None:
    if name == "score":
        return _Score(rules) if any(rule.score for rule in rules) else None
    if name == "late":
        return _Late(rules) if any(rule.late is not None for rule in rules) else None
    if not any(name in rule.values for rule in rules):
        return None
    return _Reason(name, rules) if name == "reason" else _Text(name, rules)


class _Text(_Question):
    """A column of texts; each distinct value is answered once, capitals do not matter."""

    def __init__(self, name: str, rules: Sequence[Rule]) -> None:
        super().__init__(rules)
        self._name = name
        wanted = [rule.values.get(name) for rule in rules]
        self._wanted = [
            None if w is None else {None if v is None else v.casefold() for v in w} for w in wanted
        ]
        self._answers: dict[str | None, int] = {}

    def few(self, decisions: pa.RecordBatch, masks: list[int]) -> list[int]:
        column = _column(decisions, self._name)
        if column is None:
            answer = self._answer(None)
            return [mask & answer for mask in masks]
        kept = self._answers
        return [
            mask & (kept[value] if value in kept else self._answer(value))
            for mask, value in zip(masks, column.to_pylist(), strict=True)
        ]

    def many(self, decisions: pa.RecordBatch, fits: Masks) -> None:
        column = _column(decisions, self._name)
        if column is None:
            fits &= self._table([None])
            return
        coded = pc.dictionary_encode(column, null_encoding="encode")
        fits &= self._table(coded.dictionary.to_pylist())[coded.indices.to_numpy()]

    def _table(self, values: Sequence[str | None]) -> Masks:
        return _bits([self._answer(value) for value in values], self.count)

    def _answer(self, value: str | None) -> int:
        answer = self._answers.get(value)
        if answer is None:
            said = None if value is None else value.casefold()
            answer = sum(1 << i for i, w in enumerate(self._wanted) if w is None or said in w)
            if len(self._answers) >= REMEMBERED:
                self._answers.clear()
            self._answers[value] = answer
        return answer


class _Reason(_Text):
    """The names of the rules beside the model that gave a reason: one of them is enough."""

    def few(self, decisions: pa.RecordBatch, masks: list[int]) -> list[int]:
        none = self._answer(None)
        found = [mask & none for mask in masks]
        for row, names in _beside(decisions).items():
            found[row] = masks[row] & self._any(names)
        return found

    def many(self, decisions: pa.RecordBatch, fits: Masks) -> None:
        said = _beside(decisions)
        rows = list(said)
        kept = fits[rows]
        fits &= self._table([None])
        answers = [self._any(names) for names in said.values()]
        fits[rows] = kept & _bits(answers, self.count)

    def _any(self, names: Sequence[str]) -> int:
        together = 0
        for name in names:
            together |= self._answer(name)
        return together


class _Score(_Question):
    """The score; a missing one, or one that is no number, counts as -1."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        super().__init__(rules)
        self._low = np.array([rule.score.low if rule.score else -np.inf for rule in rules])
        self._high = np.array([rule.score.high if rule.score else np.inf for rule in rules])
        self._spans = [(1 << i, r.score.low, r.score.high) for i, r in enumerate(rules) if r.score]

    def few(self, decisions: pa.RecordBatch, masks: list[int]) -> list[int]:
        column = _column(decisions, "score")
        scores = [None] * len(masks) if column is None else column.to_pylist()
        found = []
        for mask, score in zip(masks, scores, strict=True):
            known = -1.0 if score is None or score != score else score
            for bit, low, high in self._spans:
                if not low <= known <= high:
                    mask &= ~bit
            found.append(mask)
        return found

    def many(self, decisions: pa.RecordBatch, fits: Masks) -> None:
        column = _column(decisions, "score")
        scores = np.full(1, -1.0)
        if column is not None:
            scores = column.fill_null(-1.0).to_numpy(zero_copy_only=False)
            scores = np.where(np.isnan(scores), -1.0, scores)
        fits &= (scores[:, None] >= self._low) & (scores[:, None] <= self._high)


class _Late(_Question):
    """Whether an event came late; what is not known did not."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        super().__init__(rules)
        self._bits = tuple(
            sum(1 << i for i, rule in enumerate(rules) if rule.late is None or rule.late is late)
            for late in (False, True)
        )

    def few(self, decisions: pa.RecordBatch, masks: list[int]) -> list[int]:
        column = _column(decisions, "late")
        late = [False] * len(masks) if column is None else column.to_pylist()
        return [mask & self._bits[bool(one)] for mask, one in zip(masks, late, strict=True)]

    def many(self, decisions: pa.RecordBatch, fits: Masks) -> None:
        column = _column(decisions, "late")
        table = _bits(self._bits, self.count)
        if column is None:
            fits &= table[:1]
        else:
            fits &= table[column.fill_null(False).to_numpy(zero_copy_only=False).astype(np.int8)]


def _bits(answers: Sequence[int], count: int) -> Masks:
    """Write answers as a table: bool (answers, count)."""
    return np.array([[answer >> i & 1 for i in range(count)] for answer in answers], bool).reshape(-1, count)


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
