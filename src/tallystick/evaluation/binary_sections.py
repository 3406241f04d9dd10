"""The report on a binary task as sections: figures, thresholds, ranking, scores, kinds, time, rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tallystick.evaluation.binary_tables import (
    confusion_table,
    detection_table,
    effect_table,
    money_table,
    money_titles,
    recall_table,
    rules_table,
    scenario_table,
    threshold_table,
    week_figures,
    weeks_table,
)
from tallystick.evaluation.binary_words import action_names, costs_words, held_out_words, label_words
from tallystick.evaluation.figure_table import figure_table, headline
from tallystick.report import Block, Chart, Nouns, Section, Text
from tallystick.report.blocks import part

__all__ = ["binary_figures", "binary_sections"]

RANKING = {
    "average_precision": (
        "Average precision",
        "Area under precision against recall: how pure the highest scores are.",
    ),
    "roc_auc": ("ROC-AUC", "How often an event scores higher than another row."),
}
DECISIONS = {
    "precision": ("Precision", "Of what is flagged, the share that is an event."),
    "recall": ("Recall", "Of the events, the share that is flagged."),
    "f1": ("F1", "Balance of precision and recall."),
    "balanced_accuracy": ("Balanced accuracy", "Mean of the recall of events and of others."),
    "accuracy": ("Accuracy", "Share decided rightly; where events are rare, always no looks good."),
    "false_positive_rate": ("False-positive rate", "Of the rows that are no event, the share flagged."),
    "log_loss": ("Log loss (lower is better)", "Negative logarithm of the outcome's probability, nats."),
    "brier": ("Brier score (lower is better)", "Squared distance of the probability from the outcome."),
    "ece": (
        "Expected calibration error (lower is better)",
        "Mean gap between probability and share of events. It has no interval.",
    ),
}


def binary_figures(nouns: Nouns) -> dict[str, tuple[str, str]]:
    """Return title and meaning of each figure by its key, the solution's own after those of ranking."""
    return {**RANKING, **nouns.figures, **DECISIONS}


def binary_sections(report: Mapping[str, Any], nouns: Nouns) -> list[Section]:
    """Lay out the report of a binary task; parts that it lacks are left out."""
    return [
        _figures(report, nouns),
        *_thresholds(report, nouns),
        *_ranking(report, nouns),
        *_scores(report, nouns),
        *_kinds(report, nouns),
        *_time(report, nouns),
        *_detection(report, nouns),
        *_rules(report, nouns),
        *_unknown(report),
    ]


def _figures(report: Mapping[str, Any], nouns: Nouns) -> Section:
    figures = binary_figures(nouns)
    drawn = (*RANKING, *nouns.figures, "precision", "recall", "f1")
    oracle = bool(report.get("oracle"))
    caption = "Headline figures; the bars are their intervals. Grey strokes are what a random order reaches"
    blocks: list[Block] = [
        Chart(
            "headline",
            headline(report, figures, drawn),
            caption + (", diamonds what nobody can be expected to beat." if oracle else "."),
        ),
        figure_table(report, figures),
    ]
    words = (held_out_words(report, nouns), nouns.oracle if oracle else "")
    blocks += [Text(text) for text in words if text]
    return Section("figures", "Figures", blocks)


def _thresholds(report: Mapping[str, Any], nouns: Nouns) -> list[Section]:
    blocks: list[Block] = []
    found = report.get("thresholds")
    if found:
        blocks += [threshold_table(report, nouns), effect_table(report, nouns)]
        days = (found.get("together") or {}).get("days")
        if days:
            blocks.append(Text(f"A day: the mean over the {days:,} days that have {nouns.records}."))
        blocks += [Text(note, brief=True) for note in found.get("notes") or ()]
    elif "thresholds" in report:
        blocks.append(Text("No threshold was chosen, so nothing is flagged by one."))
    if report.get("money"):
        if any(money and money["fraud"] > 0 for money in report["money"].values()):
            data = {"money": report["money"], "titles": money_titles(nouns)}
            caption = (
                f"What of the {nouns.events} is stopped and what is missed; then what stopping it costs."
            )
            blocks.append(Chart("money", data, caption))
        blocks.append(money_table(report, nouns))
        blocks += [Text(words) for words in [costs_words(report, nouns)] if words]
    if "confusion" in report:
        blocks += [confusion_table(report, nouns), Text(label_words(report, nouns))]
    return [Section("thresholds", "Alerts and their costs", blocks)] if blocks else []


