"""The report of `evaluate` on events as a page: what came out, what thresholds do, what nobody can know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tallystick.figures.blocks import Block, Chart, Section, Table, Text
from tallystick.figures.event_curves import precision_recall_curve, roc_curve
from tallystick.figures.event_days import days_chart, quality_chart, span_words, weeks_chart, weeks_table
from tallystick.figures.event_headline import event_headline, headline_table
from tallystick.figures.event_kinds import rules_chart, rules_table, scenario_chart, scenario_table
from tallystick.figures.event_scores import event_scores
from tallystick.figures.event_thresholds import (
    confusion_table,
    costs_words,
    money_chart,
    money_table,
    recall_table,
    threshold_table,
)
from tallystick.figures.event_words import Nouns, event_outcome, held_out_events, label_words
from tallystick.figures.page import page
from tallystick.figures.reliability import event_reliability

__all__ = ["event_page"]


def event_page(
    evaluation: Mapping[str, Any],
    *,
    title: str = "Evaluation",
    records: str = "records",
    facts: Mapping[str, str] | None = None,
) -> str:
    """Make the page of `{"tasks": {TASK: report}}`, the JSON of *evaluate* on events.

    `records` names what was scored: `fraud` for payments, or a plural noun. Raises KeyError when the dict is
    not such a report.
    """
    tasks, nouns = evaluation["tasks"], Nouns.of(records)
    lead = " ".join(event_outcome(report, nouns) for report in list(tasks.values())[:1])
    if len(tasks) == 1:
        sections = _task(next(iter(tasks.values())), nouns).sections
    else:
        sections = [_task(report, nouns) for report in tasks.values()]
    return page(
        title,
        sections,
        lead=lead or "There is no task with a true label to compare with.",
        facts=facts,
        data=evaluation,
    )


def _task(report: Mapping[str, Any], nouns: Nouns) -> Section:
    """Lay out the report on one task; what the report lacks is left out."""
    sections = [
        _figures(report, nouns),
        _thresholds(report, nouns),
        _ranking(report, nouns),
        _scores(report, nouns),
        *_kinds(report, nouns),
        *_time(report, nouns),
        *_detection(report),
        *_rules(report, nouns),
        *_unknown(report),
    ]
    return Section(f"Task: {report['task']}", [Text(event_outcome(report, nouns))], sections)


def _figures(report: Mapping[str, Any], nouns: Nouns) -> Section:
    blocks: list[Block] = [
        Chart(
            event_headline(report),
            "Headline figures; the bars are their intervals. Grey strokes are what scores that know nothing "
            "reach" + (", diamonds what nobody can be expected to beat." if report.get("oracle") else "."),
        ),
        headline_table(report),
    ]
    blocks += [Text(words) for words in (held_out_events(report, nouns), _oracle(report)) if words]
    return Section("Figures", blocks)


def _oracle(report: Mapping[str, Any]) -> str:
    if not report.get("oracle"):
        return ""
    return (
        "The oracle knows how the simulator works and all but what the label delay hides: the best that can "
        "be expected of any model here. Chance may pass it by a little."
    )


def _thresholds(report: Mapping[str, Any], nouns: Nouns) -> Section:
    blocks: list[Block] = []
    found = report.get("thresholds")
    if found:
        blocks.append(threshold_table(report, nouns))
        days = (found.get("together") or {}).get("days")
        if days:
            blocks.append(Text(f"A day: the mean over the {days:,} days that have {nouns.records}."))
        blocks += [Text(note) for note in found.get("notes") or ()]
    else:
        blocks.append(Text("No threshold was chosen, so nothing is flagged by one."))
    if report.get("money"):
        held = any(money and money["fraud"] > 0 for money in report["money"].values())
        if held:
            caption = "What of the fraud is stopped and what goes through; behind it what stopping it costs."
            blocks.append(Chart(money_chart(report), caption))
        blocks += [money_table(report), *([Text(words)] if (words := costs_words(report)) else [])]
    blocks += [confusion_table(report, nouns), Text(label_words(report, nouns))]
    return Section("Alerts and what they cost", blocks)


def _ranking(report: Mapping[str, Any], nouns: Nouns) -> Section:
    return Section(
        "Ranking",
        [
            Chart(
                precision_recall_curve(report),
                f"As the threshold falls, more {nouns.events} are found (recall) and less of what is "
                f"flagged is {nouns.event} (precision). The dotted line is what flagging at random gives.",
            ),
            Chart(
                roc_curve(report),
                f"The share of the {nouns.events} that is found, against the share of all else that is "
                "flagged with them (false-positive rate).",
            ),
            recall_table(report, nouns),
        ],
    )


def _scores(report: Mapping[str, Any], nouns: Nouns) -> Section:
    blocks: list[Block] = [
        Chart(
            event_scores(report, nouns.event),
            f"How many {nouns.records} got which score. One step up is ten times as many; dotted lines are "
            "the thresholds.",
        )
    ]
    if report.get("reliability"):
        blocks.append(
            Chart(
                event_reliability(report, nouns.event),
                "On the dotted line a probability of 30 % comes true 30 % of the time; below it the model "
                "promises too much. Points with few rows behind them (the bars below) move by chance.",
            )
        )
    else:
        blocks.append(
            Text("These scores say how odd a row is; they are no probabilities, and have no losses.")
        )
    return Section("Scores", blocks)


def _kinds(report: Mapping[str, Any], nouns: Nouns) -> list[Section]:
    if not report.get("by_scenario"):
        return []
    caption = f"How many {nouns.events} of each kind there were, and how many are flagged."
    chart = Chart(scenario_chart(report, nouns.events), caption, wide=True)
    return [Section("Kinds", [chart, scenario_table(report, nouns.events)])]


def _time(report: Mapping[str, Any], nouns: Nouns) -> list[Section]:
    blocks: list[Block] = []
    if report.get("weeks"):
        blocks += [
            Chart(weeks_chart(report), "Each week by a model of what was known when it began."),
            weeks_table(report),
        ]
    if report.get("over_time"):
        blocks += [
            Chart(days_chart(report, nouns.events), f"{nouns.events.capitalize()} and alerts.", wide=True),
            Chart(
                quality_chart(report),
                f"How good scores and decisions were. A point is missing where there was no {nouns.event}; "
                "days with few of them jump.",
                wide=True,
            ),
        ]
    return [Section("Over time", blocks)] if blocks else []


def _detection(report: Mapping[str, Any]) -> list[Section]:
    found = report.get("detection")
    if not found:
        return []
    table = Table("How long cards go on before a flag", ["What", "How much"], span_words(found), "ll")
    return [Section("Detection delay", [table])]


def _rules(report: Mapping[str, Any], nouns: Nouns) -> list[Section]:
    if not report.get("rules"):
        return []
    codes = list(report.get("money") or {})
    return [
        Section(
            "Rules beside the model",
            [
                Chart(
                    rules_chart(report, nouns.events),
                    "What each rule holds of, and what of that is right.",
                    wide=True,
                ),
                rules_table(report, nouns.events, codes[0] if len(codes) == 1 else ""),
                Text(
                    "A rule decides where no rule before it holds. One that accepts flags nothing; what it "
                    "takes from the model stands as a negative number."
                ),
            ],
        )
    ]


def _unknown(report: Mapping[str, Any]) -> list[Section]:
    note = (report.get("selective_labels") or {}).get("note")
    return [Section("What nobody can know", [Text(note)])] if note else []
