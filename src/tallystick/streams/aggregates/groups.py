"""Groups: their keys, and their slots, the columns of the matrices that hold them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tallystick.contracts.currencies import digits
from tallystick.streams.aggregates.columns import Columns
from tallystick.streams.aggregates.declaration import Aggregate
from tallystick.streams.batches import FEW

__all__ = ["NEVER", "Groups"]

#: The longest text of a key that is kept; what is longer is cut there.
LONGEST: Final = 200
#: Where a period is later than this, it never was.
NEVER: Final = -(1 << 62)

Key = tuple[Any, ...]
Slots = NDArray[np.int64]


class Groups:
    """Slots by key. used: slots that were ever used; others: of them those for what is beyond the bound.
    taken: which hold a group now.

    keys: JSON of each; other: which stand for all groups beyond the bound; scale: minor units in a major one
    of each group's currency, 1 where there is no money; last: the newest period with a row; seen: the end of
    the newest window with one that was given out.
    """

    def __init__(self, declared: Aggregate, currency: str) -> None:
        self._declared, self._currency = declared, currency
        self._slots: dict[Key, int] = {}
        self._free: list[int] = []
        self.others = 0
        self.used, self.room = 0, 64
        self.keys: list[str] = []
        self._known: list[Key] = []
        self.taken, self.other = np.zeros(64, np.bool_), np.zeros(64, np.bool_)
        self.scale = np.ones(64)
        self.last, self.seen = np.full(64, NEVER), np.full(64, NEVER)

    def codes(self, columns: Columns) -> tuple[Slots, list[Key]]:
        """Return the place of each row's key in a list of keys, and that list; one may stand there twice."""
        names = self._declared.keys
        rows = len(columns.times[0])
        parts = [columns.codes(name) for name in names]
        if not parts:
            return np.zeros(rows, np.int64), [()]
        if len(parts) == 1:
            return parts[0][1], [self._key((value,)) for value in parts[0][0]]
        if rows <= FEW:
            each = [[values[code] for code in codes.tolist()] for values, codes in parts]
            places: dict[Key, int] = {}
            found = [places.setdefault(key, len(places)) for key in zip(*each, strict=True)]
            return np.array(found, np.int64), [self._key(key) for key in places]
        joined = parts[0][1]
        picked = [np.arange(len(parts[0][0]))]
        for values, codes in parts[1:]:
            joined, both = _distinct(joined * len(values) + codes, len(picked[0]) * len(values))
            picked = [part[both // len(values)] for part in picked] + [both % len(values)]
        lists = [[values[i] for i in part.tolist()] for part, (values, _) in zip(picked, parts, strict=True)]
        return joined, [self._key(key) for key in zip(*lists, strict=True)]

    def _key(self, values: Key) -> Key:
        """Cut long texts, and put the default currency where none is known."""
        names = self._declared.keys
        money = self._declared.currency
        return tuple(
            value[: LONGEST - 1] + "…" if isinstance(value, str) and len(value) > LONGEST
            else self._currency if value is None and name == money else value
            for name, value in zip(names, values, strict=True)
        )  # fmt: skip

    def find(self, codes: Slots, keys: list[Key], slots: Slots) -> Slots:
        """Return the slot of each row, and make slots for new groups in the order of the rows.

        slots: of `keys`, -1 where not looked up yet; filled in.
        """
        found = slots[codes]
        if len(found) and found.min() < 0:
            missing = codes[found < 0]
            new, first = np.unique(missing, return_index=True)
            for code in new[np.argsort(first)].tolist():
                slots[code] = self._slot(keys[code])
            found = slots[codes]
        return found

    def _slot(self, key: Key) -> int:
        slot = self._slots.get(key)
        if slot is None:
            other = len(self._slots) - self.others >= self._declared.most
            if other:  # the key is no group of its own: all such share one, of each currency
                key = (
                    "",
                    *(
                        v
                        for n, v in zip(self._declared.keys, key, strict=True)
                        if n == self._declared.currency
                    ),
                )
                slot = self._slots.get((None, key))
                if slot is not None:
                    return slot
                self.others += 1
            slot = self._take((None, key) if other else key, key[1:] if other else key, other)
        return slot

    def _take(self, key: Key, values: Key, other: bool) -> int:
        """Return a group a slot: one that became free, else a new one."""
        declared = self._declared
        if self._free:
            slot = self._free.pop()
        else:
            slot = self.used
            self.used += 1
            self.keys.append("")
            self._known.append(())
            if self.used > self.room:
                self._grow(2 * self.room)
        names = [declared.currency] if other and declared.currency else () if other else declared.keys
        said = dict(zip(names, values, strict=True))
        self._slots[key], self._known[slot] = slot, key
        self.keys[slot] = json.dumps(said, ensure_ascii=False, separators=(",", ":"))
        self.taken[slot], self.other[slot] = True, other
        self.scale[slot] = 10.0 ** digits(said[declared.currency]) if declared.currency else 1.0
        self.last[slot] = self.seen[slot] = NEVER
        return slot

    def _grow(self, room: int) -> None:
        more = room - self.room
        self.room = room
        self.taken, self.other = np.pad(self.taken, (0, more)), np.pad(self.other, (0, more))
        self.scale = np.pad(self.scale, (0, more), constant_values=1.0)
        self.last = np.pad(self.last, (0, more), constant_values=NEVER)
        self.seen = np.pad(self.seen, (0, more), constant_values=NEVER)

    def drop(self, slots: Slots) -> None:
        """Forget groups; their slots are free."""
        for slot in slots.tolist():
            self.others -= bool(self.other[slot])
            del self._slots[self._known[slot]]
            self._known[slot], self.keys[slot] = (), ""
            self._free.append(slot)
        self.taken[slots] = self.other[slots] = False
        self.scale[slots] = 1.0

    @property
    def empty(self) -> bool:
        """Whether there is no group."""
        return not self._slots

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return copies of what is kept, for a snapshot; keys as JSON lines."""
        lines = [json.dumps(list(key[1] if self.other[i] else key)) for i, key in enumerate(self._known)]
        return {
            "keys": np.frombuffer("\n".join(lines).encode(), np.uint8),
            "free": np.array(self._free, np.int64),
            **{name: getattr(self, name)[: self.used].copy() for name in ("taken", "other", "last", "seen")},
        }

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Restore what `arrays` returned."""
        lines = arrays["keys"].tobytes().decode()
        keys = [json.loads(line) for line in lines.split("\n")] if lines else []
        self._grow(max(64, 1 << len(keys).bit_length()))
        for slot, (key, taken, other) in enumerate(
            zip(keys, arrays["taken"].tolist(), arrays["other"].tolist(), strict=True)
        ):
            if taken:
                self.others += other
                self._take(
                    (None, tuple(key)) if other else tuple(key), tuple(key[1:] if other else key), other
                )
            else:
                self.used = slot + 1
                self.keys.append("")
                self._known.append(())
        self._free = arrays["free"].tolist()
        for name in ("last", "seen"):
            getattr(self, name)[: self.used] = arrays[name]


def _distinct(codes: Slots, bound: int) -> tuple[Slots, Slots]:
    """Number codes (below `bound`) anew from 0, and return which code each number stands for."""
    if bound > 4 * len(codes) + 1024:
        there, again = np.unique(codes, return_inverse=True)
        return again, there
    met = np.zeros(bound, np.bool_)
    met[codes] = True
    there = np.flatnonzero(met)
    places = np.zeros(bound, np.int64)
    places[there] = np.arange(len(there))
    return places[codes], there
