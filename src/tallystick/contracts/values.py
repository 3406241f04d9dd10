"""Checks of distinct values: flags, allowed values, patterns and spellings of a missing value."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tallystick.contracts.column import Column
from tallystick.contracts.currencies import DIGITS
from tallystick.contracts.numbers import FLAGS
from tallystick.contracts.reasons import CODE

__all__ = ["ValueParser", "each", "value_parser"]

Verdict = tuple[Any, int]
ValueParser = Callable[[str], Verdict]

#: Below this many rows a dictionary costs more than it saves; the values are the same either way.
FEW: Final = 48
#: A memo of this many values is emptied: categories repeat, free text does not.
MEMO: Final = 20_000


@lru_cache(maxsize=512)
def value_parser(column: Column, currency: bool = False) -> ValueParser:
    """Return what turns one trimmed text of `column` into its value and the number of a reason, with a memo.

    currency: the column holds the currency of an amount.

    >>> value_parser(Column("timely", "flag", "Was the answer in time"))("YES")
    (True, 0)
    """
    missing = {spelling.casefold() for spelling in column.nulls}
    allowed = None if column.allowed is None else {value.casefold(): value for value in column.allowed}
    pattern = None if column.pattern is None else re.compile(column.pattern)

    def parse(text: str) -> Verdict:
        folded = text.casefold()
        if folded in missing:
            return None, 0
        if currency:
            text = text.upper() if text.isascii() else text  # other scripts have letters whose capital is S
            return (text, 0) if text in DIGITS else (None, CODE["unknown_currency"])
        if column.type == "flag":
            return (FLAGS[folded], 0) if folded in FLAGS else (None, CODE["not_a_flag"])
        if allowed is not None:
            text = allowed.get(" ".join(folded.split()), "")
            if not text:
                return None, CODE["not_allowed"]
        if pattern is not None and not pattern.fullmatch(text):
            return None, CODE["pattern"]
        return text, 0

    memo: dict[str, Verdict] = {}

    def remembered(text: str) -> Verdict:
        verdict = memo.get(text)
        if verdict is None:
            if len(memo) >= MEMO:
                memo.clear()
            verdict = memo[text] = parse(text)
        return verdict

    return remembered


def each(
    array: pa.Array, parse: ValueParser, kind: pa.DataType
) -> tuple[pa.Array, npt.NDArray[np.int8] | None]:
    """Parse every value of a trimmed string array; return the clean array, and the reasons or None."""
    few = len(array) < FEW
    coded = None if few else array.dictionary_encode()
    distinct = (array if coded is None else coded.dictionary).to_pylist()
    verdicts = [(None, 0) if value is None else parse(value) for value in distinct]
    values = [value for value, _ in verdicts]
    reasons = [reason for _, reason in verdicts]
    if values != distinct or kind != array.type:
        clean = pa.array(values, kind)
        array = clean if coded is None else clean.take(coded.indices)
    if not any(reasons):
        return array, None
    found = np.array(reasons, np.int8)
    if coded is not None:
        indices = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        found = np.append(found, np.int8(0))[indices]  # a null's -1 is the one at the end
    return array, found
