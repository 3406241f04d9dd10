"""What a report needs of its target: outcome in words, sections, and the facts of a model card."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tallystick.errors import UsageError, did_you_mean
from tallystick.evaluation.amount_sections import amount_outcome, amount_sections
from tallystick.evaluation.anomaly_sections import anomaly_outcome, anomaly_sections
from tallystick.evaluation.binary_sections import binary_sections
from tallystick.evaluation.binary_words import action_names, binary_outcome
from tallystick.evaluation.classes_sections import (
    classes_outcome,
    classes_sections,
    own_thresholds,
)
from tallystick.evaluation.segments_sections import segments_outcome, segments_sections
from tallystick.report import Nouns, Section, Text

__all__ = [
    "TARGETS",
    "TargetReport",
    "outcome_words",
    "policy_points",
    "report_sections",
    "sections",
    "target_report",
    "with_policy",
]

Report = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TargetReport:
    """How reports of one target are written.

    outcome: the result in plain words; sections: the whole report; fitted: how calibration was fitted, with
    the split in braces; measured: what the figures of a model card were measured on; brief: the sections that
    narrow media show.
    """

    outcome: Callable[[Report, Nouns], str]
    sections: Callable[[Report, Nouns], list[Section]]
    fitted: str
    measured: str
    brief: tuple[str, ...]


OWN = (
    "each scored by a model of what was known before it. Calibration and thresholds were chosen on these "
    "same rows; `evaluate` on later ones is free of that."
)

TARGETS: dict[str, TargetReport] = {
    "classes": TargetReport(
        classes_outcome,
        classes_sections,
        "probabilities calibrated on out-of-fold scores ({})",
        "each scored by a model that did not see it or a near copy of it.",
        ("figures", "classes", "automation"),
    ),
    "binary": TargetReport(
        binary_outcome,
        binary_sections,
        "calibrated on rows that came later than what was learned from ({})",
        OWN,
        ("figures", "kinds", "rules", "thresholds"),
    ),
    "anomaly": TargetReport(
        anomaly_outcome,
        anomaly_sections,
        "calibrated on rows that came later than what was learned from ({})",
        OWN,
        ("figures", "kinds", "scores", "thresholds"),
    ),
    "amount": TargetReport(
        amount_outcome,
        amount_sections,
        "measured on out-of-fold predictions ({})",
        "each predicted by a model that did not see it.",
        ("figures", "predicted"),
    ),
    "segments": TargetReport(
        segments_outcome,
        segments_sections,
        "segments learned from all rows ({})",
        "those that the segments were learned from.",
        ("figures", "segments"),
    ),
}


def target_report(report: Report) -> TargetReport:
    """Find how a report is written, by its target; UsageError for one that there is not."""
    name = report["target"]
    if name not in TARGETS:
        raise UsageError(f'There is no report on the target "{name}".', did_you_mean(name, TARGETS))
    return TARGETS[name]


def outcome_words(report: Report, nouns: Nouns) -> str:
    """Say the result of a report in plain words."""
    return target_report(report).outcome(report, nouns)


def sections(report: Report, nouns: Nouns, *, brief: bool = False) -> list[Section]:
    """Lay out a report as named sections; `brief` keeps those for narrow media (terminal, card).

    >>> report = {"target": "amount", "rows": 2, "mae": 1.0}
    >>> [section.name for section in sections(report, Nouns())]
    ['figures']
    """
    target = target_report(report)
    found = target.sections(report, nouns)
    if not brief:
        return found
    named = {section.name: section for section in found}
    return [named[name] for name in target.brief if name in named]


def report_sections(reports: Mapping[str, Report], nouns: Nouns) -> tuple[str, list[Section]]:
    """Lay out the reports of several tasks: the outcome of the first, and the sections of all.

    The sections of a single task stand alone; several tasks have a section each.
    """
    if not reports:
        return "There is no task with a true label to compare with.", []
    first = next(iter(reports.values()))
    if len(reports) == 1:
        return outcome_words(first, nouns), sections(first, nouns)
    return outcome_words(first, nouns), [
        Section(
            name,
            f"Task: {report.get('task', name)}",
            [Text(outcome_words(report, nouns), brief=True)],
            sections(report, nouns),
        )
        for name, report in reports.items()
    ]


def with_policy(figures: Report, policy: Mapping[str, Any]) -> dict[str, Any]:
    """Join the figures of a bundle's manifest with its policy, in the form of a report."""
    if "edges" in policy:
        return {**figures, "bands": list(policy["edges"])}
    if "share" in policy:
        wanted = f"capacity={policy['share']:g}"
        return {**figures, "thresholds": {"flagged": {"threshold": policy["threshold"], "wanted": wanted}}}
    if "automation" in policy:
        if (figures.get("threshold") or {}).get("held_out"):
            return dict(figures)  # by thresholds that these rows did not choose, unlike what the policy says
        chosen = {key: policy.get(key) for key in ("threshold", "automation", "accuracy")}
        return {**figures, "threshold": chosen}
    actions = [name.removesuffix("_wanted") for name in policy if name.endswith("_wanted")]
    if not actions:
        return dict(figures)
    thresholds: dict[str, Any] = {
        name: {"threshold": policy.get(name), "wanted": policy.get(f"{name}_wanted") or None}
        for name in actions
    }
    expected = policy.get("expected") or None
    thresholds |= {"together": expected, "in_sample": True, "notes": list(policy.get("notes") or ())}
    return {**figures, "thresholds": thresholds}


def policy_points(report: Report, nouns: Nouns) -> Sequence[str]:
    """Say in a list what the policy of a report does, from which scores on."""
    if report.get("bands"):
        return ["bands that begin at scores of " + ", ".join(f"{edge:.4g}" for edge in report["bands"])]
    chosen = report.get("threshold")
    if chosen:
        if chosen["threshold"] is None or chosen["accuracy"] is None:
            return ["no probability is high enough to decide without a person as accurately as wanted"]
        low, high = chosen.get("interval") or (None, None)
        interval = "" if low is None else f" (95% interval {low:.1%} to {high:.1%})"
        return [
            f"decided without a person from a probability of {chosen['threshold']:.3f}"
            + " (of some classes a higher one, or never)" * bool(own_thresholds(chosen))
            + f": {chosen['automation']:.1%} of rows, {chosen['accuracy']:.1%}{interval} of them right"
        ]
    points = []
    for name in action_names(report.get("thresholds")):
        did = report["thresholds"][name]
        done, wanted = nouns.actions.get(name, name), did.get("wanted")
        if did["threshold"] is None:
            points.append(f"never {done}" + (f": no score gives {wanted}" if wanted else ""))
        else:
            point = f"{done} from a score of {did['threshold']:.4g}"
            points.append(point + (f" ({wanted})" if wanted else ""))
    return points
