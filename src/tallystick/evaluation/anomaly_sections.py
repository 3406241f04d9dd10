"""The report on anomaly scores as sections: their spread, or the binary sections where labels judge them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tallystick.evaluation.binary_sections import binary_sections
from tallystick.evaluation.binary_words import binary_outcome
from tallystick.report import Block, Chart, Nouns, Section, Table, Text
from tallystick.report.formatting import compact, rare

__all__ = ["anomaly_outcome", "anomaly_sections"]


def anomaly_outcome(report: Mapping[str, Any], nouns: Nouns) -> str:
    """Say in plain words how many records are flagged, or how well scores rank where labels judge them.

    >>> above = [{"action": "review", "threshold": 0.9, "rows": 5, "share": 0.05}]
    >>> anomaly_outcome({"rows": 100, "above": above}, Nouns())
    'Of 100 records, 5 (5.0\\xa0%) are looked at by a person. No label says which of them are right.'
    """
    if _judged(report):
        return binary_outcome(report, nouns)
    flagged = " and ".join(
        f"{one['rows']:,} ({rare(one['share'])}) are {nouns.actions.get(one['action'], one['action'])}"
        for one in report.get("above") or []
    )
    if not flagged:
        return f"{report['rows']:,} {nouns.records} have a score; no threshold flags any of them."
    return f"Of {report['rows']:,} {nouns.records}, {flagged}. No label says which of them are right."


def anomaly_sections(report: Mapping[str, Any], nouns: Nouns) -> list[Section]:
    """Lay out the report of anomaly scores."""
    if _judged(report):
        return binary_sections(report, nouns)
    blocks: list[Block] = []
    if report.get("distribution"):
        lines = {one["action"]: one["threshold"] for one in report.get("above") or []}
        blocks.append(
            Chart(
                "score_counts",
                {"distribution": report["distribution"], "lines": lines},
                f"How many {nouns.records} got which score; higher is odder. One step up is ten times as "
                "many; dotted lines are the thresholds.",
            )
        )
    blocks.append(
        Table(
            "Scores",
            ["Share of rows with a lower score", "Score"],
            [[f"{one['quantile']:.1%}", compact(one["score"])] for one in report.get("quantiles") or []],
        )
    )
    above = report.get("above") or []
    flagged: Block = Text("No threshold was chosen, so nothing is flagged by one.")
    if above:
        flagged = Table(
            "Thresholds",
            ["Action", "Score from", "Rows", "Share"],
            [
                [
                    nouns.actions.get(one["action"], one["action"]).capitalize(),
                    f"{one['threshold']:.4f}",
                    f"{one['rows']:,}",
                    rare(one["share"]),
                ]
                for one in above
            ],
        )
    return [Section("scores", "Scores", blocks), Section("thresholds", "Alerts", [flagged])]


def _judged(report: Mapping[str, Any]) -> bool:
    """Whether labels judge the scores."""
    return "events" in report
