"""The report on segments as sections: quality, and each segment with its size."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tallystick.evaluation.figure_table import figure_table
from tallystick.report import Chart, Nouns, Section, Table
from tallystick.report.formatting import number, shares

__all__ = ["segments_outcome", "segments_sections"]

FIGURES = {
    "silhouette": (
        "Silhouette",
        "How much nearer rows are to their own segment than to the next: 1 is best, 0 on the border.",
    ),
    "separation": (
        "Separation of centres",
        "The same by distances to the segments' centres: 1 is best, 0 on the border.",
    ),
    "stability": (
        "Stability (adjusted Rand index)",
        "How far a second fit divides rows alike: 1 is the same, 0 is chance.",
    ),
    "mean_distance": ("Mean distance to the centre", "In the units of the scaled features."),
}


def segments_outcome(report: Mapping[str, Any], nouns: Nouns) -> str:
    """Say in plain words how many segments there are, how large, and how well separated.

    >>> parts = [{"segment": "1", "rows": 6, "share": 0.6}, {"segment": "2", "rows": 4, "share": 0.4}]
    >>> segments_outcome({"rows": 10, "segments": parts, "separation": 0.5}, Nouns())
    '10 records in 2 segments of 4 to 6 records. Separation of centres is 0.500.'
    """
    sizes = [one["rows"] for one in report["segments"]]
    words = (
        f"{report['rows']:,} {nouns.records} in {len(sizes):,} segments of {min(sizes):,} to {max(sizes):,} "
        f"{nouns.records}."
    )
    for key in ("silhouette", "separation", "stability"):
        if report.get(key) is not None:
            words += f" {FIGURES[key][0]} is {number(report[key])}."
    return words


def segments_sections(report: Mapping[str, Any], nouns: Nouns) -> list[Section]:
    """Lay out the report of segments, the largest first."""
    parts = sorted(report.get("segments") or [], key=lambda one: (-one["rows"], one["segment"]))
    sections = [
        Section("figures", "Quality", [figure_table(report, FIGURES, caption="Quality of the segments")])
    ]
    if parts:
        counts = {one["segment"]: one["rows"] for one in parts}
        data = {"counts": counts, "of": "Segment", "unit": nouns.records.capitalize()}
        chart = Chart("counts", data, f"{nouns.records.capitalize()} in each segment.")
        table = Table(
            "Segments",
            ["Segment", "Rows", "Share", "Mean distance", "Separation"],
            [
                [
                    one["segment"],
                    f"{one['rows']:,}",
                    of,
                    number(one.get("mean_distance")),
                    number(one.get("separation")),
                ]
                for one, of in zip(parts, shares([one["rows"] for one in parts]), strict=True)
            ],
        )
        sections.append(Section("segments", "Segments", [chart, table]))
    return sections
