"""Evaluation: splits, figures, thresholds, and how far to trust them. No plotting, no training."""

from tallystick.evaluation.amount_report import amount_report
from tallystick.evaluation.anomaly_report import anomaly_report
from tallystick.evaluation.backtest import backtest
from tallystick.evaluation.binary_metrics import average_precision, roc_auc
from tallystick.evaluation.binary_report import event_report
from tallystick.evaluation.bootstrap import interval, paired_interval
from tallystick.evaluation.card import render_card
from tallystick.evaluation.classes_report import classification_report
from tallystick.evaluation.costs import Costs, outcome
from tallystick.evaluation.coverage import Coverage
from tallystick.evaluation.days import day_numbers, days_covered
from tallystick.evaluation.measures import Measure, Measured
from tallystick.evaluation.metrics import HEADLINE, classify
from tallystick.evaluation.reliability import reliability_curve, score_distribution
from tallystick.evaluation.scored_rows import ScoredRows
from tallystick.evaluation.segments_report import segments_report
from tallystick.evaluation.splits import folds, time_split
from tallystick.evaluation.targets import TARGETS, outcome_words, report_sections, sections, with_policy
from tallystick.evaluation.thresholds import Thresholds, Wish
from tallystick.evaluation.thresholds import choose as choose_thresholds

__all__ = [
    "HEADLINE",
    "TARGETS",
    "Costs",
    "Coverage",
    "Measure",
    "Measured",
    "ScoredRows",
    "Thresholds",
    "Wish",
    "amount_report",
    "anomaly_report",
    "average_precision",
    "backtest",
    "choose_thresholds",
    "classification_report",
    "classify",
    "day_numbers",
    "days_covered",
    "event_report",
    "folds",
    "interval",
    "outcome",
    "outcome_words",
    "paired_interval",
    "reliability_curve",
    "render_card",
    "report_sections",
    "roc_auc",
    "score_distribution",
    "sections",
    "segments_report",
    "time_split",
    "with_policy",
]
