"""Keyword automaton: finds the words of many rules in one pass over a text.

All words of all rules become one automaton (Aho and Corasick 1975, "Efficient string matching"), so that the
time depends on the length of the text and not on how many words are looked for. A text is read as words that
stand between single spaces, so that a phrase is met across a line break, a hyphen or a double space, and
"sue" is not met in "issue".
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from unicodedata import ucd_3_2_0

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numba import njit
from numpy.typing import NDArray

__all__ = ["Clause", "Words", "plain"]

PLANE = 0x10000
OTHER, GAP = 0, 1  # classes of characters: a letter that no word holds; whatever stands between words
EMPTY = np.frombuffer(b"\0", np.uint8)


@dataclass(frozen=True)
class Clause:
    """What one rule asks of the words: at least one of `any_of`, each of `all_of`, none of `none_of`."""

    any_of: tuple[str, ...] = ()
    all_of: tuple[str, ...] = ()
    none_of: tuple[str, ...] = ()


def plain(phrase: str) -> str:
    """Write a phrase as it is looked for: folded words between single spaces.

    >>> plain("Attorney-General's")
    'attorney general s'
    """
    return " ".join("".join(_fold(char) if _in_word(char) else " " for char in phrase).split())


class Words:
    """The words of several rules, ready to be looked for.

    >>> words = Words([Clause(any_of=("sue", "law suit")), Clause(none_of=("thanks",))])
    >>> texts = pa.array(["An issue.", "I will SUE!", "LAW-\\nsuit", "An issue. Thanks"])
    >>> words.first(texts, np.ones((4, 2), np.uint8)).tolist()
    [1, 0, 0, -1]
    """

    def __init__(self, clauses: Sequence[Clause]) -> None:
        groups: dict[tuple[str, ...], int] = {}
        needed, barred = [], []
        for clause in clauses:
            wanted = [clause.any_of] if clause.any_of else []
            wanted += [(word,) for word in clause.all_of]
            needed.append([groups.setdefault(group, len(groups)) for group in wanted])
            barred.append([groups.setdefault(clause.none_of, len(groups))] if clause.none_of else [])
        phrases: dict[str, set[int]] = {}
        for words, group in groups.items():
            for word in words:
                phrases.setdefault(f" {plain(word)} ", set()).add(group)
        self._tables: tuple[NDArray[Any], ...] = (
            *_automaton(phrases),
            *_ragged(needed),
            *_ragged(barred),
            np.zeros(max(len(groups), 1), np.uint8),
        )

    def first(self, texts: pa.Array, open_rules: NDArray[np.uint8]) -> NDArray[np.int32]:
        """Find for each text the first rule that is still open and whose words hold, else -1.

        texts: string or large_string; open_rules: uint8 (texts, rules), 1 where all other conditions hold.
        A text is read only when a rule that asks for words is the first that is open.
        """
        if texts.null_count:
            texts = pc.fill_null(texts, "")
        large = pa.types.is_large_string(texts.type)
        _, offsets, data = texts.buffers()
        ends = np.frombuffer(offsets, np.int64 if large else np.int32) if offsets else np.zeros(1, np.int32)
        ends = ends[texts.offset : texts.offset + len(texts) + 1].astype(np.int64)
        chars = np.frombuffer(data, np.uint8) if data is not None and data.size else EMPTY
        found: NDArray[np.int32] = _first(chars, ends, np.ascontiguousarray(open_rules), *self._tables)
        return found


def _fold(char: str) -> str:
    """Fold case where that leaves one character."""
    folded = char.casefold()
    return folded if len(folded) == 1 else char


def _in_word(char: str) -> bool:
    """Say whether a letter, digit or mark: by Unicode 3.2, which no version of Python changes."""
    return ucd_3_2_0.category(char)[0] in "LNM"


@functools.cache
def _folded() -> NDArray[np.int32]:
    """Give for each character of the first plane the one that stands for it in a phrase, -1 outside words."""
    chars = map(chr, range(PLANE))
    return np.array([ord(_fold(char)) if _in_word(char) else -1 for char in chars], np.int32)


def _classes(phrases: Sequence[str]) -> NDArray[np.uint16]:
    """Give each character of the first plane its class: OTHER, GAP, or one for each that a phrase holds."""
    held = sorted({char for phrase in phrases for char in phrase if char != " "})
    by_code = np.full(PLANE, OTHER, np.uint16)
    by_code[np.array([ord(char) for char in held], np.int64)] = np.arange(2, 2 + len(held))
    folded = _folded()
    return np.where(folded < 0, np.uint16(GAP), by_code[folded])


def _automaton(
    phrases: dict[str, set[int]],
) -> tuple[NDArray[np.uint16], NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]:
    """Build character classes, moves (states, classes), and the groups that each state has met, as CSR."""
    classes = _classes(list(phrases))
    kinds = int(classes.max()) + 1
    children: list[dict[int, int]] = [{}]
    met: list[set[int]] = [set()]
    for phrase, groups in phrases.items():
        state = 0
        for char in phrase:
            kind = GAP if char == " " else int(classes[ord(char)])
            if kind not in children[state]:
                children[state][kind] = len(children)
                children.append({})
                met.append(set())
            state = children[state][kind]
        met[state] |= groups
    moves = np.zeros((len(children), kinds), np.int32)
    fails = [0] * len(children)
    queue = [0]
    for state in queue:  # by breadth: a state's fallback is shorter, so its row is already complete
        fallback = moves[fails[state]].copy()
        if state:
            moves[state] = fallback
        for kind, child in children[state].items():
            fails[child] = int(fallback[kind]) if state else 0
            met[child] |= met[fails[child]]
            moves[state, kind] = child
            queue.append(child)
    return classes, moves, *_ragged([sorted(groups) for groups in met])


def _ragged(lists: Sequence[Sequence[int]]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Write lists one after another, with the place where each starts."""
    starts = np.cumsum([0, *map(len, lists)]).astype(np.int32)
    return starts, np.array([item for part in lists for item in part], np.int32)


