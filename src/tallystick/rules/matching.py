"""Pairs names of classes that differ in spelling: `credit_card` and "Credit card"."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

__all__ = ["paired"]

_STOP = frozenset(("a", "and", "for", "of", "or", "other", "the"))


def paired(classes: Iterable[str], names: Iterable[str]) -> Mapping[str, str]:
    """Return the one name that each class most likely means; classes of none, or of several, are left out.

    Names are compared by their words, in any order, without plurals: all are the same, or else all of one are
    among those of the other.

    >>> dict(paired(["credit_card", "mortgages", "card"], ["Credit card", "Mortgage", "Debit card"]))
    {'credit_card': 'Credit card', 'mortgages': 'Mortgage'}
    """
    words = {name: _words(name) for name in names}
    pairs: dict[str, str] = {}
    for one in classes:
        own = _words(one)
        same = [name for name, others in words.items() if others == own]
        found = same or [name for name, others in words.items() if others <= own or own <= others]
        if own and len(found) == 1:
            pairs[one] = found[0]
    return pairs


def _words(name: str) -> frozenset[str]:
    found = re.findall(r"[^\W_]+", name.casefold())
    return frozenset(re.sub(r"(?<=\w{3})(?<!s)s$", "", word) for word in found if word not in _STOP)
