"""A declaration as the tables that the kernel works by."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tallystick.conditions.condition import Condition
from tallystick.errors import UsageError
from tallystick.windows import layout as at
from tallystick.windows.groups import Aggregate, Group
from tallystick.windows.roles import TableRoles
from tallystick.windows.track import MONEY, Track

__all__ = ["Plan"]

Table = NDArray[np.int64]

#: Bits of a row's word for conditions; the first says that it is an event, no label event.
_BITS: Final = 62


@dataclass(frozen=True)
class Plan:
    """Tables for the kernel (see `layout`), and which cells of a row hold what.

    entities: names of each entity's columns, single ones first, in the order of the table `entity`.
    features: how many a row has, of all parts of a declaration.
    conditions: what the bits of a row mean, from bit 1; label_codes: see `TableRoles`. money, numbers,
    hashes: column → its cell; money_columns: all that are money, used or not. program: the tables, one after
    the other, as the kernel has them.
    """

    entities: tuple[tuple[str, ...], ...]
    conditions: tuple[Condition, ...]
    label_codes: Mapping[str, int]
    money_columns: frozenset[str]
    money: dict[str, int]
    numbers: dict[str, int]
    hashes: dict[str, int]
    cells: int
    scratch: int
    features: int
    entity: Table
    tracks: Table
    program: Table

    @cached_property
    def silent(self) -> Table:
        """The program without its outputs: it changes the state in the same way and computes no features."""
        made = self.program.copy()
        for e in range(0, len(self.entities) * at.E_WIDTH, at.E_WIDTH):
            made[e + at.E_FIRST_SEEN] = -1
            made[e + at.E_FEATURE] = made[e + at.E_FEATURES_END] = 0
            for k in range(made[e + at.E_TRACK], made[e + at.E_TRACKS_END], at.T_WIDTH):
                for w in range(made[k + at.T_WINDOW], made[k + at.T_WINDOWS_END], at.W_WIDTH):
                    made[w + at.W_OUT] = made[w + at.W_OUTS_END] = 0
        return made

    @classmethod
    def of(
        cls,
        groups: tuple[Group, ...],
        conditions: Mapping[str, Condition],
        roles: TableRoles,
        money: tuple[str, ...],
        condition_inputs: Collection[str],
        places: Mapping[str, int],
        numbered: Mapping[str, int],
        leader: str | None = None,
    ) -> Plan:
        """Work out the tables of some entries; of the entities that begin with `leader`, if one is given.

        condition_inputs: features that later conditions read; places: where each feature stands in a row of
        all; numbered: the entities that number rows here, and where.
        """
        return _Planner(
            groups, conditions, roles, frozenset(money), frozenset(condition_inputs), places, numbered, leader
        ).plan()

    @cached_property
    def looked_at(self) -> tuple[str, ...]:
        """What conditions look at, labels aside."""
        found = frozenset[str]().union(*(one.columns for one in self.conditions))
        return tuple(sorted(found - self.label_codes.keys()))

    @cached_property
    def label_names(self) -> tuple[tuple[str, ...], ...]:
        """By which names each condition asks for labels."""
        return tuple(tuple(sorted(one.columns & self.label_codes.keys())) for one in self.conditions)

    @cached_property
    def of_labels_alone(self) -> tuple[bool, ...]:
        """Which conditions never hold of an event, only of label events."""
        return tuple(not one.required.isdisjoint(self.label_codes) for one in self.conditions)

    @cached_property
    def judged(self) -> set[str]:
        """The kinds of what conditions look at (a letter each) of which all conditions have been judged."""
        return set()


class _Planner:
    def __init__(
        self,
        groups: tuple[Group, ...],
        conditions: Mapping[str, Condition],
        roles: TableRoles,
        money: frozenset[str],
        condition_inputs: frozenset[str],
        places: Mapping[str, int],
        numbered: Mapping[str, int],
        leader: str | None,
    ) -> None:
        self.condition_inputs, self.places, self.numbered = condition_inputs, places, numbered
        self.named, self.money_columns = conditions, money
        self.groups = tuple(g for g in groups if leader in (None, g.entity[0]))
        self.label_codes, self.main_label = roles.label_codes, roles.main_label or ""
        self.bits: dict[str, int] = {}
        self.conditions: list[Condition] = []
        self.cells: dict[str, dict[str, int]] = {"money": {}, "number": {}, "hash": {}}
        self.used = at.C_VALUES
        singles = dict.fromkeys((part,) for g in groups for part in g.entity)
        pairs = dict.fromkeys(g.entity for g in groups if len(g.entity) > 1)
        self.entities = tuple(one for one in (*singles, *pairs) if leader in (None, one[0]))
        self.tracks: dict[tuple[Any, ...], Track] = {}
        self.first_seen: dict[tuple[str, ...], int] = {}

    def plan(self) -> Plan:
        for group in self.groups:
            for name, one, length in group.names():
                feature = self.places[name]
                if one.kind == "first_seen":
                    if group.entity in self.first_seen:
                        raise UsageError(f"first_seen of {'+'.join(group.entity)} is declared twice.")
                    self.first_seen[group.entity] = feature
                else:
                    track = self._feature(group, one, length, feature)
                    track.is_input |= name in self.condition_inputs
        return self._tables()

    def _bit(self, text: str) -> int:
        if text not in self.bits:
            if len(self.bits) == _BITS - 1:
                raise UsageError(
                    f"More than {_BITS - 1} different conditions are declared.", "Leave some out."
                )
            self.bits[text] = len(self.bits) + 1
            self.conditions.append(self.named[text] if text in self.named else self._parse(text))
        return self.bits[text]

    def _parse(self, text: str) -> Condition:
        return Condition.parse(text, {c for one in self.named.values() for c in one.columns})

    def _cell(self, kind: str, column: str) -> int:
        cells = self.cells[kind]
        if column not in cells:
            cells[column] = self.used
            self.used += 1
        return cells[column]

    def _feature(self, group: Group, one: Aggregate, length: int, feature: int) -> Track:
        exact = group.mode == "exact" or one.exact
        where = self._bit(group.where) if group.where else 0
        tile = 1 if exact else length // group.tiles
        key: tuple[Any, ...] = (group.entity, exact, tile, group.delay, group.include_current)
        if exact:
            # the cap counts the events that the aggregate looks at, whatever else is declared
            key += (group.cap, where, one.kind if one.kind in ("share", "risk") else "")
        if one.kind == "distinct":
            key += ("distinct", one.column, where, group.distinct_cap)
        track = self.tracks.get(key)
        if track is None:
            cap = group.cap if exact else 0
            track = Track(exact, tile, group.delay, group.include_current, cap)
            self.tracks[key] = track
        out = self._output(track, group, one, where)
        track.windows.setdefault(length // tile, []).append([*out, feature])
        return track

    def _output(self, track: Track, group: Group, one: Aggregate, where: int) -> list[Any]:
        """Return an output: its kind, its three words (as keys of accumulators), column and parameter."""
        if one.kind == "distinct":
            track.sketch, track.hashed = group.distinct_cap, self._cell("hash", one.column)
            track.gate |= 1 << where
            return [at.O_DISTINCT, None, None, None, 0, 0]
        if one.column:
            return self._of_values(track, group, one, where)
        count = track.acc(at.COUNT, where)
        if one.kind == "count":
            return [at.O_COUNT_OF, count, None, None, 0, 0]
        if one.kind == "share":
            return [at.O_SHARE, count, track.acc(at.COUNT, 0), None, 0, 0]
        if one.kind == "risk":
            text = self.named[group.where].text if group.where else ""
            label = self._bit(f"{self.main_label} and ({text})" if text else self.main_label)
            return [at.O_SHARE, track.acc(at.COUNT, label), count, None, 0, 0]
        first = last = None
        if not track.exact:
            first, last = track.acc(at.FIRST_TIME, where), track.acc(at.LAST_TIME, where)
        kinds = {
            "since_last": at.O_SINCE_LAST,
            "since_first": at.O_SINCE_FIRST,
            "since_run_start": at.O_SINCE_RUN,
        }
        return [kinds[one.kind], count, first, last, 0, group.gap]

    def _of_values(self, track: Track, group: Group, one: Aggregate, where: int) -> list[Any]:
        money = one.column in self.money_columns
        column = self._cell("money" if money else "number", one.column)

        def acc(of_money: int, of_number: int) -> tuple[int, int, int]:
            return track.acc(of_money if money else of_number, where, column)

        count = acc(at.COUNT_KNOWN, at.COUNT_NUMBER)
        if one.kind in ("min", "max"):
            low = one.kind == "min"
            word = acc(at.LEAST, at.NUMBER_LEAST) if low else acc(at.MOST, at.NUMBER_MOST)
            kind = (
                (at.O_LEAST if low else at.O_MOST)
                if money
                else (at.O_NUMBER_LEAST if low else at.O_NUMBER_MOST)
            )
            return [kind, count, word, None, column, 0]
        if one.exact:
            word = acc(at.LEAST, at.NUMBER_LEAST)  # in `exact` a bucket is one event
            ratio = one.kind == "ratio_trimmed"
            of_money = at.O_RATIO_TRIMMED if ratio else at.O_TRIMMED
            of_number = at.O_NUMBER_RATIO_TRIMMED if ratio else at.O_NUMBER_TRIMMED
            return [of_money if money else of_number, count, word, None, column, group.trim]
        if one.kind == "std":
            other = acc(at.SQUARES, at.NUMBER_SPREAD)
            word = acc(at.SUM, at.NUMBER_SPREAD)
            return [at.O_STD if money else at.O_NUMBER_STD, count, word, other, column, 0]
        kinds = {
            "sum": (at.O_SUM, at.O_NUMBER_SUM),
            "mean": (at.O_MEAN, at.O_NUMBER_MEAN),
            "ratio": (at.O_RATIO, at.O_NUMBER_RATIO),
        }
        return [kinds[one.kind][not money], count, acc(at.SUM, at.NUMBER_SUM), None, column, 0]

    def _tables(self) -> Plan:
        entity: list[list[int]] = []
        tracks: list[list[int]] = []
        wins: list[list[int]] = []
        accs: list[list[int]] = []
        outs: list[list[int]] = []
        scratch = 16
        for columns in self.entities:
            at_track, first_out, words = len(tracks), len(outs), at.TRACKS
            horizon = self._horizon(columns)
            for key, track in self.tracks.items():
                if key[0] != columns:
                    continue
                common, additive, size = track.place()
                subkey = at.BY_HASH if track.sketch else at.NO_SUBKEY
                if any(kind in (*MONEY, at.LEAST, at.MOST) for kind, _, _ in track.accs):
                    subkey = at.BY_CURRENCY
                prefix = 2 if subkey else 1
                row = [0] * at.T_WIDTH
                row[at.T_AT], row[at.T_TILE], row[at.T_LAG] = words, track.tile, track.lag
                row[at.T_CURRENT], row[at.T_EXACT], row[at.T_CAP] = track.current, track.exact, track.cap
                row[at.T_BUCKET], row[at.T_PREFIX] = prefix + size, prefix
                row[at.T_COMMON], row[at.T_ADDITIVE], row[at.T_SUBKEY] = common, additive, subkey
                row[at.T_GATE], row[at.T_HASH], row[at.T_SKETCH] = track.gate, track.hashed, track.sketch
                labels = self.label_codes.keys()
                labelled = sum(1 << b for b, c in enumerate(self.conditions, 1) if c.columns & labels)
                row[at.T_INPUT], row[at.T_SHAPE] = int(track.is_input), track.shape()
                row[at.T_LABELS] = int(track.gate & labelled != 0)
                row[at.T_ACC] = len(accs)
                accs += track.rows()
                row[at.T_ACCS_END], row[at.T_WINDOW] = len(accs), len(wins)
                place = at.WINDOWS
                for tiles in sorted(track.windows, reverse=True):
                    wins.append([tiles, place, len(outs), len(outs) + len(track.windows[tiles])])
                    place += 1 + additive
                    for kind, count, word, other, column, parameter, feature in track.windows[tiles]:
                        found = [track.accs[k] if k else 0 for k in (count, word, other)]
                        outs.append([kind, feature, *found, column, parameter])
                row[at.T_WINDOWS_END] = len(wins)
                row[at.T_FREE] = at.M_FREE + len(tracks) * at.CLASSES
                words += place
                tracks.append(row)
                kept = max(track.windows) + -(-track.lag // track.tile) + 2
                most = track.cap if track.exact else kept * max(track.sketch, 1)
                scratch = max(scratch, 4 * most if track.sketch or track.exact else 16, additive)
            single = self.numbered.get(columns[0], -1) if len(columns) == 1 else -1
            first = self.first_seen.get(columns, -1)
            mine = [first] * (first >= 0) + [out[at.O_FEATURE] for out in outs[first_out:]]
            low, high = (min(mine), max(mine) + 1) if mine else (0, 0)
            if high - low != len(mine):
                low = high = 0  # not side by side
            entity.append([words, horizon, first, at_track, len(tracks), single, low, high])
        return Plan(
            entities=self.entities,
            conditions=tuple(self.conditions),
            label_codes=self.label_codes,
            money_columns=self.money_columns,
            money=self.cells["money"],
            numbers=self.cells["number"],
            hashes=self.cells["hash"],
            cells=self.used,
            scratch=scratch,
            features=len(self.places),
            entity=_table(entity, at.E_WIDTH),
            tracks=_table(tracks, at.T_WIDTH),
            program=_program(entity, tracks, wins, accs, outs),
        )

    def _horizon(self, columns: tuple[str, ...]) -> int:
        return max(
            (length + g.delay for g in self.groups if g.entity == columns for _, length in g.windows),
            default=0,
        )


def _table(rows: list[list[int]], width: int) -> Table:
    return np.array(rows, np.int64).reshape(-1, width)


def _program(
    entity: list[list[int]], tracks: list[list[int]], wins: list[list[int]], accs: list[list[int]],
    outs: list[list[int]],
) -> Table:  # fmt: skip
    """Return all tables one after the other, entities first; what names a row names its place."""
    first_track = len(entity) * at.E_WIDTH
    first_win = first_track + len(tracks) * at.T_WIDTH
    first_acc = first_win + len(wins) * at.W_WIDTH
    first_out = first_acc + len(accs) * at.A_WIDTH
    tables = [_table(entity, at.E_WIDTH), _table(tracks, at.T_WIDTH), _table(wins, at.W_WIDTH),
              _table(accs, at.A_WIDTH), _table(outs, at.O_WIDTH)]  # fmt: skip
    for table, words, width, first in (
        (tables[0], (at.E_TRACK, at.E_TRACKS_END), at.T_WIDTH, first_track),
        (tables[1], (at.T_WINDOW, at.T_WINDOWS_END), at.W_WIDTH, first_win),
        (tables[1], (at.T_ACC, at.T_ACCS_END), at.A_WIDTH, first_acc),
        (tables[2], (at.W_OUT, at.W_OUTS_END), at.O_WIDTH, first_out),
    ):
        for word in words:
            table[:, word] = table[:, word] * width + first
    return np.concatenate([table.ravel() for table in tables])
