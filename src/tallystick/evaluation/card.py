"""The model card of a bundle in Markdown (Mitchell et al. 2019)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tallystick.evaluation.binary_words import cold_words
from tallystick.evaluation.targets import policy_points, sections, target_report, with_policy
from tallystick.report import Items, Nouns, Section, Text, markdown

__all__ = ["render_card"]


def render_card(manifest: Mapping[str, Any], purpose: str, limits: str, nouns: Nouns | None = None) -> str:
    """Write the card of a bundle from its manifest and the task's own words.

    `purpose` says what the model is for, `limits` what it is not for; `nouns` are the solution's words. The
    target is the manifest's, or that of its figures.
    """
    words = nouns or Nouns()
    figures = with_policy(manifest["figures"], manifest["policy"])
    figures["target"] = manifest.get("target") or figures["target"]
    target = target_report(figures)
    training, contract, features = manifest["training"], manifest["contract"], manifest["features"]
    left_out = ", ".join(f"{name} {count:,}" for name, count in training["left_out"].items() if count)
    rows = f"{training['rows']:,} rows"
    if "events" in training:
        rows += f", {training['events']:,} of them the event"
    learned = [
        f"{rows}, {training['from'] or 'no times'} to {training['until'] or 'no times'}",
        f"left out: {left_out or 'none'}",
        *([cold] if (cold := cold_words(training)) else []),
        f"contract {contract['name']} version {contract['version']}",
        f"data fingerprint `{training['data'][:16]}`, seed {training['seed']}",
    ]
    how = [
        f"learner `{manifest['learner']['name']}` on {features['count']:,} features: {features['words']}",
        target.fitted.format(training["split"]),
        *policy_points(figures, words),
    ]
    measured = Text(f"On {figures['rows']:,} rows, {target.measured}", brief=True)
    tables = [
        block
        for section in sections(figures, words, brief=True)
        if section.name != "thresholds"
        for block in section.blocks
    ]
    return markdown(
        f"{manifest['solution']}: {manifest['task']}",
        purpose,
        [
            Section("trained", "Trained from", [Items(learned)]),
            Section("how", "How", [Items(how)]),
            Section("achieved", "What it achieved", [measured, *tables]),
            Section("limits", "Not for", [Text(limits, brief=True)]),
        ],
    )
