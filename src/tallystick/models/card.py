"""The model card: what a bundle's manifest says, in Markdown for people (Mitchell et al. 2019)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["FIGURES", "achieved", "render_card", "written"]

#: Figures that people are shown first, with their names.
FIGURES = (
    ("accuracy", "Accuracy"),
    ("balanced_accuracy", "Balanced accuracy"),
    ("f1_macro", "F1, macro"),
    ("f1_weighted", "F1, weighted"),
    ("roc_auc", "ROC-AUC, one versus rest"),
    ("average_precision", "Average precision, one versus rest"),
    ("log_loss", "Log loss (lower is better)"),
    ("brier", "Brier score (lower is better)"),
    ("ece", "Expected calibration error (lower is better)"),
)


def render_card(manifest: Mapping[str, Any], purpose: str, limits: str) -> str:
    """Write the card of a bundle from its manifest and the solution's own words.

    `purpose` says what the model is for, `limits` what it is not for.
    """
    training, figures, policy = manifest["training"], manifest["figures"], manifest["policy"]
    how = [
        f"probabilities calibrated on out-of-fold scores ({training['split']})",
        f"decided without a person from a probability of {policy['threshold']:.3f}: "
        f"{policy['automation']:.1%} of rows, {policy['accuracy']:.1%} of them right"
        if policy["threshold"] is not None
        else "no probability is high enough to decide without a person as surely as wanted",
    ]
    classes = [
        f"| {_cell(row['class'])} | {row['support']:,} | "
        + " | ".join("" if row[k] is None else f"{row[k]:.3f}" for k in ("precision", "recall", "f1"))
        + " |"
        for row in figures.get("per_class", [])
    ]
    found = [
        f"On {figures['rows']:,} rows, each scored by a model that did not see it or a near copy of it.",
        "",
        *achieved(figures, FIGURES),
        "",
        "| class | rows | precision | recall | F1 |",
        "|---|---|---|---|---|",
        *classes,
    ]
    return written(manifest, purpose, limits, f"{training['rows']:,} rows", how, found)


def written(
    manifest: Mapping[str, Any],
    purpose: str,
    limits: str,
    rows: str,
    how: Sequence[str],
    found: Sequence[str],
) -> str:
    """Put a card together.

    rows: what was learned from, in words; how: the points of its second part; found: the lines of its third.
    """
    training, contract, features = manifest["training"], manifest["contract"], manifest["features"]
    left_out = ", ".join(f"{name} {count:,}" for name, count in training["left_out"].items() if count)
    lines = [
        f"# {manifest['solution']}: {manifest['task']}",
        "",
        purpose.strip(),
        "",
        "## Trained from",
        "",
        f"- {rows}, {training['from'] or 'no times'} to {training['until'] or 'no times'}",
        f"- left out: {left_out or 'none'}",
        f"- contract {contract['name']} version {contract['version']}",
        f"- data fingerprint `{training['data'][:16]}`, seed {training['seed']}",
        "",
        "## How",
        "",
        f"- learner `{manifest['learner']['name']}` on {features['count']:,} features: {features['words']}",
        *(f"- {point}" for point in how),
        "",
        "## What it achieved",
        "",
        *found,
        "",
        "## Not for",
        "",
        limits.strip(),
        "",
    ]
    return "\n".join(lines)


def achieved(figures: Mapping[str, Any], shown: Sequence[tuple[str, str]]) -> list[str]:
    """Write the table of figures with their 95 % intervals; shown: keys of `figures` with their names."""
    lines = ["| figure | value | 95 % interval |", "|---|---|---|"]
    intervals = figures.get("intervals", {})
    for key, words in shown:
        if figures.get(key) is not None:
            low, high = intervals.get(key) or (None, None)
            interval = "" if low is None else f"{low:.3f} … {high:.3f}"
            lines.append(f"| {words} | {figures[key]:.3f} | {interval} |")
    return lines


def _cell(text: str) -> str:
    """Keep a class name from breaking the table."""
    return text.replace("|", "\\|").replace("\n", " ")
