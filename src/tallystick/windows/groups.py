"""One entry of a declaration: an entity, its windows, and what is wanted of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from tallystick import durations
from tallystick.errors import UsageError, did_you_mean

__all__ = ["AGGREGATES", "DEFAULTS", "Aggregate", "Group"]

#: Aggregate → what it takes beside events: nothing, a value (money or a number) or a text of another column.
AGGREGATES: Final = {
    "count": "", "sum": "value", "mean": "value", "std": "value", "min": "value", "max": "value",
    "ratio": "value", "trimmed_mean": "value", "ratio_trimmed": "value", "distinct": "text", "share": "",
    "risk": "", "since_last": "", "since_first": "", "since_run_start": "", "first_seen": "",
}  # fmt: skip

#: Words that hold for all entries, or in an entry for that one.
DEFAULTS: Final[dict[str, Any]] = {
    "mode": "tiled", "tiles": 30, "cap": 1024, "distinct_cap": 64, "include_current": False, "gap": "7d",
    "trim": 0.1,
}  # fmt: skip
_WORDS: Final = ("entity", "windows", "aggregates", "where", "delay", "suffix", *DEFAULTS)
_WHOLE: Final = {"tiles": (1, 4096), "cap": (1, 65_536), "distinct_cap": (2, 4096)}


@dataclass(frozen=True, slots=True)
class Aggregate:
    """What is computed: its kind, and the column that it is computed of ("" for events themselves)."""

    kind: str
    column: str = ""

    @property
    def exact(self) -> bool:
        """Say whether it needs the events themselves, whatever the mode."""
        return self.kind in ("trimmed_mean", "ratio_trimmed")


@dataclass(frozen=True, slots=True)
class Group:
    """One entry, checked; lengths of time in microseconds beside their words, trim in millionths."""

    entity: tuple[str, ...]
    windows: tuple[tuple[str, int], ...]
    aggregates: tuple[Aggregate, ...]
    where: str
    delay: int
    suffix: str
    mode: str
    tiles: int
    cap: int
    distinct_cap: int
    include_current: bool
    gap: int
    trim: int

    def names(self) -> list[tuple[str, Aggregate, int]]:
        """Return each feature's name, its aggregate and its window (0 for `first_seen`, which has none)."""
        tail = "".join(f"__{part}" for part in (self.where, self.suffix) if part)
        found = []
        for one in self.aggregates:
            what = f"{one.kind}_{one.column}" if one.column else one.kind
            head = f"{'+'.join(self.entity)}__{what}__"
            if one.kind == "first_seen":
                found.append((f"{head}ever{tail}", one, 0))
            else:
                found += [(f"{head}{text}{tail}", one, length) for text, length in self.windows]
        return found

    @classmethod
    def of(
        cls,
        entry: object,
        defaults: Mapping[str, Any],
        conditions: Mapping[str, object],
        spot: str,
        problems: list[UsageError],
    ) -> Group | None:
        """Check one entry; what is wrong with it goes to problems, and then there is no group.

        spot: what errors call it.
        """
        if not isinstance(entry, Mapping):
            hint = "Begin: {entity: COLUMN, …}"
            problems.append(UsageError(f"{spot} is not a list of words and values.", hint))
            return None
        before = len(problems)
        value = _Values(spot, {**defaults, **entry}, problems)
        for word in entry:
            if word not in _WORDS:
                value.wrong("", f'there is no word "{word}"', did_you_mean(str(word), _WORDS))
        lacking = [word for word in _WORDS[:3] if not entry.get(word)]
        problems += [UsageError(f"{spot} lacks the word {word}.") for word in lacking]
        where = str(entry.get("where") or "")
        if where and where not in conditions:
            near = did_you_mean(where, conditions) + " Name what you mean under `conditions`."
            value.wrong("where", f'there is no condition "{where}"', near)
        group = cls(
            entity=tuple(value.texts("entity")),
            windows=tuple((text, value.length("windows", text)) for text in value.texts("windows")),
            aggregates=tuple(made for text in value.texts("aggregates") if (made := value.aggregate(text))),
            where=where,
            delay=value.length("delay", entry["delay"]) if entry.get("delay") not in (None, 0, "0d") else 0,
            suffix=str(entry.get("suffix") or ""),
            mode=value.mode(),
            tiles=value.whole("tiles"),
            cap=value.whole("cap"),
            distinct_cap=value.whole("distinct_cap"),
            include_current=value.flag("include_current"),
            gap=value.length("gap", value.given["gap"]),
            trim=value.share("trim"),
        )
        if len(problems) == before:
            group._check(value, "delay" in entry)
        return group if len(problems) == before else None

    def _check(self, value: _Values, delayed: bool) -> None:
        """Find what does not fit together."""
        if len(set(self.entity)) != len(self.entity):
            value.wrong("entity", f"{', '.join(self.entity)} cannot be one", "Name columns, each once.")
        for one in self.aggregates:
            if one.kind == "share" and not self.where:
                value.wrong("", "share lacks a where", "It is the share of events that meet it.")
            if one.kind == "first_seen" and (self.where or self.delay):
                value.wrong("", "first_seen takes no where and no delay", "since_first does.")
            if one.kind == "risk" and not delayed:
                late = "Labels arrive late: `delay: 7d` counts labels and events up to 7 days ago."
                value.wrong("", "risk lacks a delay", late)
        for text, length in self.windows if self.mode == "tiled" else ():
            if length % self.tiles:
                hint = "Choose `tiles` that divide it, such as 30 or 24."
                value.wrong("windows", f"{text} cannot be cut into {self.tiles} equal tiles", hint)


