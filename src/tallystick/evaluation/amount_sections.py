"""The report on a predicted amount as sections: figures, predicted against true, errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tallystick.evaluation.figure_table import figure_table
from tallystick.report import Block, Chart, Nouns, Section, Table, Text
from tallystick.report.formatting import compact, interval, level

__all__ = ["amount_outcome", "amount_sections"]

FIGURES = {
    "mae": ("Mean absolute error (lower is better)", "How far a prediction is off, on average."),
    "rmse": ("Root mean squared error (lower is better)", "The same with large errors counting more."),
    "median_absolute_error": (
        "Median absolute error (lower is better)",
        "Half of the predictions are off by less.",
    ),
    "r2": ("R²", "Share of the variance that is explained: 1 is best, 0 is predicting the mean."),
    "bias": ("Mean error (bias)", "Predicted minus true: above 0 predictions are too high on average."),
}


def amount_outcome(report: Mapping[str, Any], nouns: Nouns) -> str:
    """Say in plain words how far predictions are off, against predicting the mean.

    >>> report = {"rows": 10, "mae": 2.0, "r2": 0.5, "bias": 0.1, "baseline": {"mae": 4.0}}
    >>> amount_outcome(report, Nouns())
    'Predictions for 10 records are off by 2 on average; predicting the mean, by 4. R² is 0.5.'
    """
    ends = interval(report, "mae", compact)
    between = "" if ends == "–" else f" ({level(report)} interval {ends})"
    base = (report.get("baseline") or {}).get("mae")
    words = (
        f"Predictions for {report['rows']:,} {nouns.records} are off by {compact(report['mae'])} on "
        f"average{between}"
    )
    words += f"; predicting the mean, by {compact(base)}." if base is not None else "."
    return words + (f" R² is {compact(report['r2'])}." if report.get("r2") is not None else "")


def amount_sections(report: Mapping[str, Any], nouns: Nouns) -> list[Section]:
    """Lay out the report of an amount; parts that it lacks are left out."""
    blocks: list[Block] = [figure_table(report, FIGURES, compact)]
    if report.get("split"):
        how = "; ".join(f"{str(name).replace('_', ' ')}: {value}" for name, value in report["split"].items())
        blocks.append(Text(f"How the {nouns.records} were held out: {how}."))
    blocks.append(Text("The baseline predicts the mean of these rows."))
    sections = [Section("figures", "Figures", blocks)]
    if report.get("by_predicted"):
        sections.append(_predicted(report))
    if report.get("residuals"):
        chart = Chart(
            "residuals",
            {"residuals": report["residuals"]},
            "Errors, predicted minus true: bars right of 0 are predictions that were too high. The outermost "
            "bars hold all errors beyond.",
        )
        sections.append(Section("errors", "Errors", [chart]))
    return sections


def _predicted(report: Mapping[str, Any]) -> Section:
    parts = report["by_predicted"]
    chart = Chart(
        "predicted_true",
        {"parts": parts},
        "Rows in parts of equal size by predicted value: on the dotted line the mean of the true values "
        "equals the prediction. Bars hold eight in ten of the true values of a part.",
    )
    table = Table(
        "By predicted value",
        ["Predicted", "Rows", "Mean predicted", "Mean true", "Mean absolute error"],
        [
            [
                f"{compact(one['low'])} to {compact(one['high'])}",
                f"{one['rows']:,}",
                *(compact(one[name]) for name in ("predicted", "truth", "mae")),
            ]
            for one in parts
        ],
    )
    return Section("predicted", "Predicted and true", [chart, table])
