"""Many conditions asked of a batch together: each column is looked at once, each distinct text once.

One row is as quick as a batch: up to `FEW` rows are looked at one by one, more by their distinct values. The
answers are those of `Condition.holds`, condition by condition.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tallystick.conditions.condition import Condition
from tallystick.conditions.keyword_automaton import Clause, Words
from tallystick.conditions.terms import Term, fold, folded_parts

__all__ = ["Column", "ConditionTable"]

FEW = 256  # rows up to which looking at each is quicker than finding the distinct ones
REMEMBERED = 8192  # distinct values of a column whose answers are kept

Masks = NDArray[np.bool_]
#: A column of a batch; None where there is none; for `has_any` also the values of the rows that have any.
Column: TypeAlias = "pa.Array | Mapping[int, Sequence[str]] | None"


class ConditionTable:
    """Conditions over the columns of a batch; None is a condition that always holds.

    order: columns that are cheap to look at and seldom match, first. At most one column is asked for words.

    >>> condition = Condition.parse("score >= .5 and is_any(place, ['Oslo', none])", ["score", "place"])
    >>> table = ConditionTable([condition, None])
    >>> columns = {"score": pa.array([0.9, 0.1, 0.7]), "place": pa.array(["OSLO", "Oslo", None])}
    >>> table.hits(columns.get, 3)
    [(0, 0), (0, 1), (1, 1), (2, 0), (2, 1)]
    >>> table.first(columns.get, 3).tolist()
    [0, 1, 0]
    """

    def __init__(self, conditions: Sequence[Condition | None], order: Sequence[str] = ()) -> None:
        self._count = len(conditions)
        self._all = (1 << self._count) - 1
        asked: dict[str, list[tuple[int, Term]]] = {}
        clauses: dict[str, list[Clause]] = {}
        self._rest: list[tuple[int, Condition]] = []
        for i, condition in enumerate(conditions):
            for term in condition.terms if condition else ():
                if term.kind != "words":
                    asked.setdefault(term.column, []).append((i, term))
                    continue
                of = clauses.setdefault(term.column, [Clause()] * self._count)
                of[i] = replace(
                    of[i],
                    any_of=of[i].any_of + term.clause.any_of,
                    all_of=of[i].all_of + term.clause.all_of,
                    none_of=of[i].none_of + term.clause.none_of,
                )
            if condition and not condition.terms_alone:
                self._rest.append((i, condition))
        if len(clauses) > 1:
            raise ValueError(f"words are looked for in one column, not in {', '.join(sorted(clauses))}")
        self.text = next(iter(clauses), None)
        self._words = Words(next(iter(clauses.values()))) if clauses else None
        rank = {name: i for i, name in enumerate(order)}
        columns = sorted(asked, key=lambda name: (rank.get(name, len(rank)), name))
        self._questions = [_question(name, asked[name], self._count) for name in columns]

    def hits(self, column: Callable[[str], Column], rows: int) -> list[tuple[int, int]]:
        """Return (row, condition) for each that holds, by rows and then in the order of the conditions."""
        if rows and rows <= FEW and self._words is None and not self._rest:
            masks = self._few(column, rows)
            return [
                (row, i)
                for row, mask in enumerate(masks)
                if mask
                for i in range(self._count)
                if mask >> i & 1
            ]
        found, conditions = np.nonzero(self.holds(column, rows))
        return list(zip(found.tolist(), conditions.tolist(), strict=True))

    def holds(self, column: Callable[[str], Column], rows: int) -> Masks:
        """Say which conditions hold of each row: bool (rows, conditions)."""
        fits = self._open(column, rows)
        if self._words is not None and fits.any():
            text = _flat(column(str(self.text)), rows)
            for i in range(self._count):
                alone = np.zeros(fits.shape, np.uint8)
                alone[:, i] = fits[:, i]
                fits[:, i] = self._words.first(text, alone) == i
        return fits

    def first(self, column: Callable[[str], Column], rows: int) -> NDArray[np.int32]:
        """Return the first condition that holds of each row, -1 for none: int32 (rows,).

        A text is read only where a condition that asks for its words is the first of the others to hold.
        """
        fits = self._open(column, rows)
        if self._words is not None:
            return self._words.first(_flat(column(str(self.text)), rows), fits.view(np.uint8))
        found: NDArray[np.int32] = fits.argmax(axis=1).astype(np.int32)
        found[~fits.any(axis=1)] = -1
        return found

    def _open(self, column: Callable[[str], Column], rows: int) -> Masks:
        """Say what holds, words aside."""
        if rows <= FEW:
            fits = _bits(self._few(column, rows), self._count)
        else:
            fits = np.ones((rows, self._count), bool)
            for question in self._questions:
                question.many(column(question.name), fits)
                if not fits.any():
                    return fits
        for i, condition in self._rest:
            values = {name: _numpy(column(name), rows) for name in condition.columns}
            fits[:, i] &= condition.holds(values)
        return fits

    def _few(self, column: Callable[[str], Column], rows: int) -> list[int]:
        masks = [self._all] * rows
        for question in self._questions:
            masks = question.few(column(question.name), masks)
            if not any(masks):
                break
        return masks


class _Question:
    """What the conditions ask of one column: bit i of an answer says whether condition i allows a value."""

    def __init__(self, name: str, terms: Sequence[tuple[int, Term]], count: int) -> None:
        self.name, self.count, self.terms = name, count, terms
        self.all = (1 << count) - 1

    def few(self, column: Column, masks: list[int]) -> list[int]:
        raise NotImplementedError

    def many(self, column: Column, fits: Masks) -> None:
        raise NotImplementedError


def _question(name: str, terms: Sequence[tuple[int, Term]], count: int) -> _Question:
    kinds = {term.kind for _, term in terms}
    if kinds <= {"is", "has"}:
        return _Texts(name, terms, count)
    if kinds <= {"number", "missing"}:
        return _Numbers(name, terms, count)
    if kinds == {"flag"}:
        return _Flags(name, terms, count)
    raise ValueError(f"{name} is asked for as {' and as '.join(sorted(kinds))}")


class _Texts(_Question):
    """A column of texts; each distinct value is answered once."""

    def __init__(self, name: str, terms: Sequence[tuple[int, Term]], count: int) -> None:
        super().__init__(name, terms, count)
        self._answers: dict[str | None, int] = {}

    def few(self, column: Column, masks: list[int]) -> list[int]:
        if isinstance(column, Mapping) or column is None:
            none = self._answer(None)
            found = [mask & none for mask in masks]
            for row, names in (column or {}).items():
                found[row] = masks[row] & self._any(names)
            return found
        kept = self._answers
        return [
            mask & (kept[value] if value in kept else self._answer(value))
            for mask, value in zip(masks, _texts(column).to_pylist(), strict=True)
        ]

    def many(self, column: Column, fits: Masks) -> None:
        if isinstance(column, Mapping) or column is None:
            rows = list(column or ())
            kept = fits[rows]
            fits &= _bits([self._answer(None)], self.count)
            fits[rows] = kept & _bits([self._any(names) for names in (column or {}).values()], self.count)
            return
        coded = pc.dictionary_encode(_texts(column), null_encoding="encode")
        answers = _bits([self._answer(value) for value in coded.dictionary.to_pylist()], self.count)
        fits &= answers[coded.indices.to_numpy()]

    def _any(self, names: Sequence[str]) -> int:
        together = 0
        for name in names:
            together |= self._answer(name)
        return together

    def _answer(self, value: str | None) -> int:
        answer = self._answers.get(value)
        if answer is None:
            whole, parts = fold(value), folded_parts(value)
            answer = self.all
            for i, term in self.terms:
                if whole not in term.values if term.kind == "is" else term.values.isdisjoint(parts):
                    answer &= ~(1 << i)
            if len(self._answers) >= REMEMBERED:
                self._answers.clear()
            self._answers[value] = answer
        return answer


class _Numbers(_Question):
    """A column of numbers; what is missing or no number lies in no range."""

    def __init__(self, name: str, terms: Sequence[tuple[int, Term]], count: int) -> None:
        super().__init__(name, terms, count)
        self._known = self._missing = self.all
        for i, term in terms:
            if term.kind == "missing":
                self._known &= ~(1 << i)
            else:
                self._missing &= ~(1 << i)
        self._spans = [(~(1 << i), t.low, t.high) for i, t in terms if t.kind == "number"]

    def few(self, column: Column, masks: list[int]) -> list[int]:
        found = []
        for mask, value in zip(masks, _flat(column, len(masks)).to_pylist(), strict=True):
            if value is None or value != value:
                found.append(mask & self._missing)
                continue
            mask &= self._known
            for others, low, high in self._spans:
                if not low <= value <= high:
                    mask &= others
            found.append(mask)
        return found

    def many(self, column: Column, fits: Masks) -> None:
        values = np.full(1, np.nan) if column is None else _numpy(column, len(fits))
        missing = np.isnan(values)
        for i, term in self.terms:
            fits[:, i] &= missing if term.kind == "missing" else (values >= term.low) & (values <= term.high)


class _Flags(_Question):
    """A column of flags; what is missing is not true."""

    def few(self, column: Column, masks: list[int]) -> list[int]:
        values = _flat(column, len(masks)).to_pylist()
        allowed = [self.all, self.all]
        for i, term in self.terms:
            allowed[not term.flag] &= ~(1 << i)
        return [mask & allowed[bool(value)] for mask, value in zip(masks, values, strict=True)]

    def many(self, column: Column, fits: Masks) -> None:
        values = np.zeros(1, bool)
        if column is not None:
            values = _flat(column, 0).fill_null(False).to_numpy(zero_copy_only=False)
        for i, term in self.terms:
            fits[:, i] &= values == term.flag


def _bits(answers: Sequence[int], count: int) -> Masks:
    """Write answers as a table: bool (answers, count)."""
    size = (count + 7) // 8
    packed = np.frombuffer(b"".join([answer.to_bytes(size, "little") for answer in answers]), np.uint8)
    if not size:
        return np.zeros((len(answers), 0), bool)
    return np.unpackbits(packed.reshape(-1, size), axis=1, count=count, bitorder="little").view(bool)


def _flat(column: Column, rows: int) -> pa.Array:
    if column is None:
        return pa.nulls(rows, pa.string())
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _texts(column: pa.Array) -> pa.Array:
    column = _flat(column, 0)
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    kind = column.type
    return column if pa.types.is_string(kind) or pa.types.is_large_string(kind) else column.cast(pa.string())


def _numpy(column: Column, rows: int) -> NDArray[Any]:
    """Return a column as conditions take it: numbers with NaN, texts with None."""
    array = _flat(column, rows)
    if pa.types.is_integer(array.type) and array.null_count:
        array = array.cast(pa.float64())
    values: NDArray[Any] = array.to_numpy(zero_copy_only=False)
    return values
