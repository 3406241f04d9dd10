"""Which column a misspelt name may mean: compared word by word, since names share their first words."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import SequenceMatcher

from tallystick.contracts.column import Column, fold

__all__ = ["nearest"]

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[^\W\d_A-Z]+|\d+")
# Words that end a name and mean the same in it.
_SAME = dict.fromkeys(("identifier", "reference", "ref", "number", "num", "no", "nr", "key", "uuid"), "id")
_SAME |= dict.fromkeys(("date", "datetime", "timestamp", "at", "on", "when"), "time")
# Two words are one misspelt from here on; two names that are not written in words, from here on.
_WORDS_ALIKE, _NAMES_ALIKE = 0.75, 0.88


def nearest(name: str, columns: Iterable[Column]) -> Column | None:
    """Return the column of which a name is nearly one of the spellings, None where there is none.

    >>> columns = [Column("key", "text", "Key", aliases=("transaction_id",)),
    ...            Column("currency", "category", "Currency", aliases=("transaction_currency",))]
    >>> nearest("TransactionReference", columns).name, nearest("trasaction currency", columns).name
    ('key', 'currency')
    >>> nearest("TransactionInformation", columns)
    """
    best, found = 0.0, None
    for column in columns:
        for spelling in (column.name, *column.aliases):
            alike = _alike(name, spelling)
            if alike > best:
                best, found = alike, column
    return found


def _alike(one: str, other: str) -> float:
    """Say how alike two names are, 0 where they are not near."""
    words, others = _words(one), _words(other)
    if len(words) == len(others):
        ratios = [_ratio(word, another) for word, another in zip(words, others, strict=True)]
        if ratios and min(ratios) >= _WORDS_ALIKE:
            return sum(ratios) / len(ratios)
        if len(words) > 1:
            return 0.0
    whole = _ratio(fold(one), fold(other))
    return whole if whole >= _NAMES_ALIKE else 0.0


def _words(name: str) -> list[str]:
    """Take a name apart: `TransactionReference` is transaction and id.

    Only the last word has synonyms, and only after another one: a date alone is no time of anything.
    """
    words = [word.casefold() for word in _WORD.findall(name)]
    return [*words[:-1], _SAME.get(words[-1], words[-1])] if len(words) > 1 else words


def _ratio(one: str, other: str) -> float:
    if one == other:
        return 1.0
    # A word of three letters has no misspelling that is not another word.
    return SequenceMatcher(None, one, other).ratio() if min(len(one), len(other)) > 3 else 0.0
