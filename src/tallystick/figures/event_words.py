"""A report on events in plain words: what came out, what thresholds do, how the rows were held out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from tallystick.figures.words import level, number, share

__all__ = ["Nouns", "amount", "event_outcome", "held_out_events", "label_words", "rare", "spell"]


class Nouns(NamedTuple):
    """What a record is called, one and many, and what is looked for among them."""

    record: str
    records: str
    event: str
    events: str

    @classmethod
    def of(cls, records: str) -> Nouns:
        """Find the nouns that go with a name for the records.

        >>> Nouns.of("fraud").records, Nouns.of("loans").events
        ('payments', 'events')
        """
        if records == "fraud":
            return cls("payment", "payments", "fraud", "frauds")
        return cls("record", records, "event", "events")


def event_outcome(report: Mapping[str, Any], nouns: Nouns) -> str:
    """Say in plain words what came out.

    >>> report = {"rows": 1000, "events": 8, "average_precision": 0.5, "baseline": {"share": 0.008}}
    >>> event_outcome(report, Nouns.of("fraud")).split(". ")[0]
    'Of 1,000 payments, 8 (0.8\\xa0%) were frauds'
    """
    base = (report.get("baseline") or {}).get("share")
    words = [
        f"Of {report['rows']:,} {nouns.records}, {report['events']:,} ({rare(base)}) were {nouns.events}."
    ]
    precision = report.get("average_precision")
    if precision is None:
        return " ".join(
            [*words, f"Without {nouns.events} there is nothing to find, and few figures are defined."]
        )
    low, high = report.get("intervals", {}).get("average_precision") or (None, None)
    sure = "" if low is None else f" ({level(report)} interval {number(low)} to {number(high)})"
    chance = f"; scores that know nothing give {number(base)}" if base is not None else ""
    best = (report.get("oracle") or {}).get("average_precision")
    best_words = "" if best is None else f", and the best that can be expected is {number(best)}"
    words.append(f"Average precision is {number(precision)}{sure}{chance}{best_words}.")
    together = (report.get("thresholds") or {}).get("together")
    if together and together.get("recall") is not None:
        words.append(
            f"With the chosen thresholds {share(together['recall'])} of the {nouns.events} are flagged, and "
            f"{share(together['precision'])} of what is flagged is {nouns.event}"
            + (f", {_per_day(together)}." if together.get("alerts_per_day") is not None else ".")
        )
    for currency, money in (report.get("money") or {}).items():
        if money and money["fraud"] > 0:
            words.append(
                f"{amount(money['stopped'], currency)} of {amount(money['fraud'], currency)} "
                "would be stopped."
            )
    return " ".join(words)


def _per_day(together: Mapping[str, Any]) -> str:
    look, stop = spell(together["alerts_per_day"]), spell(together["declined_per_day"])
    return f"{look} to look at and {stop} declined a day"


def held_out_events(report: Mapping[str, Any], nouns: Nouns) -> str:
    """Say how rows were held out, what was left out, and how intervals were drawn.

    >>> held_out_events({"split": {"kind": "time"}}, Nouns.of("fraud")).split(". ")[0]
    'How the payments were held out: time.'
    """
    split = dict(report.get("split") or {})
    words = []
    if split:
        kind = split.pop("kind", "a split")
        more = "; ".join(f"{str(name).replace('_', ' ')}: {value}" for name, value in split.items())
        words.append(f"How the {nouns.records} were held out: {kind}" + (f" ({more})." if more else "."))
    passed = {name: count for name, count in (report.get("left_out") or {}).items() if count}
    if passed:
        words.append("Passed over: " + "; ".join(f"{count:,} {name}" for name, count in passed.items()) + ".")
    if report.get("intervals"):
        groups = report.get("groups")
        drawn = f"{groups:,} cards (each with all it did)" if groups else f"single {nouns.records}"
        words.append(f"Intervals are percentile bootstrap over {drawn}, {report.get('rounds', 0):,} rounds.")
    if report.get("weeks"):
        words.append(
            f"Figures of ranking are means over the {len(report['weeks'])} weeks; their intervals, and all "
            f"other figures, are of the {nouns.records} of all weeks together."
        )
    return " ".join(words)


def label_words(report: Mapping[str, Any], nouns: Nouns) -> str:
    """Say from which score on a row counts as flagged in the figures of decisions.

    >>> label_words({"yes_from": 0.25}, Nouns.of("fraud"))
    'A payment counts as flagged from a score of 0.25 on.'
    """
    if report.get("yes_from") is None:
        return ""
    return f"A {nouns.record} counts as flagged from a score of {report['yes_from']:.4g} on."


def rare(value: float | None) -> str:
    """Write a share that may be small with as many digits as it needs, a dash where it is undefined.

    >>> rare(0.435), rare(0.00992), rare(0.0), rare(None)
    ('43.5\\xa0%', '0.99\\xa0%', '0\\xa0%', '–')
    """
    if value is None:
        return "–"
    if abs(value) >= 0.01:
        return share(value)
    return f"{value * 100:.2g}\N{NO-BREAK SPACE}%"


def amount(value: float | None, currency: str = "") -> str:
    """Write an amount of money in whole units, its currency behind it.

    >>> amount(-1234.5, "EUR"), amount(None)
    ('\\u22121,234\\xa0EUR', '–')
    """
    if value is None:
        return "–"
    said = f"{abs(value):,.0f}"
    sign = "\N{MINUS SIGN}" if value < 0 and said != "0" else ""
    return sign + said + (f"\N{NO-BREAK SPACE}{currency}" if currency else "")


def spell(value: float | None) -> str:
    """Write a number of things a day: whole where large, with a decimal where small.

    >>> spell(1234.4), spell(1.8), spell(0.048), spell(0.0), spell(None)
    ('1,234', '1.8', '0.05', '0', '–')
    """
    if value is None:
        return "–"
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 1 else f"{value:.2f}" if value else "0"
