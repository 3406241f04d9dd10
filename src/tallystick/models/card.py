"""The model card: what a bundle's manifest says, in Markdown for people (Mitchell et al. 2019)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["FIGURES", "render_card"]

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
    left_out = ", ".join(f"{name} {count:,}" for name, count in training["left_out"].items() if count)
    lines = [
        f"# {manifest['solution']}: {manifest['task']}",
        "",
        purpose.strip(),
        "",
        "## Trained from",
        "",
        f"- {training['rows']:,} rows, {training['from'] or 'no times'} to {training['until'] or 'no times'}",
        f"- left out: {left_out or 'none'}",
        f"- contract {manifest['contract']['name']} version {manifest['contract']['version']}",
        f"- data fingerprint `{training['data'][:16]}`, seed {training['seed']}",
        "",
        "## How",
        "",
        f"- learner `{manifest['learner']['name']}` on {manifest['features']['count']:,} features: "
        f"{manifest['features']['words']}",
        f"- probabilities calibrated on out-of-fold scores ({training['split']})",
        f"- decided without a person from a probability of {policy['threshold']:.3f}: "
        f"{policy['automation']:.1%} of rows, {policy['accuracy']:.1%} of them right"
        if policy["threshold"] is not None
        else "- no probability is high enough to decide without a person as surely as wanted",
        "",
        "## What it achieved",
        "",
        f"On {figures['rows']:,} rows, each scored by a model that did not see it or a near copy of it.",
        "",
        "| figure | value | 95 % interval |",
        "|---|---|---|",
    ]
    intervals = figures.get("intervals", {})
    for key, words in FIGURES:
        if figures.get(key) is not None:
            low_high = intervals.get(key)
            interval = f"{low_high[0]:.3f} … {low_high[1]:.3f}" if low_high else ""
            lines.append(f"| {words} | {figures[key]:.3f} | {interval} |")
    lines += ["", "| class | rows | precision | recall | F1 |", "|---|---|---|---|---|"]
    for row in figures.get("per_class", []):
        lines.append(
            f"| {_cell(row['class'])} | {row['support']:,} | "
            + " | ".join("" if row[k] is None else f"{row[k]:.3f}" for k in ("precision", "recall", "f1"))
            + " |"
        )
    return "\n".join([*lines, "", "## Not for", "", limits.strip(), ""])


def _cell(text: str) -> str:
    """Keep a class name from breaking the table."""
    return text.replace("|", "\\|").replace("\n", " ")
