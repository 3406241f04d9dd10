"""Reasons of a text's class: features with name, count and contribution."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from tallystick.text.features import Index, Work, hash_characters
from tallystick.text.lanes import kernel, widened
from tallystick.text.ngrams import lower_word
from tallystick.text.weights import weigh

__all__ = ["Reasons", "explain", "no_reasons", "strings_of", "to_arrow"]


class Reasons(NamedTuple):
    """Up to k reasons for each text; a word that is no feature is named by the text itself."""

    ids: np.ndarray  # int32 (texts, k): feature, -1 for none, -2 - i for word i of `names`
    values: np.ndarray  # float64 (texts, k)
    effects: np.ndarray  # float64 (texts, k)
    names: np.ndarray  # uint8
    ends: np.ndarray  # int64: where each word of `names` ends
    used: np.ndarray  # int64 (1,): how many words `names` holds


@kernel
def no_reasons(texts: int, k: int) -> Reasons:
    """Allocate empty reasons."""
    shape = (texts, k)
    return Reasons(
        np.full(shape, -1, np.int32),
        np.zeros(shape),
        np.zeros(shape),
        np.empty(0, np.uint8),
        np.empty(0, np.int64),
        np.zeros(1, np.int64),
    )


@kernel
def offer(
    ids: np.ndarray, values: np.ndarray, effects: np.ndarray, f: int, value: float, effect: float
) -> None:
    """Insert a reason into the top k, sorted by effect descending, then id ascending."""
    at = len(ids)
    while at > 0 and (effects[at - 1] < effect or (effects[at - 1] == effect and ids[at - 1] > f)):
        at -= 1
    if effect <= 0 or at == len(ids):
        return
    for j in range(len(ids) - 1, at, -1):
        ids[j], values[j], effects[j] = ids[j - 1], values[j - 1], effects[j - 1]
    ids[at], values[at], effects[at] = f, value, effect


@kernel
def explain(
    source: np.ndarray,
    n: int,
    split: int,
    t: int,
    index: Index,
    work: Work,
    counts: np.ndarray,
    rows: np.ndarray,
    best: int,
    scale: float,
    scale_characters: float,
    weights: np.ndarray,
    sublinear: bool,
    text: int,
    k: int,
    reasons: Reasons,
) -> Reasons:
    """Find the reasons of one text for class `best`, from what collect and the sums left."""
    ids, values, effects = reasons.ids[text], reasons.values[text], reasons.effects[text]
    touched = work.touched
    if t == split:
        for j in range(t):
            slot = touched[j]
            effect = weigh(counts[slot], weights, sublinear) * rows[slot - 1, best] * scale
            if effect > effects[k - 1] or (effect == effects[k - 1] and effect > 0):
                offer(ids, values, effects, slot - 1, counts[slot], effect)
        return reasons
    return explain_words(
        source, n, split, index, work, counts, rows, best, scale, scale_characters, weights, sublinear,
        ids, values, effects, reasons,
    )  # fmt: skip


@kernel
def explain_words(
    source: np.ndarray,
    n: int,
    split: int,
    index: Index,
    work: Work,
    counts: np.ndarray,
    rows: np.ndarray,
    best: int,
    scale: float,
    scale_characters: float,
    weights: np.ndarray,
    sublinear: bool,
    ids: np.ndarray,
    values: np.ndarray,
    effects: np.ndarray,
    reasons: Reasons,
) -> Reasons:
    """Find the reasons where characters count: a word's effect is its own and its share of its n-grams'."""
    size = 16
    while size < 2 * n:
        size *= 2
    mask = np.uint64(size - 1)
    table = np.zeros(size, np.int32)  # place in the lists below, from 1
    tokens = np.empty(n, np.int32)  # where the word stands first
    times = np.zeros(n, np.int32)
    shares = np.zeros(n)
    words = known = 0
    single = index.words[0] == 1
    hashes, known_at = work.words, index.known_at
    for i in range(n):
        at = hashes[i] & mask
        while table[at] and hashes[tokens[table[at] - 1]] != hashes[i]:
            at = (at + np.uint64(1)) & mask
        if table[at] == 0:
            f = work.slots[i] - 1 if len(known_at) > 1 else -1
            if f >= 0:
                slots, start, end = index.known, known_at[f], known_at[f + 1]
            else:
                slots, start, end = work.slots, hash_characters(source, i, index, work), len(work.slots)
            for j in range(start, end):
                slot = slots[j]
                if slot:
                    weight = weigh(counts[slot], weights, sublinear) * scale_characters
                    shares[words] += weight * rows[slot - 1, best] / counts[slot]
            tokens[words] = i
            words += 1
            table[at] = words
        times[table[at] - 1] += 1
    features = len(rows)
    for w in range(words):
        effect = times[w] * shares[w]
        f = features + w  # behind all features, in order of appearance
        slot = work.slots[tokens[w]] if single else 0
        if slot:
            known += 1
            f = slot - 1
            effect += weigh(counts[slot], weights, sublinear) * rows[f, best] * scale
        offer(ids, values, effects, f, times[w], effect)
    for j in range(known, split):  # single words are the first that were touched; here are the longer n-grams
        slot = work.touched[j]
        effect = weigh(counts[slot], weights, sublinear) * rows[slot - 1, best] * scale
        offer(ids, values, effects, slot - 1, counts[slot], effect)
    names, ends = reasons.names, reasons.ends
    for j in range(len(ids)):
        if ids[j] >= features:
            i = tokens[ids[j] - features]
            place = reasons.used[0]
            start = ends[place - 1] if place else 0
            if place == len(ends):
                ends = widened(ends, 2 * place + 1024)
            if start + work.bounds[2 * i + 1] - work.bounds[2 * i] > len(names):
                names = widened(names, 2 * len(names) + len(work.scratch))
            ends[place] = lower_word(source, work.bounds[2 * i], work.bounds[2 * i + 1], names, start)
            ids[j] = -2 - place
            reasons.used[0] += 1
    return Reasons(reasons.ids, reasons.values, reasons.effects, names, ends, reasons.used)


def to_arrow(parts: Sequence[Reasons], names: pa.StringArray) -> pa.ListArray:
    """Join the reasons of slices to one list<struct<feature, value, effect>> for each text."""
    last, ids, words = len(names), [], []
    for part in parts:
        count = int(part.used[0])
        if count:  # words that only the text names are numbered behind the names of all features
            unknown = part.ids < -1
            part.ids[unknown] = last - 2 - part.ids[unknown]
            last += count
            words.append(strings_of(part.names, np.append(0, part.ends[:count])))
        ids.append(part.ids)
    one = len(parts) == 1
    features = ids[0] if one else np.concatenate(ids)
    values = parts[0].values if one else np.concatenate([part.values for part in parts])
    effects = parts[0].effects if one else np.concatenate([part.effects for part in parts])
    there = features >= 0
    ends = np.zeros(len(features) + 1, np.int32)
    np.cumsum(there.sum(axis=1), out=ends[1:])
    reasons = pa.StructArray.from_arrays(
        [named(features[there], names, words), pa.array(values[there]), pa.array(effects[there])],
        names=["feature", "value", "effect"],
    )
    return pa.ListArray.from_arrays(pa.array(ends), reasons)


def named(ids: np.ndarray, names: pa.StringArray, words: Sequence[pa.StringArray]) -> pa.StringArray:
    """Name features by id; ids behind those of `names` number the words, without a copy of all names."""
    if not words:
        return names.take(pa.array(ids))
    known = ids < len(names)
    picked = names.take(pa.array(ids[known]))
    place = np.where(known, np.cumsum(known) - 1, ids - len(names) + len(picked))
    return pa.concat_arrays([picked, *words]).take(pa.array(place))


def strings_of(data: np.ndarray, at: np.ndarray) -> pa.StringArray:
    """Arrow strings over a blob of UTF-8 and its offsets."""
    return pa.StringArray.from_buffers(len(at) - 1, pa.py_buffer(at.astype(np.int32)), pa.py_buffer(data))
