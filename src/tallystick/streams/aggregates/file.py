"""The file of aggregates: YAML as a person writes it, checked, with errors that name the line.

    lateness: 30s                # how much later than a newer row one may come; an aggregate may have its own
    most: 10000                  # groups kept at the same time; those beyond it are one group, `other`
    distinct: 1000               # values that a distinct count remembers, for each group and period
    aggregates:
      - name: payments_by_place
        every: 1m                # a row each minute …
        over: 15m                # … of the last 15 minutes; without it of that minute
        by: [place]              # columns, or task, label, action, department, priority, model of a decision
        where: amount > 0        # which rows count at all; may be left out
        of:                      # count; sum, mean, min, max and std of a column; share of a condition;
          - count                #   distinct of a column
          - mean amount
          - share action == "decline"
        forget: 2h               # how long a group without rows goes on with a count of 0
        anomaly: count           # a value that is watched, several in [ ], or with more to say:
        # anomaly: {of: [count], season: 1d, past: 7, least: 4, limit: 5, trend: 20}

A watched value is compared with those of `past` windows before it that do not overlap with it (in those that
do, most rows are its own), or with those of the same time in `past` seasons before. Money is summed for each
currency by itself: the currency joins `by`. All that is wrong is reported at once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import yaml

from tallystick import durations
from tallystick.conditions.condition import Condition
from tallystick.conditions.text import near
from tallystick.contracts import Column, Contract
from tallystick.contracts.yaml_lines import Lines, compose, read_text
from tallystick.errors import UsageError, did_you_mean
from tallystick.streams.aggregates.columns import DECISION, kinds
from tallystick.streams.aggregates.declaration import Aggregate, Value, Watch

__all__ = ["read"]

MOST_AGGREGATES: Final = 100
MOST_VALUES: Final = 20
#: Groups times periods that one aggregate may keep: eight bytes and more for each, so that memory is bounded.
MOST_CELLS: Final = 1_000_000
MOST_PANES: Final = 2_000
KINDS: Final = ("count", "sum", "mean", "min", "max", "std", "share", "distinct")
GROUPABLE: Final = ("text", "category", "integer", "flag")
COUNTABLE: Final = ("money", "integer", "number")
PROSE: Final = 65_536  # bytes: what may be longer is written by people and no name of a group
SETTINGS: Final = ("lateness", "most", "distinct")
PARTS: Final = ("name", "every", "over", "by", "where", "of", "forget", "anomaly", *SETTINGS)
WATCHED: Final = ("of", "season", "past", "least", "limit", "trend")
DEFAULTS: Final = {"most": 10_000, "distinct": 1_000, "lateness": 0}
EMPTY: Final = 60  # periods that a watched group may be empty before it is forgotten
EXAMPLE: Final = "aggregates:\n  - {name: each_minute, every: 1m, of: [count]}"
FORMS: Final = (
    "Write count, sum amount, mean amount, min, max or std of a column, distinct COLUMN, or share CONDITION."
)


def read(source: str | Path, contract: Contract) -> tuple[Aggregate, ...]:
    """Read and check a file of aggregates for rows of one contract; see `Aggregates.read`."""
    name, text = read_text(source, "aggregates")
    if contract.event_time is None:
        raise UsageError(f"{contract.name} has no time of events, so its rows lie in no window.")
    reader = _Reader(contract=contract, kinds=kinds(contract))
    found = reader.file(compose(name, text, f"It needs aggregates, as in:\n{EXAMPLE}"))
    reader.check(name)
    return found


@dataclass
class _Reader(Lines):
    """Turns nodes into aggregates and gathers what is wrong."""

    contract: Contract = field(kw_only=True)
    kinds: Mapping[str, str] = field(kw_only=True)
    names: dict[str, int] = field(default_factory=dict)  # of aggregates, and the lines they begin at

    def file(self, root: Any) -> tuple[Aggregate, ...]:
        top = self.top(root, (*SETTINGS, "aggregates"), ("aggregates",))
        found = [self.aggregate(node, top) for node in self.listed(top, "aggregates", MOST_AGGREGATES)]
        return tuple(one for one in found if one is not None)

    def aggregate(self, node: Any, top: Mapping[str, Any]) -> Aggregate | None:
        before = len(self.problems)
        parts = self.mapping(node, PARTS, "an aggregate", ("name", "every", "of"))
        name = (self.scalar(parts["name"], "name") if "name" in parts else None) or ""
        where = f'"{name}"'
        self.check_name(name, parts, node)
        every = self.length(parts.get("every"), f"{where}, every") or 1
        over = self.length(parts.get("over"), f"{where}, over") or every
        if over % every:
            self.wrong(parts["over"], f"{where}: over must be a whole number of times every.")
        elif over // every > MOST_PANES:
            bound = f"at most {MOST_PANES:,} periods (`every`)"
            self.wrong(parts["over"], f"{where}: a window has {bound}, this one {over // every:,}.")
        by = self.by(parts["by"], where) if "by" in parts else ()
        of = self.values(parts["of"], where) if "of" in parts else ()
        currency = self.currency(of, node, where)
        test = self.condition(parts["where"], f"{where}, where") if "where" in parts else None
        lateness = self.length(self.setting("lateness", parts, top), f"{where}, lateness", zero=True) or 0
        distinct = self.whole(self.setting("distinct", parts, top), f"{where}, distinct", 1, 100_000)
        watch = self.watch(parts["anomaly"], of, every, over, where) if "anomaly" in parts else None
        usual = 0 if watch is None else max(EMPTY, watch.season)
        forget = usual
        if "forget" in parts:
            forget = -(-(self.length(parts["forget"], f"{where}, forget", zero=True) or 0) // every)
        text = self.setting("most", parts, top)
        most = self.whole(text, f"{where}, most", 1, MOST_CELLS)
        if len(self.problems) > before:
            return None
        made = Aggregate(name, every, over, by, of, test, watch, currency, lateness, 1,
                         distinct or DEFAULTS["distinct"], forget)  # fmt: skip
        each = max(made.kept, watch.kept if watch else 0, forget)  # periods that a group may take
        if each > MOST_CELLS or (most or 1) * each > MOST_CELLS:
            kept = f"it would keep {each:,} periods for each of {most or 1:,} groups"
            self.wrong(text or node, f"{where}: {kept}; at most {MOST_CELLS:,} in all are. Lower most (below "
                                     f"{MOST_CELLS // each + 1:,}), the lateness, forget or past, or raise "
                                     "every.")  # fmt: skip
            return None
        return replace(made, most=most or min(DEFAULTS["most"], MOST_CELLS // each))

    def check_name(self, name: str, parts: Mapping[str, Any], node: Any) -> None:
        """Names are words, each of one aggregate."""
        if not name:
            return
        if not re.fullmatch(r"[^\W\d]\w{0,99}", name):
            self.wrong(parts["name"], f'"{name}": a name is one word of letters, digits and _.')
        taken = self.names.setdefault(name, node.start_mark.line + 1)
        if taken != node.start_mark.line + 1:
            self.wrong(parts["name"], f'the name "{name}" is taken by the aggregate at line {taken}.')

    def setting(self, name: str, parts: Mapping[str, Any], top: Mapping[str, Any]) -> Any:
        """Return the node of an aggregate's own setting, else that of the file's, else None."""
        return parts.get(name, top.get(name))

    def length(self, node: Any, where: str, zero: bool = False) -> int | None:
        """Read a length of time in microseconds; None where there is none."""
        text = None if node is None else self.scalar(node, where)
        if text is None:
            return None
        try:
            return durations.parse(text, zero=zero)
        except ValueError as error:
            self.wrong(node, f"{where}: {error}.")
            return None

    def whole(self, node: Any, where: str, least: int, most: int) -> int | None:
        """Read a whole number within bounds; None where there is none."""
        text = None if node is None else self.scalar(node, where)
        if text is None:
            return None
        if not re.fullmatch(r"[0-9]{1,9}", text) or not least <= int(text) <= most:
            self.wrong(node, f'{where}: a whole number from {least:,} to {most:,} is wanted, not "{text}".')
            return None
        return int(text)

    def by(self, node: Any, where: str) -> tuple[str, ...]:
        """Read the columns of groups."""
        found = tuple(dict.fromkeys(self.texts(node, f"{where}, by")))
        for name in found:
            if name in DECISION and DECISION[name] == "text":
                continue
            column = self.named(name)
            if column is None or name in DECISION:
                known = [
                    c.name for c in self.contract.columns if c.type in GROUPABLE and c.max_bytes <= PROSE
                ]
                names = [*known, *(name for name, kind in DECISION.items() if kind == "text")]
                self.wrong(node, f'{where}, by: there is no "{name}" to group by. {near(name, names)}')
            elif column.type not in GROUPABLE:
                self.wrong(node, f"{where}, by: {name} is a {column.type}; groups are of texts, categories, "
                                 "whole numbers and flags.")  # fmt: skip
            elif column.max_bytes > PROSE:
                self.wrong(node, f"{where}, by: {name} is what people write, and no name of a group.")
        return found

    def values(self, node: Any, where: str) -> tuple[Value, ...]:
        """Read the values of each window."""
        items = [(item, self.scalar(item, f"{where}, of")) for item in self.items(node, f"{where}, of")]
        found = [self.value(item, " ".join(text.split()), where) for item, text in items if text]
        if not items:
            self.wrong(node, f"{where}, of: there is nothing in it. {FORMS}")
        if len(items) > MOST_VALUES:
            self.wrong(node, f"{where}, of: at most {MOST_VALUES} values are taken.")
        values = tuple(value for value in found if value is not None)
        for value in {value.text for value in values if sum(v.text == value.text for v in values) > 1}:
            self.wrong(node, f'{where}, of: "{value}" is said twice.')
        return values

    def value(self, node: Any, text: str, where: str) -> Value | None:
        kind, _, rest = text.partition(" ")
        if kind not in KINDS:
            self.wrong(node, f'{where}, of: there is no "{kind}". {did_you_mean(kind, KINDS)}')
        elif kind == "count":
            if not rest:
                return Value(text, kind)
            self.wrong(
                node, f'{where}, of: count stands alone. To count some rows say "share CONDITION" or `where`.'
            )
        elif not rest:
            self.wrong(node, f'{where}, of: "{kind}" of what? {FORMS}')
        elif kind == "share":
            condition = self.condition(node, f"{where}, of", rest)
            return None if condition is None else Value(text, kind, when=condition)
        else:
            return self.measured(node, text, kind, rest, where)
        return None

    def measured(self, node: Any, text: str, kind: str, name: str, where: str) -> Value | None:
        """Read a value of a column."""
        column = self.named(name)
        typed = "number" if name == "score" else "text" if name in DECISION else column and column.type
        wanted = (*GROUPABLE, "money") if kind == "distinct" else COUNTABLE
        if typed in wanted:
            return Value(text, kind, name, str(typed))
        if typed is None or (typed == "text" and name in DECISION):
            names = [c.name for c in self.contract.columns if c.type in wanted]
            self.wrong(node, f'{where}, of: there is no "{name}" for {kind}. {near(name, names)}')
        else:
            self.wrong(node, f"{where}, of: {name} is a {typed}, which has no {kind}.")
        return None

    def named(self, name: str) -> Column | None:
        """Find a column of the contract."""
        return next((column for column in self.contract.columns if column.name == name), None)

    def currency(self, of: tuple[Value, ...], node: Any, where: str) -> str:
        """Return the column of the currency that amounts are in; all of an aggregate have the same."""
        columns = {self.contract.column(value.column).currency or "currency" for value in of if value.money}
        if len(columns) > 1:
            names = ", ".join(sorted(columns))
            own = f"its amounts have currencies of their own ({names})"
            self.wrong(node, f"{where}: {own}; make an aggregate of each.")
        return min(columns, default="")

    def condition(self, node: Any, where: str, text: str | None = None) -> Condition | None:
        text = text or self.scalar(node, where)
        if text is None:
            return None
        try:
            return Condition.parse(text, self.kinds)
        except UsageError as error:
            self.wrong(node, f"{where}: {error.message} {error.hint}".rstrip())
            return None

    def watch(self, node: Any, of: tuple[Value, ...], every: int, over: int, where: str) -> Watch | None:
        """Read which series are watched, and how."""
        where = f"{where}, anomaly"
        before = len(self.problems)
        parts = {"of": node}
        if isinstance(node, yaml.MappingNode):
            parts = self.mapping(node, WATCHED, where, ("of",))
        asked = [" ".join(text.split()) for text in self.texts(parts["of"], where)] if "of" in parts else []
        names = [value.text for value in of]
        for name in asked:
            if name not in names:
                self.wrong(node, f'{where}: "{name}" is none of its values. {did_you_mean(name, names)}')
        season = self.length(parts.get("season"), f"{where}, season")
        if season is not None and (season % every or season < 2 * every):
            self.wrong(node, f"{where}: a season is a whole number of times every, and at least two.")
        past = self.whole(parts.get("past"), f"{where}, past", 3, 10_000) or (7 if season else 30)
        least = self.whole(parts.get("least"), f"{where}, least", 3, 10_000) or min(past, 4 if season else 10)
        if least > past:
            self.wrong(node, f"{where}: least is more than past, so nothing would ever be said.")
        trend = self.whole(parts.get("trend"), f"{where}, trend", 3, 60) or 20
        limit = self.number(parts.get("limit"), f"{where}, limit")
        if len(self.problems) > before:
            return None
        places = tuple(sorted({names.index(name) for name in asked}))
        return Watch(places, (season or over) // every, past, least, limit or 5.0, trend)

    def number(self, node: Any, where: str) -> float | None:
        text = None if node is None else self.scalar(node, where)
        if text is None:
            return None
        if not re.fullmatch(r"[0-9]{0,4}\.?[0-9]{0,6}", text) or text == "." or not 0 < float(text) <= 1000:
            self.wrong(node, f'{where}: a number above 0 and up to 1000 is wanted, not "{text}".')
            return None
        return float(text)
