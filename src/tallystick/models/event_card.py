"""The model card of an event task: what a bundle's manifest says, in Markdown for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["EVENT_FIGURES", "render_event_card"]

#: Figures of event tasks that people are shown first, with their names.
EVENT_FIGURES = (
    ("average_precision", "Average precision"),
    ("roc_auc", "ROC-AUC"),
    ("card_precision_at_100", "Card precision at 100 a day"),
    ("precision", "Precision at the review threshold"),
    ("recall", "Recall at the review threshold"),
    ("f1", "F1 at the review threshold"),
    ("log_loss", "Log loss (lower is better)"),
    ("brier", "Brier score (lower is better)"),
    ("ece", "Expected calibration error (lower is better)"),
)


def render_event_card(manifest: Mapping[str, Any], purpose: str, limits: str) -> str:
    """Write the card of a bundle from its manifest and the solution's own words.

    `purpose` says what the model is for, `limits` what it is not for.
    """
    training, figures, policy = manifest["training"], manifest["figures"], manifest["policy"]
    left_out = ", ".join(f"{name} {count:,}" for name, count in training["left_out"].items() if count)
    intervals = figures.get("intervals", {})
    lines = [
        f"# {manifest['solution']}: {manifest['task']}",
        "",
        purpose.strip(),
        "",
        "## Trained from",
        "",
        f"- {training['rows']:,} rows, {training['events']:,} of them the event, "
        f"{training['from'] or 'no times'} to {training['until'] or 'no times'}",
        f"- left out: {left_out or 'none'}",
        f"- contract {manifest['contract']['name']} version {manifest['contract']['version']}",
        f"- data fingerprint `{training['data'][:16]}`, seed {training['seed']}",
        "",
        "## How",
        "",
        f"- learner `{manifest['learner']['name']}` on {manifest['features']['count']:,} features: "
        f"{manifest['features']['words']}",
        f"- calibrated on rows that came later than what was learned from ({training['split']})",
        *(f"- {line}" for line in _thresholds(policy)),
        "",
        "## What it achieved",
        "",
        f"On {figures['rows']:,} rows, each scored by a model of what was known before it. Calibration and "
        "thresholds were chosen on these same rows; `evaluate` on later ones is free of that.",
        "",
        "| figure | value | 95 % interval |",
        "|---|---|---|",
    ]
    for key, words in EVENT_FIGURES:
        if figures.get(key) is not None:
            low, high = intervals.get(key) or (None, None)
            interval = "" if low is None else f"{low:.3f} … {high:.3f}"
            lines.append(f"| {words} | {figures[key]:.3f} | {interval} |")
    return "\n".join([*lines, "", "## Not for", "", limits.strip(), ""])


def _thresholds(policy: Mapping[str, Any]) -> list[str]:
    """Say from which scores on something is done, and what that gave."""
    said = []
    for name, done in (("review", "looked at by a person"), ("decline", "declined")):
        threshold = policy.get(name)
        wish = policy.get(f"{name}_wanted", "")
        said.append(
            f"{done} from a probability of {threshold:.4g}" + (f" ({wish})" if wish else "")
            if threshold is not None
            else f"never {done}" + (f": no score gives {wish}" if wish else "")
        )
    return said
