"""The tables of the report on a binary task: thresholds, money, what happened, kinds, rules, weeks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tallystick.evaluation.binary_words import action_names
from tallystick.report import Nouns, Table
from tallystick.report.formatting import amount, number, rare, shares, spell

__all__ = [
    "confusion_table",
    "detection_table",
    "effect_table",
    "money_table",
    "money_titles",
    "recall_table",
    "rules_table",
    "scenario_table",
    "threshold_table",
    "week_figures",
    "weeks_table",
]


def threshold_table(report: Mapping[str, Any], nouns: Nouns) -> Table:
    """Give each action with the score it begins at, and how often it is to be expected.

    >>> threshold_table({"thresholds": None}, Nouns()).rows
    []
    """
    found = report.get("thresholds") or {}
    together = found.get("together") or {}
    actions = action_names(found)
    counts = (together.get("alerts_per_day"), together.get("declined_per_day"))
    per_day = dict(zip(actions, counts, strict=False))
    return Table(
        "Thresholds",
        ["Action", "Wanted", "Score from", "A day"],
        [
            [
                nouns.actions.get(name, name).capitalize(),
                found[name].get("wanted") or "–",
                "never" if found[name]["threshold"] is None else f"{found[name]['threshold']:.4f}",
                spell(per_day.get(name, found[name].get("flagged_per_day"))),
            ]
            for name in actions
        ],
        "llrr",
    )


def effect_table(report: Mapping[str, Any], nouns: Nouns) -> Table:
    """Give what each threshold does alone, and what all do together."""
    found = report.get("thresholds") or {}
    rows = [
        [
            f"{name.capitalize()} (alone)",
            f"{did['flagged']:,}",
            spell(did.get("flagged_per_day")),
            rare(did["precision"]),
            rare(did["recall"]),
            rare(did["false_positive_rate"]),
        ]
        for name in action_names(found)
        if "flagged" in (did := found[name])
    ]
    both = found.get("together") or {}
    if "alerts" in both:
        rows.append(
            [
                f"Together: {both['alerts']:,} looked at, {both['declined']:,} {nouns.stopped}",
                f"{both['alerts'] + both['declined']:,}",
                f"{spell(both.get('alerts_per_day'))} + {spell(both.get('declined_per_day'))}",
                rare(both["precision"]),
                rare(both["recall"]),
                rare(both["false_positive_rate"]),
            ]
        )
    header = ["Threshold", "Flagged", "A day", "Precision", "Recall", "False positives"]
    return Table(f"What the thresholds do to these {nouns.records}", header, rows, brief=None)


def money_titles(nouns: Nouns) -> dict[str, str]:
    """Return what each sum of money is called."""
    return {
        "fraud": f"Amount of {nouns.events} without any threshold",
        "stopped": "Stopped",
        "missed": "Missed",
        "disturbed": f"Amount of {nouns.other} {nouns.records} reviewed or {nouns.stopped}",
        "review_cost": "Cost of review",
        "decline_cost": f"Cost of {nouns.other} {nouns.records} {nouns.stopped}",
        "cost": "Total cost, with what was missed",
        "saved": "Saved in total",
    }


def money_table(report: Mapping[str, Any], nouns: Nouns) -> Table:
    """Give in each currency what the thresholds do in money.

    >>> money_table({"money": {"EUR": {"fraud": 100.0, "saved": 40.0}}}, Nouns()).rows[1]
    ['Saved in total', '40\\xa0EUR']
    """
    held = {code: money for code, money in (report.get("money") or {}).items() if money}
    rows = [
        [title, *(amount(money.get(key), code) for code, money in held.items())]
        for key, title in money_titles(nouns).items()
        if any(key in money for money in held.values())
    ]
    return Table("In money, all thresholds together", ["Sum", *held], rows, brief=None)


def confusion_table(report: Mapping[str, Any], nouns: Nouns) -> Table:
    """Give what was flagged against what happened, in rows and in shares of what happened.

    >>> table = confusion_table({"confusion": {"counts": [[90, 10], [1, 3]]}}, Nouns(event="fraud"))
    >>> table.rows[1]
    ['Fraud', '1 (25.0\\xa0%)', '3 (75.0\\xa0%)', '4']
    """
    rows = []
    names = (f"No {nouns.event}", nouns.event.capitalize())
    for name, row in zip(names, report["confusion"]["counts"], strict=True):
        cells = [f"{count:,} ({of})" for count, of in zip(row, shares(row), strict=True)]
        rows.append([name, *cells, f"{sum(row):,}"])
    header = ["What happened", "Not flagged", "Flagged", "All"]
    return Table("What happened, and what was flagged", header, rows, brief=None)


def recall_table(report: Mapping[str, Any], nouns: Nouns) -> Table:
    """Give the recall at set false-positive rates.

    >>> at = [{"false_positive_rate": 0.001, "recall": 0.25, "threshold": 0.5}]
    >>> recall_table({"recall_at": at}, Nouns()).rows
    [['0.1\\xa0%', '25.0\\xa0%', '0.5000']]
    """
    return Table(
        f"Recall of {nouns.events} at a false-positive rate",
        ["False-positive rate", "Recall", "Score from"],
        [
            [
                rare(at["false_positive_rate"]),
                rare(at["recall"]),
                "–" if at["threshold"] is None else f"{at['threshold']:.4f}",
            ]
            for at in report.get("recall_at") or []
        ],
        brief=None,
    )


def scenario_table(report: Mapping[str, Any], nouns: Nouns) -> Table:
    """Give the figures of each kind of event, the most frequent first.

    >>> kind = {"scenario": "1", "events": 4, "found": 3, "recall": 0.75, "declined": 1}
    >>> scenario_table({"by_scenario": [kind]}, Nouns()).rows
    [['1', '4', '3', '75.0\\xa0%', '1', '–', '–']]
    """
    kinds = sorted(report.get("by_scenario") or [], key=lambda kind: (-kind["events"], str(kind["scenario"])))
    return Table(
        f"By kind of {nouns.event}; ranking figures against all {nouns.other} {nouns.records}",
        [
            *("Kind", nouns.events.capitalize(), "Flagged", "Recall"),
            *(nouns.stopped.capitalize(), "Average precision", "ROC-AUC"),
        ],
        [
            [
                str(kind["scenario"]).replace("_", " "),
                f"{kind['events']:,}",
                f"{kind['found']:,}",
                rare(kind["recall"]),
                f"{kind['declined']:,}",
                number(kind.get("average_precision")),
                number(kind.get("roc_auc")),
            ]
            for kind in kinds
        ],
        brief=(0, 1, 3, 5),
    )


def rules_table(report: Mapping[str, Any], nouns: Nouns, currency: str = "") -> Table:
    """Give what each rule hits alone, and what it adds to the model.

    >>> entry = {"rule": "burst", "action": "review", "hits": 9, "decides": 9, "frauds": 4, "unknown": 0}
    >>> shares = {"precision": 0.5, "recall": 0.1, "amount": None, "adds_hits": 5, "adds_frauds": -2}
    >>> rules_table({"rules": [entry | shares]}, Nouns()).rows[0][7:]
    ['–', '+5', '\\u22122', '–']
    """
    unit = f", {currency}" if currency else ""
    return Table(
        f"Rules on past {nouns.records}, and what each adds to the model; amounts are of {nouns.events}",
        [
            *("Rule", "Action", "Hits", "Decides", nouns.events.capitalize(), "Precision", "Recall"),
            *(f"Amount{unit}", "Adds hits", f"Adds {nouns.events}", f"Adds amount{unit}"),
        ],
        [
            [
                str(entry["rule"]),
                entry["action"] or "–",
                f"{entry['hits']:,}",
                "–" if entry["decides"] is None else f"{entry['decides']:,}",
                f"{entry['frauds']:,}",
                rare(entry["precision"]),
                rare(entry["recall"]),
                amount(entry.get("amount")),
                _signed(entry["adds_hits"]),
                _signed(entry["adds_frauds"]),
                amount(entry.get("adds_amount")),
            ]
            for entry in report.get("rules") or []
        ],
        "ll" + "r" * 9,
        brief=(0, 2, 4, 5, 6, 8, 9),
    )


def week_figures(report: Mapping[str, Any], nouns: Nouns) -> dict[str, str]:
    """Return the ranking figures that any week has, with their titles."""
    titles = {"average_precision": "Average precision", "roc_auc": "ROC-AUC"}
    titles |= {key: title for key, (title, _) in nouns.figures.items()}
    weeks = report.get("weeks") or []
    return {key: title for key, title in titles.items() if any(week.get(key) is not None for week in weeks)}


def weeks_table(report: Mapping[str, Any], nouns: Nouns) -> Table:
    """Give each week's figures, then those of the oracle; what no week has is left out.

    >>> weeks_table({"weeks": [{"from": "2025-01-01", "rows": 1200, "roc_auc": 0.9}]}, Nouns()).rows
    [['2025-01-01', '1,200', '0.900']]
    """
    weeks = report.get("weeks") or []
    oracle = [week.get("oracle") or {} for week in weeks]
    counts = [key for key in ("rows", "events") if any(week.get(key) is not None for week in weeks)]
    ranked = week_figures(report, nouns)
    known = [key for key in ranked if any(values.get(key) is not None for values in oracle)]
    rows = [
        [
            str(week.get("from") or i),
            *(f"{week.get(key, 0):,}" for key in counts),
            *(number(week.get(key)) for key in ranked),
            *(number(oracle[i - 1].get(key)) for key in known),
        ]
        for i, week in enumerate(weeks, 1)
    ]
    titles = {"rows": "Rows", "events": nouns.events.capitalize()}
    header = ["Week from", *(titles[key] for key in counts), *ranked.values()]
    return Table("Week by week", [*header, *(f"{ranked[key]}, oracle" for key in known)], rows, brief=None)


def detection_table(found: Mapping[str, Any], nouns: Nouns) -> Table:
    """Give how long entities with an event go on before one is flagged.

    >>> found = {"cards": 4, "detected": 2, "share": 0.5, "frauds_undetected": 3}
    >>> detection_table(found, Nouns()).rows[1]
    ['Of those, found by a flag', '2 (50.0\\xa0%)']
    """
    rows = [
        [f"{nouns.entities.capitalize()} with {nouns.events}", f"{found['cards']:,}"],
        ["Of those, found by a flag", f"{found['detected']:,} ({rare(found['share'])})"],
    ]
    for key, title, unit in (
        ("hours", f"Time from the first of the {nouns.events} to the first flagged one", " h"),
        ("frauds_before", f"{nouns.events.capitalize()} missed before it", ""),
    ):
        spread = found.get(key) or {}
        if spread.get("median") is not None:
            median, mean, p90 = (spell(spread[name]) for name in ("median", "mean", "p90"))
            rows.append([title, f"median {median}{unit}, mean {mean}{unit}, 90th percentile {p90}{unit}"])
    if found.get("amount_before") is not None:
        rows.append(["Amount missed before it", f"{found['amount_before']:,.0f}"])
    never = f"on {nouns.entities} that were never found"
    rows.append([f"{nouns.events.capitalize()} {never}", f"{found['frauds_undetected']:,}"])
    if found.get("amount_undetected") is not None:
        rows.append([f"Amount of {nouns.events} {never}", f"{found['amount_undetected']:,.0f}"])
    caption = f"How long {nouns.entities} go on before a flag"
    return Table(caption, ["What", "How much"], rows, "ll", brief=None)


def _signed(value: int) -> str:
    return f"+{value:,}" if value > 0 else f"{value:,}".replace("-", "\N{MINUS SIGN}")
