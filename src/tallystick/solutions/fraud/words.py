"""What moved a decision, in words with values: "11 payments of this card in 5 minutes; usually 0.3".

Features are read by their names: of a window (`customer_id__count__5m`), of a column (`amount`), of a value
of a category (`place=Lagos`). Any other name is said as it is, so that each feature has its words. Times come
in seconds and shares from 0 to 1, as windows give them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache

from tallystick.solutions.fraud.quantities import counted, duration, money, number, percent, plural

__all__ = ["in_words"]

WINDOW = re.compile(r"([0-9]+)([smhdw])")
UNITS = {"s": "second", "m": "minute", "h": "hour", "d": "day", "w": "week"}
UNKNOWN = "unknown"

#: Column of an entity → what it is called, and how a payment stands to it.
ENTITIES = {
    "customer_id": ("card", "of"),
    "terminal_id": ("terminal", "at"),
    "payee_id": ("payee", "to"),
    "device_id": ("device", "with"),
    "place": ("place", "in"),
    "merchant_category": ("merchant category", "in"),
}
#: Aggregates of the events themselves, which can be called what they are.
EVENTS = ("count", "since_last", "since_first", "since_run_start")
#: Conditions and suffixes, those of the solution's own windows too.
CONDITIONS = {
    "known_fraud": "known as fraud",
    "night": "at night",
    "weekend": "at the weekend",
    "high": "at least twice the usual",
    "very_high": "at least three times the usual",
    "ordinary": "of ordinary amounts",
    "ordinary_fraud": "of ordinary amounts",
    "before": "up to a week ago",
}
#: Conditions that make of payments something else.
FRAUDS = ("known_fraud", "ordinary_fraud")
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
#: Flags: what is said where they are true, and where they are not.
FLAGS = {
    "night": ("at night", "not at night"),
    "weekend": ("at the weekend", "not at the weekend"),
    "known_fraud": ("known as fraud", "not known as fraud"),
}
MONEY = (
    "amount",
    "payer_balance_before",
    "payer_balance_after",
    "payee_balance_before",
    "payee_balance_after",
)


@dataclass(frozen=True)
class _Behaviour:
    """A window feature's name, taken apart and put in words."""

    entities: tuple[str, ...]
    aggregate: str
    column: str
    window: str
    tail: str  # condition and suffix, in brackets
    currency: str
    noun: str = "payment"

    @cached_property
    def of(self) -> str:
        """`of this card at this terminal`."""
        return " ".join(f"{_entity(one)[1]} this {_entity(one)[0]}" for one in self.entities)

    @cached_property
    def whose(self) -> str:
        """`the card's`, where it is one entity."""
        return f"the {_entity(self.entities[0])[0]}'s"

    def stated(self, value: float) -> str:
        """Write a value of the column that is told of."""
        return money(value, self.currency) if self.column in MONEY else number(value)


Say = Callable[[_Behaviour, float], str]


def in_words(
    feature_name: str, value: float | None, usual: float | None = None, *, currency: str = ""
) -> str:
    """Say a feature of one payment in words, and what is usual where that is given and known.

    currency: what amounts are followed by.

    >>> in_words("customer_id__count__5m", 11, 0.3)
    '11 payments of this card in 5 minutes; usually 0.3'
    >>> in_words("customer_id__ratio_amount__30d", 4.2), in_words("amount", 12.5, currency="EUR")
    ("amount 4.2 times the card's mean of 30 days", 'amount 12.50 EUR')
    """
    known = math.nan if value is None else float(value)
    normal = None if usual is None or math.isnan(usual) else float(usual)
    behaviour = _behaviour(feature_name, currency)
    if behaviour is not None:
        label, say, _ = AGGREGATES[behaviour.aggregate]
        if math.isnan(known):
            return f"{label(behaviour)}{behaviour.tail}: {UNKNOWN}"
        tail = "" if normal is None else _usually(feature_name, normal, currency)
        return f"{say(behaviour, known)}{behaviour.tail}{tail}"
    return _direct(feature_name, known, normal, currency)


