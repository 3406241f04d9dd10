"""Declarations of a file of aggregates, as frozen values."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import pyarrow as pa

from tallystick.conditions.condition import Condition
from tallystick.streams.aggregates.output import SCHEMA

__all__ = ["Aggregate", "Declaration", "Value", "Watch"]

WEEK = 7 * 86_400_000_000
#: 1970-01-05, the first Monday: windows of whole weeks begin on Mondays, all others are aligned to the epoch.
MONDAY = 4 * 86_400_000_000


@dataclass(frozen=True, slots=True)
class Value:
    """One value of each window: `count`, `mean amount`, `share action == "decline"`.

    kind: count, sum, mean, min, max, std, share or distinct; column: what it is of (none for count and
    share); type: that column's kind in the contract, `score` counting as a number; when: of a share.
    """

    text: str
    kind: str
    column: str = ""
    type: str = ""
    when: Condition | None = None

    @property
    def money(self) -> bool:
        """Whether it is an amount of money, which needs its currency beside it."""
        return self.type == "money" and self.kind != "distinct"


@dataclass(frozen=True, slots=True)
class Watch:
    """How the series of some values are watched.

    values: places in the aggregate's values; season: how many periods lie between those that are compared:
    the length of a season, or else of a window, so that no two overlap; past: how many of them a value is
    compared with; least: below so many known ones nothing is said; limit: a score beyond it is an anomaly;
    trend: periods that a slope is taken over.
    """

    values: tuple[int, ...]
    season: int
    past: int
    least: int
    limit: float
    trend: int

    @property
    def kept(self) -> int:
        """How many periods of each series are kept."""
        return max(self.season * self.past, self.trend)


@dataclass(frozen=True, slots=True)
class Aggregate:
    """One aggregate: windows of `over` microseconds, one each `every`, for each group `by` some columns.

    currency: the column that joins the groups where money is aggregated, else empty; where: which rows count;
    lateness: microseconds; most: groups kept at the same time; distinct: values that a group's distinct count
    remembers in a period; forget: empty windows after which a group is forgotten (0: none is given out).
    """

    name: str
    every: int
    over: int
    by: tuple[str, ...]
    of: tuple[Value, ...]
    where: Condition | None
    watch: Watch | None
    currency: str
    lateness: int
    most: int
    distinct: int
    forget: int

    @property
    def panes(self) -> int:
        """How many periods a window is made of."""
        return self.over // self.every

    @property
    def kept(self) -> int:
        """How many periods are kept: those of the oldest open window up to the newest there may be."""
        return self.panes + -(-self.lateness // self.every) + 2

    @property
    def origin(self) -> int:
        """Where periods are counted from, in microseconds since 1970."""
        return MONDAY if self.every % WEEK == 0 else 0

    @property
    def keys(self) -> tuple[str, ...]:
        """Columns that identify a group."""
        return (*self.by, self.currency) if self.currency and self.currency not in self.by else self.by

    @property
    def fingerprint(self) -> str:
        """SHA-256 of all that its values depend on."""
        watch = self.watch
        content = [
            *(self.name, self.every, self.over, self.by, [[v.text, v.type] for v in self.of]),
            " ".join(self.where.text.split()) if self.where else None,
            [watch.values, watch.season, watch.past, watch.least, watch.limit, watch.trend]
            if watch
            else None,
            *(self.currency, self.lateness, self.most, self.distinct, self.forget),
        ]
        text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class Declaration:
    """All aggregates of a file, and the columns that they read by role.

    event_time: the column of a row's time; currencies: columns of money to those of their currencies; kinds:
    what conditions may look at.
    """

    aggregates: tuple[Aggregate, ...]
    event_time: str
    currencies: Mapping[str, str]
    kinds: Mapping[str, str]
    schema: ClassVar[pa.Schema] = SCHEMA

    @property
    def fingerprint(self) -> str:
        """SHA-256 of all aggregates; comments and layout do not count."""
        return hashlib.sha256(" ".join(one.fingerprint for one in self.aggregates).encode()).hexdigest()
