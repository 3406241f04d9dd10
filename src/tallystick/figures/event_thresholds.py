"""What the two thresholds do: a day, in shares, and in money."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Any

import plotly.graph_objects as go

from tallystick.figures.blocks import Table
from tallystick.figures.event_words import Nouns, amount, rare, spell
from tallystick.figures.theme import BLUE, GREY, VERMILION, empty, figure, named

__all__ = ["confusion_table", "costs_words", "money_chart", "money_table", "recall_table", "threshold_table"]

NAMES = {"review": "Review: a person looks", "decline": "Decline: it stops"}
MONEY = {
    "fraud": "Fraud, had nobody looked",
    "stopped": "Stopped",
    "missed": "Gone through",
    "disturbed": "Good amounts declined or held for review",
    "review_cost": "Cost of looking",
    "decline_cost": "Cost of good payments declined",
    "cost": "Cost in all, with what went through",
    "saved": "Saved in the end",
}


def threshold_table(report: Mapping[str, Any], nouns: Nouns) -> Table:
    """Give what each threshold does alone, and what both do together.

    >>> threshold_table({"thresholds": None}, Nouns.of("fraud")).rows
    []
    """
    found = report.get("thresholds") or {}
    rows = []
    for key, name in NAMES.items():
        did = found.get(key)
        if did is None:
            continue
        never = did["threshold"] is None
        rows.append(
            [
                f"{name} (alone)",
                did.get("wanted") or "–",
                "never" if never else f"{did['threshold']:.4f}",
                f"{did['flagged']:,}",
                spell(did.get("flagged_per_day")),
                rare(did["precision"]),
                rare(did["recall"]),
                rare(did["false_positive_rate"]),
            ]
        )
    both = found.get("together")
    if both is not None:
        rows.append(
            [
                f"Both: {both['alerts']:,} looked at, {both['declined']:,} declined",
                "–",
                "–",
                f"{both['alerts'] + both['declined']:,}",
                f"{spell(both.get('alerts_per_day'))} + {spell(both.get('declined_per_day'))}",
                rare(both["precision"]),
                rare(both["recall"]),
                rare(both["false_positive_rate"]),
            ]
        )
    header = [
        "Threshold",
        "Wanted",
        "Score from",
        "Flagged",
        "A day",
        "Precision",
        "Recall",
        "False positives",
    ]
    return Table(f"What the thresholds do to these {nouns.records}", header, rows, "llrrrrrr")


def money_table(report: Mapping[str, Any]) -> Table:
    """Give in each currency what both thresholds do in money.

    >>> money_table({"money": {"EUR": {"fraud": 100.0, "saved": 40.0}}}).rows
    [['Fraud, had nobody looked', '100\\xa0EUR'], ['Saved in the end', '40\\xa0EUR']]
    """
    held = {code: money for code, money in (report.get("money") or {}).items() if money}
    rows = [
        [name, *(amount(money.get(key), code) for code, money in held.items())]
        for key, name in MONEY.items()
        if any(key in money for money in held.values())
    ]
    return Table("In money, both thresholds together", ["What", *held], rows)


def money_chart(report: Mapping[str, Any]) -> go.Figure:
    """Draw in each currency what of the fraud is stopped and what goes through, and what that costs.

    >>> money = {"fraud": 9.0, "stopped": 7.0, "missed": 2.0, "review_cost": 1.0, "decline_cost": 0.0}
    >>> money_chart({"money": {"EUR": money}}).data[0].x
    (7.0,)
    """
    held = {
        code: money for code, money in (report.get("money") or {}).items() if money and money["fraud"] > 0
    }
    if not held:
        return empty("No amount of fraud is known, so nothing can be said in money.")
    parts = (("stopped", BLUE), ("missed", VERMILION), ("review_cost", GREY), ("decline_cost", "#b0a04a"))
    return figure(
        [
            go.Bar(
                x=[money[key] for money in held.values()],
                y=list(range(len(held))),
                orientation="h",
                name=MONEY[key],
                marker={"color": colour, "opacity": 0.85},
                customdata=[html.escape(amount(money[key], code)) for code, money in held.items()],
                hovertemplate=f"{MONEY[key]}: %{{customdata}}<extra></extra>",
            )
            for key, colour in parts
        ],
        height=150 + 50 * len(held),
        barmode="stack",
        legend={"traceorder": "normal"},
        bargap=0.4,
        xaxis={"title": {"text": "Amount, each in its currency"}, "tickformat": ",.0f"},
        yaxis=named(list(held), title={"text": "Currency"}, range=[len(held) - 0.5, -0.5]),
    )


def costs_words(report: Mapping[str, Any]) -> str:
    """Say what mistakes were taken to cost.

    >>> costs_words({"costs": {"review_cost": 5.0, "caught_share": 1.0}})
    'Taken to cost: 5 for each one that a person looks at; of the frauds looked at, 100.0\\xa0% are stopped.'
    """
    costs = report.get("costs") or {}
    words = []
    if "review_cost" in costs:
        words.append(f"{costs['review_cost']:g} for each one that a person looks at")
    if costs.get("good_declined_share") or costs.get("good_declined_fixed"):
        fixed = costs.get("good_declined_fixed")
        words.append(
            f"{rare(costs.get('good_declined_share', 0.0))} of the amount"
            + (f" and {fixed:g}" if fixed else "")
            + " of each good one declined"
        )
    if "caught_share" in costs:
        words.append(f"of the frauds looked at, {rare(costs['caught_share'])} are stopped")
    return f"Taken to cost: {'; '.join(words)}." if words else ""


def confusion_table(report: Mapping[str, Any], nouns: Nouns) -> Table:
    """Give what was flagged against what happened, in rows and in shares of what happened.

    >>> table = confusion_table({"confusion": {"counts": [[90, 10], [1, 3]]}}, Nouns.of("fraud"))
    >>> table.rows[1]
    ['Fraud', '1 (25.0\\xa0%)', '3 (75.0\\xa0%)', '4']
    """
    counts = report["confusion"]["counts"]
    rows = []
    for name, row in zip((f"No {nouns.event}", nouns.event.capitalize()), counts, strict=True):
        total = sum(row)
        cells = [f"{count:,} ({rare(count / total if total else None)})" for count in row]
        rows.append([name, *cells, f"{total:,}"])
    return Table(
        "What happened, and what was flagged", ["What happened", "Not flagged", "Flagged", "All"], rows
    )


def recall_table(report: Mapping[str, Any], nouns: Nouns) -> Table:
    """Give the recall at set rates of false positives.

    >>> at = [{"false_positive_rate": 0.001, "recall": 0.25, "threshold": 0.5}]
    >>> recall_table({"recall_at": at}, Nouns.of("fraud")).rows
    [['0.1\\xa0%', '25.0\\xa0%', '0.5000']]
    """
    return Table(
        f"How many {nouns.events} are found when so many of the others may be flagged",
        ["False-positive rate", "Recall", "Score from"],
        [
            [
                rare(at["false_positive_rate"]),
                rare(at["recall"]),
                "–" if at["threshold"] is None else f"{at['threshold']:.4f}",
            ]
            for at in report.get("recall_at") or []
        ],
    )