class _Values:
    """Reads the values of one entry, and notes where one is wrong; a default stands in for it."""

    def __init__(self, spot: str, given: dict[str, Any], problems: list[UsageError]) -> None:
        self.spot, self.given, self.problems = spot, given, problems

    def texts(self, word: str) -> list[str]:
        value = self.given.get(word) or []
        values = [value] if isinstance(value, str) else value
        if isinstance(values, list | tuple) and all(isinstance(v, str) and v.strip() for v in values):
            return [v.strip() for v in values]
        self.wrong(word, "a text or a list of texts is wanted")
        return []

    def length(self, word: str, text: object) -> int:
        try:
            return durations.parse(str(text))
        except ValueError as error:
            self.wrong(word, str(error))
            return 0

    def aggregate(self, text: str) -> Aggregate | None:
        kind, _, column = text.partition(" ")
        column = column.strip()
        if kind not in AGGREGATES:
            self.wrong("aggregates", f'there is no "{kind}"', did_you_mean(kind, AGGREGATES))
        elif bool(column) != bool(AGGREGATES[kind]):
            said = f"write the column after it: `{kind} COLUMN`" if AGGREGATES[kind] else "it takes no column"
            self.wrong("aggregates", f'"{text}": {said}')
        else:
            return Aggregate(kind, column)
        return None

    def mode(self) -> str:
        if self.given["mode"] not in ("tiled", "exact"):
            self.wrong("mode", f'"{self.given["mode"]}" is none; there are tiled and exact')
        return str(self.given["mode"])

    def whole(self, word: str) -> int:
        least, most = _WHOLE[word]
        value = self.given[word]
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            self.wrong(word, f"a whole number from {least} to {most} is wanted, not {value}")
            return int(DEFAULTS[word])
        return value

    def flag(self, word: str) -> bool:
        if not isinstance(self.given[word], bool):
            self.wrong(word, f'true or false is wanted, not "{self.given[word]}"')
        return bool(self.given[word])

    def share(self, word: str) -> int:
        value = self.given[word]
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 0.5:
            self.wrong(word, f"a share from 0 to below .5 is wanted, not {value}")
            return 0
        return round(value * 1_000_000)

    def wrong(self, word: str, said: str, hint: str = "") -> None:
        """Note what is wrong, with a word or an entry as a whole."""
        place = f"{self.spot}, {word}" if word else self.spot
        self.problems.append(UsageError(f"{place}: {said}.", hint))