@lru_cache(maxsize=4096)  # names come again and again, and taking one apart costs more than saying it
def _behaviour(name: str, currency: str) -> _Behaviour | None:
    """Take the name of a window feature apart; None where it is none."""
    head, *rest = name.split("__")
    if len(rest) < 2 or not all(head.split("+")):
        return None
    what, window, *tail = rest
    for aggregate in sorted(AGGREGATES, key=len, reverse=True):
        if what != aggregate and not what.startswith(f"{aggregate}_"):
            continue
        length = WINDOW.fullmatch(window)
        if length is None and window != "ever":
            return None
        said = "" if length is None else counted(float(length[1]), UNITS[length[2]])
        noun = "payment"
        if tail and tail[0] in FRAUDS and aggregate in EVENTS:
            noun, tail = "known fraud", tail[1:] if tail[0] == "known_fraud" else tail
        conditions = ", ".join(CONDITIONS.get(one, one.replace("_", " ")) for one in tail)
        brackets = f" ({conditions})" if conditions else ""
        column = what[len(aggregate) + 1 :]
        return _Behaviour(tuple(head.split("+")), aggregate, column, said, brackets, currency, noun)
    return None


@lru_cache(maxsize=4096)  # what is usual is the same for every payment
def _usually(name: str, value: float, currency: str) -> str:
    """Say what is usual of a window feature."""
    behaviour = _behaviour(name, currency)
    assert behaviour is not None
    return f"; usually {AGGREGATES[behaviour.aggregate][2](behaviour, value)}"


def _direct(name: str, value: float, usual: float | None, currency: str) -> str:
    """Say what is told of the payment itself."""
    column, equals, member = name.partition("=")
    if equals:
        said = UNKNOWN if math.isnan(value) else member if value == 1 else f"not {member}"
        return f"{_plain(column)}: {said}"
    if math.isnan(value):
        return f"{_plain(name)} is {UNKNOWN}"
    if name in FLAGS and value in (0, 1):
        return FLAGS[name][0 if value else 1]
    if name == "weekday" and value in range(7):
        return f"on a {WEEKDAYS[int(value)]}"
    if name == "hour" and value in range(24):
        tail = "" if usual is None else f"; usually about {number(usual)}"
        return f"between {int(value):02}:00 and {int(value):02}:59{tail}"
    if name in MONEY:
        verb = " " if name == "amount" else " is "
        tail = "" if usual is None else f"; usually {money(usual, currency)}"
        return f"{_plain(name)}{verb}{money(value, currency)}{tail}"
    tail = "" if usual is None else f"; usually {number(usual)}"
    return f"{_plain(name)} is {number(value)}{tail}"


def _count(b: _Behaviour, value: float) -> str:
    if value == 0 and len(b.entities) > 1 and not b.tail and b.noun == "payment":
        return f"first payment {b.of} in {b.window}"
    many = f"no {b.noun}" if value == 0 else counted(value, b.noun)
    return f"{many} {b.of} in {b.window}"


def _distinct(b: _Behaviour, value: float) -> str:
    many = "no" if value == 0 else number(value)
    what = ENTITIES.get(b.column, (_plain(b.column), ""))[0]
    return f"{many} {'' if value in (0, 1) else 'different '}{plural(what, value)} {_by(b)} in {b.window}"


def _since(b: _Behaviour, value: float, what: str) -> str:
    whole = f"{b.whose} {what} {b.noun}" if len(b.entities) == 1 else f"the {what} {b.noun} {b.of}"
    late = "before" if value < 0 else "after"
    within = f" in {b.window}" if what != "last" and b.window else ""
    return f"{duration(abs(value))} {late} {whole}{within}"


def _run(b: _Behaviour, value: float) -> str:
    return f"{duration(value)} since a run of {plural(b.noun, 2)} {b.of} began"


def _seen(b: _Behaviour, value: float) -> str:
    return f"{_together(b)} first seen {duration(value)} ago"


