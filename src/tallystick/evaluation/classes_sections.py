"""The report on a class task as sections: figures, automation, scores, classes, mistakes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tallystick.evaluation.figure_table import figure_table, headline
from tallystick.report import Block, Chart, Details, Nouns, Section, Table, Text
from tallystick.report.blocks import part
from tallystick.report.formatting import level, number, share, shares

__all__ = ["classes_outcome", "classes_sections", "own_thresholds", "right_words"]

# Title and meaning of each figure, in the order of the table.
FIGURES = {
    "accuracy": ("Accuracy", "How often the decision is right."),
    "balanced_accuracy": ("Balanced accuracy", "Recall of each class, then the mean; equals macro recall."),
    "precision_macro": ("Precision, macro", "Of the decisions for a class, the share that is right; mean."),
    "recall_macro": ("Recall, macro", "Of the rows of a class, the share that is found; mean over classes."),
    "f1_macro": ("F1, macro", "Balance of precision and recall; mean over classes."),
    "precision_weighted": ("Precision, weighted", "Precision, classes weighted by their rows."),
    "recall_weighted": ("Recall, weighted", "Recall, classes weighted by their rows; equals accuracy."),
    "f1_weighted": ("F1, weighted", "F1, classes weighted by their rows."),
    "roc_auc": (
        "ROC-AUC, one versus rest",
        "How often a row of a class scores higher for it than another row; mean over classes.",
    ),
    "average_precision": (
        "Average precision, one versus rest",
        "Area under precision against recall; mean over classes.",
    ),
    "log_loss": ("Log loss (lower is better)", "Negative logarithm of the true class's probability, nats."),
    "brier": (
        "Brier score (lower is better)",
        "Squared distance of the probabilities from the truth, 0 to 2.",
    ),
    "ece": (
        "Expected calibration error (lower is better)",
        "Mean gap between score and accuracy. It has no interval: resampling raises it.",
    ),
}
# Weighted recall is accuracy, macro recall is balanced accuracy: drawn once. Losses are no shares.
DRAWN = tuple(n for n in tuple(FIGURES)[:10] if n not in ("recall_weighted", "recall_macro"))
MISTAKES = 15
AS_IT_IS = "the model as it is"  # what `evaluate` calls a split that is none


def classes_outcome(report: Mapping[str, Any], nouns: Nouns) -> str:
    """Say in plain words how good the decisions are and how many need no person.

    >>> chosen = {"threshold": None, "wanted": {"accuracy": 0.95}, "accuracy": None, "automation": 0.0}
    >>> base = {"class": "card", "accuracy": 0.5}
    >>> report = {"task": "product", "rows": 1200, "accuracy": 0.8, "baseline": base, "threshold": chosen}
    >>> classes_outcome(report, Nouns(records="complaints")).split(". ")[0]
    'Of 1,200 complaints, 80.0\\xa0% got the right product'
    """
    low, high = report.get("intervals", {}).get("accuracy") or (None, None)
    interval = "" if low is None else f" ({level(report)} interval {share(low)} to {share(high)})"
    task = report.get("task", "class").replace("_", "-")
    rows = f"{report['rows']:,} {nouns.records}"
    words = [f"Of {rows}, {share(report['accuracy'])} got the right {task}{interval}."]
    base = report.get("baseline")
    if base:
        words.append(f"Always answering “{base['class']}” would be right for {share(base['accuracy'])}.")
    few = report.get("few") or {}
    if few:
        words.append(
            "Too few rows to say much of them: "
            + ", ".join(f"{name} ({count})" for name, count in few.items())
            + "."
        )
    chosen = report.get("threshold") or {}
    wanted = chosen.get("wanted") or {}
    if chosen.get("accuracy") is not None:
        words.append(
            f"With a score of at least {chosen['threshold']:.3f}{own_words(chosen)}, "
            f"{share(chosen['automation'])} are decided without a person, and "
            f"{right_words(chosen, report)} of those are right; a person looks at the rest."
        )
    elif "accuracy" in wanted:
        words.append(
            f"No score is high enough to be right {share(wanted['accuracy'])} of the time, as far as so many "
            "rows can show, so a person looks at each of them."
        )
    elif chosen:
        words.append("A person looks at each of them.")
    return " ".join(words)


def classes_sections(report: Mapping[str, Any], nouns: Nouns) -> list[Section]:
    """Lay out the report of a class task; parts that it lacks are left out."""
    figures: list[Block] = [
        Chart(
            "headline", headline(report, FIGURES, DRAWN), "Headline figures; the bars are their intervals."
        ),
        figure_table(report, FIGURES),
        *([Text(_held_out(report, nouns))] if "split" in report else []),
    ]
    sections = [Section("figures", "Figures", figures)]
    if "accepted" in (report.get("threshold") or {}):
        sections.append(_automation(report))
    if "reliability" in report:
        sections.append(_scores(report))
    if report.get("per_class"):
        sections.append(_classes(report))
    if "confusion" in report:
        sections.append(_mistakes(report))
    return sections


def right_words(chosen: Mapping[str, Any], report: Mapping[str, Any]) -> str:
    """Say how often automatic decisions are right, with the interval.

    >>> right_words({"accuracy": 0.95, "interval": [0.9, 0.98]}, {})
    '95.0\\xa0% (95\\xa0% interval 90.0\\xa0% to 98.0\\xa0%)'
    """
    low, high = chosen.get("interval") or (None, None)
    words = share(chosen["accuracy"])
    return words if low is None else f"{words} ({level(report)} interval {share(low)} to {share(high)})"


def own_thresholds(chosen: Mapping[str, Any]) -> dict[str, float | None]:
    """Return the classes whose threshold is another than that of all, None where a person always decides.

    >>> per_class = [{"class": "card", "threshold": 0.8}, {"class": "loan", "threshold": None}]
    >>> own_thresholds({"threshold": 0.8, "per_class": per_class})
    {'loan': None}
    """
    return {
        one["class"]: one["threshold"]
        for one in chosen.get("per_class") or []
        if "threshold" in one and one["threshold"] != chosen["threshold"]
    }


def own_words(chosen: Mapping[str, Any]) -> str:
    """Say of how many classes a higher score is asked, and of how many none is enough."""
    own = own_thresholds(chosen)
    never = sum(1 for one in own.values() if one is None)
    words = [f"higher for {len(own) - never} of the classes"] if len(own) > never else []
    words += (
        [f"never for {never} of the classes" if len(own) == never else f"never for {never}"] if never else []
    )
    return f" ({', '.join(words)})" if words else ""


def _automation(report: Mapping[str, Any]) -> Section:
    chosen = report["threshold"]
    left = chosen["rows"] - chosen["accepted"]
    taken, rest = shares([chosen["accepted"], left])
    rows = [
        ("Decided without a person", chosen["accepted"], taken, chosen["accuracy"]),
        ("Left to a person (the decision would have been)", left, rest, chosen["review_accuracy"]),
    ]
    return Section(
        "automation",
        "Without a person",
        [
            *_coverage(report),
            Table(
                "What the threshold leads to",
                ["Decisions", "Rows", "Share of all", "Right"],
                [[name, f"{count:,}", of, share(right)] for name, count, of, right in rows],
                brief=None,
            ),
            *([_by_class(report)] if chosen.get("per_class") else []),
            *([_by_size(report)] if chosen.get("by_size") else []),
        ],
    )


def _coverage(report: Mapping[str, Any]) -> list[Block]:
    if "coverage" not in report:
        return []
    data = {"report": part(report, "coverage", "threshold")}
    words = "Accuracy of the decisions with the highest scores, as more of them are accepted."
    return [Chart("coverage", data, words)]


def _by_class(report: Mapping[str, Any]) -> Table:
    chosen = report["threshold"]
    rows = sorted(chosen["per_class"], key=lambda one: (-one["accepted"], one["class"]))
    return Table(
        "Decided without a person, by class",
        ["Class", "Score from", "Rows", "Right", "Interval", "Of the class", "Of those right"],
        [
            [
                one["class"],
                _from(one.get("threshold", chosen["threshold"])),
                f"{one['accepted']:,}",
                share(one["accuracy"]),
                _interval(one["interval"]),
                f"{one['true_rows']:,}",
                share(one["true_accuracy"]),
            ]
            for one in rows
        ],
        brief=(0, 1, 2, 3, 6) if chosen["accepted"] else None,
    )


def _by_size(report: Mapping[str, Any]) -> Table:
    chosen = report["threshold"]
    unit = chosen.get("size_unit") or "size"
    return Table(
        f"Decided without a person, by number of {unit}",
        [unit.capitalize(), "Rows", "Without a person", "Right", "Interval"],
        [
            [
                f"{one['above'] + 1:,} to {one['to']:,}" if one["to"] else f"above {one['above']:,}",
                f"{one['rows']:,}",
                f"{one['accepted']:,}",
                share(one["accuracy"]),
                _interval(one["interval"]),
            ]
            for one in chosen["by_size"]
        ],
        brief=(0, 1, 2, 3) if chosen["accepted"] else None,
    )


def _from(threshold: float | None) -> str:
    return "never" if threshold is None else f"{threshold:.3f}"


def _interval(ends: Any) -> str:
    return "–" if not ends else f"{share(ends[0])} to {share(ends[1])}"


def _scores(report: Mapping[str, Any]) -> Section:
    return Section(
        "scores",
        "Scores",
        [
            Chart(
                "reliability",
                {
                    "bins": report["reliability"],
                    "score": "Score",
                    "outcome": "accuracy",
                    "event": "right",
                    "across": "Score of the decision",
                    "up": "Decisions that were right",
                    "none": "No decision has a score.",
                },
                "On the dotted line a score of 80 % is right 80 % of the time; below the line scores are too "
                "high.",
            ),
            Chart(
                "score_histogram",
                {"report": part(report, "distribution", "threshold")},
                "Scores of right and of wrong decisions.",
            ),
        ],
    )


def _classes(report: Mapping[str, Any]) -> Section:
    per_class = sorted(report["per_class"], key=lambda row: -row["support"])
    table = Table(
        "Classes",
        ["Class", "Rows", "Decided", "Precision", "Recall", "F1", "ROC-AUC", "Average precision"],
        [
            [
                row["class"],
                f"{row['support']:,}",
                f"{row['predicted']:,}",
                *(share(row[name]) for name in ("precision", "recall", "f1")),
                *(number(row[name]) for name in ("roc_auc", "average_precision")),
            ]
            for row in per_class
        ],
        brief=(0, 1, 3, 4, 5),
    )
    chart = Chart(
        "classes",
        {"report": part(report, "per_class")},
        "How well each class is recognised, the most frequent on top.",
        wide=True,
    )
    return Section("classes", "Classes", [chart, table])


def _mistakes(report: Mapping[str, Any]) -> Section:
    classes, counts = report["confusion"]["classes"], report["confusion"]["counts"]
    pairs = [(count, t, p) for t, row in enumerate(counts) for p, count in enumerate(row) if t != p and count]
    pairs.sort(key=lambda pair: (-pair[0], pair[1], pair[2]))
    table = Table(
        "Most frequent mistakes",
        ["True class", "Decided class", "Rows", "Share of the true class"],
        [
            [classes[t], classes[p], f"{count:,}", share(count / sum(counts[t]))]
            for count, t, p in pairs[:MISTAKES]
        ],
        "llrr",
        brief=None,
    )
    chart = Chart(
        "confusion",
        {"report": part(report, "confusion")},
        "Each row is a true class and adds up to 100; numbers are percent of that row.",
        wide=True,
    )
    return Section("mistakes", "Mistakes", [chart, Details("The most frequent mistakes as a table", [table])])


def _held_out(report: Mapping[str, Any], nouns: Nouns) -> str:
    """Say how the rows were held out and how the intervals were drawn."""
    split = dict(report.get("split") or {})
    kind = split.pop("kind", None)
    more = ", ".join(f"{str(name).replace('_', ' ')} {value}" for name, value in split.items())
    words = ""
    if kind or more:
        by = f" by a split that is {kind}" if kind else ""
        how = "Scores of the stored model" if kind == AS_IT_IS else f"Rows were held out{by}"
        words = how + (f" ({more}). " if more else ". ")
    drawn = nouns.records
    if report.get("groups") is not None:
        drawn = f"{report['groups']:,} groups of similar {nouns.records}"
    return (
        f"{words}Intervals are percentile bootstrap over {drawn}. Macro figures are means over the classes "
        "that occur."
    )
