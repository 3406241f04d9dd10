"""The report of `evaluate` as a page: first what came out, then how sure that is, then class by class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tallystick.figures.blocks import Chart, Details, Section, Table, Text
from tallystick.figures.confusion import confusion_matrix
from tallystick.figures.coverage import accuracy_against_coverage
from tallystick.figures.headline import LOSSES, NAMES, headline_figures
from tallystick.figures.page import page
from tallystick.figures.per_class import class_figures
from tallystick.figures.reliability import reliability_diagram
from tallystick.figures.scores import score_histogram
from tallystick.figures.words import held_out, level, number, outcome, share

__all__ = ["evaluation_page", "task_section"]

MEANING = {
    "accuracy": "How often the decision is right.",
    "balanced_accuracy": "The same in each class, then the mean: a rare class counts as much as others.",
    "precision_macro": "Of the decisions for a class, how many are right; mean over classes.",
    "recall_macro": "Of the rows of a class, how many are found; mean over classes.",
    "f1_macro": "Balance of precision and recall; mean over classes.",
    "precision_weighted": "Precision, classes weighted by their rows.",
    "recall_weighted": "Recall, classes weighted by their rows; equals accuracy.",
    "f1_weighted": "F1, classes weighted by their rows.",
    "roc_auc": "How often a row of a class scores higher for it than another row; mean over classes.",
    "average_precision": "Area under precision against recall; mean over classes.",
    "log_loss": "Surprise at the true class, in nats; 0 is best.",
    "brier": "Squared distance of the probabilities from the truth, 0 to 2; 0 is best.",
    "ece": "Mean gap of score and how often it is right; 0 is best. No interval, resampling raises it.",
}


def evaluation_page(
    evaluation: Mapping[str, Any],
    *,
    title: str = "Evaluation",
    records: str = "records",
    facts: Mapping[str, str] | None = None,
) -> str:
    """Make the page of `{"tasks": {TASK: report}}`, the JSON of *evaluate*; `records` names what was decided.

    Raises KeyError when the dict is not such a report.
    """
    tasks = evaluation["tasks"]
    lead = " ".join(outcome(report, records) for report in list(tasks.values())[:1])
    if len(tasks) == 1:
        sections = task_section(next(iter(tasks.values())), records).sections
    else:
        sections = [task_section(report, records) for report in tasks.values()]
    return page(
        title,
        sections,
        lead=lead or "There is no task with a true label to compare with.",
        facts=facts,
        data=evaluation,
    )


def task_section(report: Mapping[str, Any], records: str = "records") -> Section:
    """Lay out the report on one task."""
    shown = [name for name in NAMES if name in report]
    figures = Table(
        "Figures with their intervals",
        ["Figure", "Value", f"{level(report)} interval", "What it says"],
        [[NAMES[name], _value(name, report[name]), _interval(report, name), MEANING[name]] for name in shown],
        "lrrl",
    )
    chosen = report["threshold"]
    outcome_words = Text(outcome(report, records))
    return Section(
        f"Task: {report['task']}",
        [outcome_words],
        [
            Section(
                "Figures",
                [
                    Chart(headline_figures(report), "Headline figures; the bars are their intervals."),
                    figures,
                    Text(held_out(report)),
                ],
            ),
            Section(
                "Without a person",
                [
                    Chart(
                        accuracy_against_coverage(report),
                        "The surest decisions first: how often they are right, as more of them are taken.",
                    ),
                    Table(
                        "What the threshold leads to",
                        ["Decisions", "Rows", "Share of all", "Right"],
                        [
                            _outcome_row(
                                "Decided without a person", chosen, chosen["accepted"], chosen["accuracy"]
                            ),
                            _outcome_row(
                                "Left to a person (the decision would have been)",
                                chosen,
                                chosen["rows"] - chosen["accepted"],
                                chosen["review_accuracy"],
                            ),
                        ],
                    ),
                ],
            ),
            Section(
                "Scores",
                [
                    Chart(
                        reliability_diagram(report),
                        "On the dotted line a score of 80 % is right 80 % of the time; "
                        "below the line it promises too much.",
                    ),
                    Chart(score_histogram(report), "Scores of right and of wrong decisions."),
                ],
            ),
            Section(
                "Classes",
                [
                    Chart(
                        class_figures(report),
                        "How well each class is recognised, the most frequent on top.",
                        wide=True,
                    ),
                    _classes(report),
                ],
            ),
            Section(
                "Mistakes",
                [
                    Chart(
                        confusion_matrix(report),
                        "Each row is a true class and adds up to 100; numbers are percent of that row.",
                        wide=True,
                    ),
                    _mistakes(report),
                ],
            ),
        ],
    )


def _classes(report: Mapping[str, Any]) -> Table:
    rows = sorted(report["per_class"], key=lambda row: -row["support"])
    return Table(
        "Figures of each class",
        ["Class", "Rows", "Decided", "Precision", "Recall", "F1", "ROC AUC", "Average precision"],
        [
            [
                row["class"],
                f"{row['support']:,}",
                f"{row['predicted']:,}",
                *(share(row[name]) for name in ("precision", "recall", "f1")),
                *(number(row[name]) for name in ("roc_auc", "average_precision")),
            ]
            for row in rows
        ],
    )


def _mistakes(report: Mapping[str, Any], most: int = 15) -> Details:
    classes, counts = report["confusion"]["classes"], report["confusion"]["counts"]
    pairs = [(count, t, p) for t, row in enumerate(counts) for p, count in enumerate(row) if t != p and count]
    pairs.sort(key=lambda pair: (-pair[0], pair[1], pair[2]))
    return Details(
        "The most frequent mistakes as a table",
        [
            Table(
                "Most frequent mistakes",
                ["True class", "Decided class", "Rows", "Share of the true class"],
                [
                    [classes[t], classes[p], f"{count:,}", share(count / sum(counts[t]))]
                    for count, t, p in pairs[:most]
                ],
                "llrr",
            )
        ],
    )


def _outcome_row(name: str, chosen: Mapping[str, Any], rows: int, right: float | None) -> list[str]:
    return [name, f"{rows:,}", share(rows / chosen["rows"]), share(right)]


def _interval(report: Mapping[str, Any], name: str) -> str:
    low, high = report.get("intervals", {}).get(name) or (None, None)
    return "–" if low is None else f"{_value(name, low)} to {_value(name, high)}"


def _value(name: str, value: float | None) -> str:
    return number(value) if name in LOSSES or name in ("roc_auc", "average_precision") else share(value)