@njit(nogil=True, cache=True)
def _first(  # type: ignore[no-untyped-def]
    chars, ends, open_rules, classes, moves, met_at, met, need_at, need, bar_at, bar, blank
):  # pragma: no cover - compiled
    rows, rules = open_rules.shape
    found = np.full(rows, -1, np.int32)
    hit = blank.copy()
    for row in range(rows):
        read = False
        for rule in range(rules):
            if open_rules[row, rule] == 0:
                continue
            worded = need_at[rule] < need_at[rule + 1] or bar_at[rule] < bar_at[rule + 1]
            if worded and not read:
                read = True
                hit[:] = 0
                _read(chars, ends[row], ends[row + 1], classes, moves, met_at, met, hit)
            holds = True
            for place in range(need_at[rule], need_at[rule + 1]):
                holds = holds and hit[need[place]] == 1
            for place in range(bar_at[rule], bar_at[rule + 1]):
                holds = holds and hit[bar[place]] == 0
            if holds:
                found[row] = rule
                break
    return found


@njit(nogil=True, cache=True)
def _read(chars, start, end, classes, moves, met_at, met, hit):  # type: ignore[no-untyped-def] # pragma: no cover
    """Mark the groups whose words the text holds; a run of characters between words counts as one space."""
    state = moves[0, 1]
    gap = True
    at = start
    while at < end:
        lead = np.int64(chars[at])
        size = 1 if lead < 0x80 else 2 if lead < 0xE0 else 3 if lead < 0xF0 else 4
        if at + size > end:
            break
        code = lead if size == 1 else lead & (0xFF >> (size + 1))
        for step in range(1, size):
            code = (code << 6) | (np.int64(chars[at + step]) & 0x3F)
        at += size
        if code < 0x10000:
            kind = np.int64(classes[code])
        elif 0x1F000 <= code < 0x20000:  # emoji and signs part words
            kind = np.int64(1)
        else:  # the rarer scripts: letters that no word holds
            kind = np.int64(0)
        if kind == 1 and gap:
            continue
        gap = kind == 1
        state = moves[state, kind]
        for place in range(met_at[state], met_at[state + 1]):
            hit[met[place]] = 1
    if not gap:
        state = moves[state, 1]
        for place in range(met_at[state], met_at[state + 1]):
            hit[met[place]] = 1