def _ratio(b: _Behaviour, value: float, mean: str) -> str:
    whole = f"{b.whose} {mean} of {b.window}"
    if len(b.entities) > 1:
        whole = f"the {mean} of {b.window} {b.of}"
    return f"{_plain(b.column)} {number(value)} times {whole}"


def _share(b: _Behaviour, value: float) -> str:
    return f"{percent(value)} of the payments {b.of} in {b.window}"


def _risk(b: _Behaviour, value: float) -> str:
    return f"{percent(value)} of the payments {b.of} in {b.window} known as fraud"


def _value(label: Callable[[_Behaviour], str]) -> tuple[Callable[[_Behaviour], str], Say, Say]:
    """Words for a statistic of a column: `mean amount of this card in 7 days is 54.20`."""
    return label, lambda b, v: f"{label(b)} is {b.stated(v)}", lambda b, v: b.stated(v)


def _statistic(adjective: str) -> Callable[[_Behaviour], str]:
    return lambda b: f"{adjective} {_plain(b.column)} {b.of} in {b.window}"


def _plainly(_: _Behaviour, value: float) -> str:
    return number(value)


def _lasting(_: _Behaviour, value: float) -> str:
    return duration(value)


def _percentage(_: _Behaviour, value: float) -> str:
    return percent(value)


#: Aggregate → what it is called (where its value is not known), its sentence, and how a usual value is shown.
AGGREGATES: dict[str, tuple[Callable[[_Behaviour], str], Say, Say]] = {
    "count": (lambda b: f"number of {plural(b.noun, 2)} {b.of} in {b.window}", _count, _plainly),
    "sum": _value(_statistic("total")),
    "mean": _value(_statistic("mean")),
    "std": _value(_statistic("standard deviation of the")),
    "min": _value(_statistic("least")),
    "max": _value(_statistic("greatest")),
    "trimmed_mean": _value(_statistic("trimmed mean")),
    "ratio": (
        lambda b: f"{_plain(b.column)} against the mean of {b.window} {b.of}",
        lambda b, v: _ratio(b, v, "mean"),
        _plainly,
    ),
    "ratio_trimmed": (
        lambda b: f"{_plain(b.column)} against the trimmed mean of {b.window} {b.of}",
        lambda b, v: _ratio(b, v, "trimmed mean"),
        _plainly,
    ),
    "distinct": (
        lambda b: (
            f"number of different {plural(ENTITIES.get(b.column, (_plain(b.column), ''))[0], 2)} "
            f"{_by(b)} in {b.window}"
        ),
        _distinct,
        _plainly,
    ),
    "share": (lambda b: f"share of the payments {b.of} in {b.window}", _share, _percentage),
    "risk": (lambda b: f"share known as fraud of the payments {b.of} in {b.window}", _risk, _percentage),
    "since_last": (
        lambda b: f"time since the last {b.noun} {b.of}",
        lambda b, v: _since(b, v, "last"),
        _lasting,
    ),
    "since_first": (
        lambda b: f"time since the first {b.noun} {b.of} in {b.window}",
        lambda b, v: _since(b, v, "first"),
        _lasting,
    ),
    "since_run_start": (lambda b: f"time since a run of {plural(b.noun, 2)} {b.of} began", _run, _lasting),
    "first_seen": (lambda b: f"time since {_together(b)} was first seen", _seen, _lasting),
}


def _entity(column: str) -> tuple[str, str]:
    return ENTITIES.get(column, (_plain(column), "of"))


def _together(b: _Behaviour) -> str:
    """`this card with this terminal`."""
    return " with ".join(f"this {_entity(one)[0]}" for one in b.entities)


def _by(b: _Behaviour) -> str:
    """As `of`, for what is counted beside payments: `for this card`, `at this terminal`."""
    return b.of.replace("of this", "for this", 1).replace("to this", "for this", 1)


def _plain(column: str) -> str:
    """`payer_balance_before` → `payer balance before`, `account_id` → `account`; with `__` it stays."""
    if column in ENTITIES:
        return ENTITIES[column][0]
    return column if "__" in column else column.removesuffix("_id").replace("_", " ")
