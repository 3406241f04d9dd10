"""The model card of an event task: what a bundle's manifest says, in Markdown for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tallystick.models.card import achieved, written

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
    training, figures = manifest["training"], manifest["figures"]
    how = [
        f"calibrated on rows that came later than what was learned from ({training['split']})",
        *_thresholds(manifest["policy"]),
    ]
    found = [
        f"On {figures['rows']:,} rows, each scored by a model of what was known before it. Calibration and "
        "thresholds were chosen on these same rows; `evaluate` on later ones is free of that.",
        "",
        *achieved(figures, EVENT_FIGURES),
    ]
    rows = f"{training['rows']:,} rows, {training['events']:,} of them the event"
    return written(manifest, purpose, limits, rows, how, found)


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