def _ranking(report: Mapping[str, Any], nouns: Nouns) -> list[Section]:
    if not report.get("curves"):
        return []
    data = {
        "report": part(report, "curves", "thresholds", "baseline"),
        "actions": action_names(report.get("thresholds")),
    }
    return [
        Section(
            "ranking",
            "Ranking",
            [
                Chart(
                    "precision_recall",
                    data,
                    f"As the threshold falls, more {nouns.events} are found (recall) and less of what is "
                    f"flagged is {nouns.is_event} (precision). The dotted line is flagging at random.",
                ),
                Chart(
                    "roc",
                    data,
                    f"The share of the {nouns.events} that is found, against the share of all other "
                    f"{nouns.records} that is flagged with them (false-positive rate).",
                ),
                recall_table(report, nouns),
            ],
        )
    ]


def _scores(report: Mapping[str, Any], nouns: Nouns) -> list[Section]:
    if not report.get("distribution"):
        return []
    chosen = report.get("thresholds") or {}
    lines = {name: chosen[name]["threshold"] for name in action_names(chosen)}
    blocks: list[Block] = [
        Chart(
            "event_scores",
            {"distribution": report["distribution"], "lines": lines, "event": nouns.event},
            f"How many {nouns.records} got which score. One step up is ten times as many; dotted lines are "
            "the thresholds.",
        )
    ]
    if report.get("reliability"):
        blocks.append(
            Chart(
                "reliability",
                {
                    "bins": report["reliability"],
                    "score": "Probability",
                    "outcome": "share",
                    "event": nouns.event,
                    "across": f"Probability of {nouns.event}",
                    "up": f"Share that was {nouns.event}",
                    "none": "These scores are no probabilities, so there is nothing to hold them to.",
                },
                "On the dotted line a probability of 30 % comes true 30 % of the time; below it "
                "probabilities are too high. Points with few rows (the bars below) move by chance.",
            )
        )
    else:
        blocks.append(
            Text("These scores say how odd a row is; they are no probabilities, and have no losses.")
        )
    return [Section("scores", "Scores", blocks)]


def _kinds(report: Mapping[str, Any], nouns: Nouns) -> list[Section]:
    if not report.get("by_scenario"):
        return []
    caption = f"How many {nouns.events} of each kind there were, and how many are flagged."
    data = {"kinds": report["by_scenario"], "events": nouns.events}
    blocks: list[Block] = [Chart("kinds", data, caption, wide=True), scenario_table(report, nouns)]
    return [Section("kinds", "Kinds", blocks)]


def _time(report: Mapping[str, Any], nouns: Nouns) -> list[Section]:
    blocks: list[Block] = []
    further = {key: title for key, (title, _) in nouns.figures.items()}
    if report.get("weeks"):
        data = {"weeks": report["weeks"], "figures": week_figures(report, nouns)}
        caption = "Each week by a model of what was known when it began."
        blocks += [Chart("weeks", data, caption), weeks_table(report, nouns)]
    if report.get("over_time"):
        days = report["over_time"]
        data = {"days": days, "events": nouns.events, "stopped": nouns.stopped}
        blocks += [
            Chart("days", data, f"{nouns.events.capitalize()} and alerts.", wide=True),
            Chart(
                "quality",
                {"days": days, "further": further},
                "How good scores and decisions were. A point is missing where there were no "
                f"{nouns.events}; days with few of them jump.",
                wide=True,
            ),
        ]
    return [Section("time", "Over time", blocks)] if blocks else []


def _detection(report: Mapping[str, Any], nouns: Nouns) -> list[Section]:
    found = report.get("detection")
    if not found:
        return []
    return [Section("detection", "Detection delay", [detection_table(found, nouns)])]


def _rules(report: Mapping[str, Any], nouns: Nouns) -> list[Section]:
    if not report.get("rules"):
        return []
    codes = list(report.get("money") or {})
    caption = f"What each rule hits, and how much of that are {nouns.events}."
    return [
        Section(
            "rules",
            "Rules beside the model",
            [
                Chart("rules", {"rules": report["rules"], "events": nouns.events}, caption, wide=True),
                rules_table(report, nouns, codes[0] if len(codes) == 1 else ""),
                Text(
                    "The last three lines are all rules, the model, and both together. A rule decides where "
                    "no rule before it holds. One that accepts flags nothing; what it takes from the model "
                    "is a negative number."
                ),
            ],
        )
    ]


def _unknown(report: Mapping[str, Any]) -> list[Section]:
    note = (report.get("selective_labels") or {}).get("note")
    return [Section("unknown", "Unknown outcomes", [Text(note)])] if note else []
