"""A report as evaluation writes it, by hand: figures know no evaluation."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture
def report() -> dict[str, Any]:
    names = [
        "Credit reporting, credit repair services, or other personal consumer reports",
        "Debt collection",
        "Mortgage",
    ]
    counts = [[80, 10, 10], [6, 22, 2], [4, 0, 6]]
    shares = {"precision": 0.8, "recall": 0.75, "f1": 0.77, "roc_auc": 0.9, "average_precision": 0.85}
    support = [sum(row) for row in counts]
    decided = [sum(column) for column in zip(*counts, strict=True)]
    return {
        "task": "product",
        "target": "classes",
        "rows": 140,
        "accuracy": 108 / 140,
        "balanced_accuracy": 0.711,
        "precision_macro": 0.655,
        "recall_macro": 0.711,
        "f1_macro": 0.665,
        "precision_weighted": 0.818,
        "recall_weighted": 108 / 140,
        "f1_weighted": 0.787,
        "roc_auc": 0.9,
        "average_precision": 0.85,
        "log_loss": 0.62,
        "brier": 0.33,
        "ece": 0.041,
        "level": 0.95,
        "intervals": {"accuracy": [0.701, 0.839], "f1_macro": [0.58, 0.74], "log_loss": [0.5, 0.75]},
        "baseline": {"class": names[0], "accuracy": 100 / 140},
        "per_class": [
            {"class": name, "support": support[c], "predicted": decided[c], **shares}
            for c, name in enumerate(names)
        ],
        "confusion": {"classes": names, "counts": counts},
        "threshold": {
            "wanted": {"accuracy": 0.95},
            "threshold": 0.8,
            "rows": 140,
            "accepted": 70,
            "automation": 0.5,
            "accuracy": 67 / 70,
            "wrong": 3,
            "review_accuracy": 41 / 70,
        },
        "reliability": [
            {"low": 0.4, "high": 0.6, "rows": 40, "score": 0.5, "accuracy": 0.6},
            {"low": 0.8, "high": 1.0, "rows": 100, "score": 0.9, "accuracy": 0.84},
        ],
        "coverage": {"score": [0.9, 0.8, 0.3], "coverage": [0.1, 0.5, 1.0], "accuracy": [1.0, 0.957, 0.771]},
        "distribution": {
            "edges": [0.0, 0.5, 1.0],
            "right": [18, 90],
            "wrong": [12, 20],
            "by_class": {"Mortgage": [10, 8]},
        },
        "groups": 131,
        "split": {"kind": "grouped", "folds": 5},
    }
