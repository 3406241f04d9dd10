"""A track of a plan: the windows, accumulators and outputs of one list of buckets."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from tallystick.windows import layout as at

__all__ = ["MONEY", "Track"]

#: Accumulators of money, which is kept by currency.
MONEY: Final = (at.COUNT_KNOWN, at.SUM, at.SQUARES)
_SIZE: Final = {at.SUM: 2, at.SQUARES: 3, at.NUMBER_SPREAD: 3}
_COMMON: Final = (at.COUNT, at.COUNT_NUMBER)


@dataclass
class Track:
    """What a track keeps, gathered while a plan is made: windows, accumulators, outputs."""

    exact: bool
    tile: int
    lag: int
    current: bool
    cap: int
    sketch: int = 0
    hashed: int = 0
    gate: int = 0
    is_input: bool = False
    windows: dict[int, list[list[Any]]] = field(default_factory=dict)
    accs: dict[tuple[int, int, int], int] = field(default_factory=dict)

    def acc(self, kind: int, condition: int, column: int = 0) -> tuple[int, int, int]:
        """Note that an accumulator is needed; its word is known once all are."""
        self.gate |= 1 << condition
        self.accs[kind, condition, column] = -1
        return kind, condition, column

    def place(self) -> tuple[int, int, int]:
        """Give each accumulator its word: counts of events, then money, which is kept by currency, then
        others.

        Returns the common words, all additive words, all words.
        """
        words, ends = 0, []
        for part in (_COMMON, MONEY, range(at.LEAST, at.NUMBER_MOST + 1)):
            for key in sorted(self.accs, key=lambda key: (key[1:], key[0])):  # of a column's, count then sum
                if key[0] in part:
                    self.accs[key] = words
                    words += _SIZE.get(key[0], 1)
            ends.append(words)
        return ends[0], ends[1], ends[2]

    def rows(self) -> list[list[int]]:
        """Return the accumulators as the kernel has them: a count and the sum after it in one step."""
        found = []
        for (kind, *rest), word in self.accs.items():
            if kind == at.COUNT_KNOWN and (at.SUM, *rest) in self.accs:
                found.append([at.KNOWN_SUM, *rest, word])
            elif kind != at.SUM or (at.COUNT_KNOWN, *rest) not in self.accs:
                found.append([kind, *rest, word])
        return found

    def shape(self) -> int:
        """Say which way of the kernel takes it."""
        kinds = sorted(kind for kind, _, _ in self.accs)
        outs = {out[0] for outs in self.windows.values() for out in outs}
        if self.exact or self.sketch or len(self.windows) != 1:
            return at.S_OTHER
        if set(kinds) == {at.COUNT} and len(kinds) <= 2 and outs <= {at.O_COUNT_OF, at.O_SHARE}:
            return at.S_COUNTS
        summed = kinds in ([at.COUNT_KNOWN, at.SUM], [at.COUNT, at.COUNT_KNOWN, at.SUM])
        if summed and not self.lag and outs <= {at.O_COUNT_OF, at.O_SUM, at.O_MEAN, at.O_RATIO}:
            known, money = ((c, v) for kind, c, v in self.accs if kind in (at.COUNT_KNOWN, at.SUM))
            return at.S_MONEY if known == money else at.S_OTHER
        return at.S_OTHER
