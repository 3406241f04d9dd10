"""The report on a binary task in plain words: outcome, thresholds, how rows were held out, costs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tallystick.evaluation.thresholds import ACTIONS
from tallystick.report import Nouns
from tallystick.report.formatting import amount, level, number, rare, share, spell

__all__ = ["action_names", "binary_outcome", "cold_words", "costs_words", "held_out_words", "label_words"]


def action_names(thresholds: Mapping[str, Any] | None) -> list[str]:
    """Return the names of the actions that thresholds lead to, the weakest first.

    The order of the mapping says nothing: a manifest has its keys in the order of the alphabet.

    >>> action_names({"decline": {"threshold": 0.9}, "review": {"threshold": 0.5}, "together": {}})
    ['review', 'decline']
    """
    names = [
        name for name, did in (thresholds or {}).items() if isinstance(did, Mapping) and "threshold" in did
    ]
    return sorted(names, key=lambda name: ACTIONS.index(name) if name in ACTIONS else len(ACTIONS))


def binary_outcome(report: Mapping[str, Any], nouns: Nouns) -> str:
    """Say in plain words how many events there are, how well they rank, and what the thresholds do.

    >>> report = {"rows": 1000, "events": 8, "average_precision": 0.5, "baseline": {"share": 0.008}}
    >>> binary_outcome(report, Nouns(events="frauds")).split(". ")[0]
    'Of 1,000 records, 8 (0.8\\xa0%) were frauds'
    """
    base = (report.get("baseline") or {}).get("share")
    words = [
        f"Of {report['rows']:,} {nouns.records}, {report['events']:,} ({rare(base)}) were {nouns.events}."
    ]
    precision = report.get("average_precision")
    if precision is None:
        words.append(f"Without {nouns.events} there is nothing to find, and few figures are defined.")
        return " ".join(words)
    low, high = (report.get("intervals") or {}).get("average_precision") or (None, None)
    interval = "" if low is None else f" ({level(report)} interval {number(low)} to {number(high)})"
    chance = f"; a random order gives {number(base)}" if base is not None else ""
    best = (report.get("oracle") or {}).get("average_precision")
    oracle = "" if best is None else f", and the best that can be expected is {number(best)}"
    words.append(f"Average precision is {number(precision)}{interval}{chance}{oracle}.")
    thresholds = report.get("thresholds") or {}
    together = thresholds.get("together")
    if together and together.get("recall") is not None:
        # Thresholds look a little better on the rows that they were chosen on than in the table.
        where = "On the scores that the thresholds were chosen on, " * bool(thresholds.get("in_sample"))
        words.append(
            f"{where or 'With the chosen thresholds '}"
            f"{share(together['recall'])} of the {nouns.events} are flagged, and "
            f"{share(together['precision'])} of what is flagged is {nouns.is_event}"
            + (f", {_per_day(together, nouns)}." if together.get("alerts_per_day") is not None else ".")
        )
    for currency, money in (report.get("money") or {}).items():
        if money and money["fraud"] > 0:
            words.append(
                f"{amount(money['stopped'], currency)} of {amount(money['fraud'], currency)} would be "
                "stopped."
            )
    return " ".join(words)


def _per_day(together: Mapping[str, Any], nouns: Nouns) -> str:
    look, stop = spell(together["alerts_per_day"]), spell(together["declined_per_day"])
    return f"{look} to look at and {stop} {nouns.stopped} a day"


def held_out_words(report: Mapping[str, Any], nouns: Nouns) -> str:
    """Say how rows were held out, what was left out, and how intervals were drawn.

    >>> held_out_words({"split": {"kind": "time"}}, Nouns())
    'How the records were held out: time.'
    """
    split = dict(report.get("split") or {})
    words = []
    if split:
        kind = split.pop("kind", "a split")
        more = "; ".join(f"{str(name).replace('_', ' ')}: {value}" for name, value in split.items())
        words.append(f"How the {nouns.records} were held out: {kind}" + (f" ({more})." if more else "."))
    left_out = {name: count for name, count in (report.get("left_out") or {}).items() if count}
    if left_out:
        words.append("Left out: " + "; ".join(f"{count:,} {name}" for name, count in left_out.items()) + ".")
    if report.get("intervals"):
        groups = report.get("groups")
        drawn = (
            f"{groups:,} {nouns.entities} (each with all its rows)" if groups else f"single {nouns.records}"
        )
        words.append(f"Intervals are percentile bootstrap over {drawn}, {report.get('rounds', 0):,} rounds.")
    if report.get("weeks"):
        words.append(
            f"Figures of ranking are means over the {len(report['weeks'])} weeks; their intervals, and all "
            f"other figures, are of the {nouns.records} of all weeks together."
        )
    return " ".join(words)


def label_words(report: Mapping[str, Any], nouns: Nouns) -> str:
    """Say from which score on a row counts as flagged in the figures of decisions.

    >>> label_words({"yes_from": 0.25}, Nouns())
    'A record counts as flagged from a score of 0.25 on.'
    """
    if report.get("yes_from") is None:
        return ""
    return f"A {nouns.record} counts as flagged from a score of {report['yes_from']:.4g} on."


def cold_words(training: Mapping[str, Any]) -> str:
    """Say where a model was learned with less history than its windows look back.

    >>> cold_words({"history": {"days": 40.0, "window_days": 90.0}}).split(";")[0]
    'learned cold: 40 days of history, while the longest window looks back 90 days'
    """
    history = training.get("history") or {}
    if not history or history["days"] >= history["window_days"]:
        return ""
    return (
        f"learned cold: {history['days']:g} days of history, while the longest window looks back "
        f"{history['window_days']:g} days; what windows count still grows, so probabilities may be off until "
        "it is learned again with more"
    )


def costs_words(report: Mapping[str, Any], nouns: Nouns) -> str:
    """Say what mistakes were taken to cost.

    >>> costs_words({"costs": {"review_cost": 5.0, "caught_share": 1.0}}, Nouns())
    'Assumed costs: 5 for each review of a record; of the events reviewed, 100.0\\xa0% are stopped.'
    """
    costs = report.get("costs") or {}
    words = []
    if "review_cost" in costs:
        words.append(f"{costs['review_cost']:g} for each review of a {nouns.record}")
    if costs.get("good_declined_share") or costs.get("good_declined_fixed"):
        fixed = costs.get("good_declined_fixed")
        words.append(
            f"{rare(costs.get('good_declined_share', 0.0))} of the amount"
            + (f" and {fixed:g}" if fixed else "")
            + f" of each {nouns.other} {nouns.record} that is {nouns.stopped}"
        )
    if "caught_share" in costs:
        words.append(f"of the {nouns.events} reviewed, {rare(costs['caught_share'])} are stopped")
    return f"Assumed costs: {'; '.join(words)}." if words else ""
