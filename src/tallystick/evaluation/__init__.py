"""Evaluation: splits, figures, thresholds, and how far to trust them. No plotting, no training."""

from tallystick.evaluation.bootstrap import interval, paired_interval
from tallystick.evaluation.coverage import Coverage
from tallystick.evaluation.metrics import HEADLINE, classify
from tallystick.evaluation.reliability import reliability_curve, score_distribution
from tallystick.evaluation.report import classification_report
from tallystick.evaluation.splits import folds, time_split

__all__ = [
    "HEADLINE",
    "Coverage",
    "classification_report",
    "classify",
    "folds",
    "interval",
    "paired_interval",
    "reliability_curve",
    "score_distribution",
    "time_split",
]
