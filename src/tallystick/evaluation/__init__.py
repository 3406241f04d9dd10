"""Evaluation: splits, figures, thresholds, and how far to trust them. No plotting, no training."""

from tallystick.evaluation.amount_report import amount_report
from tallystick.evaluation.anomaly_report import anomaly_report
from tallystick.evaluation.backtest import backtest
from tallystick.evaluation.bootstrap import interval, paired_interval
from tallystick.evaluation.card_precision import card_precision
from tallystick.evaluation.costs import Costs, outcome
from tallystick.evaluation.coverage import Coverage
from tallystick.evaluation.event_metrics import average_precision, roc_auc
from tallystick.evaluation.events import event_report
from tallystick.evaluation.metrics import HEADLINE, classify
from tallystick.evaluation.oracle import World, oracle_scores
from tallystick.evaluation.protocols import Part, day_numbers, handbook, prequential
from tallystick.evaluation.reliability import reliability_curve, score_distribution
from tallystick.evaluation.report import classification_report
from tallystick.evaluation.segments_report import segments_report
from tallystick.evaluation.splits import folds, time_split
from tallystick.evaluation.thresholds import Thresholds, Wish
from tallystick.evaluation.thresholds import choose as choose_thresholds

__all__ = [
    "HEADLINE",
    "Costs",
    "Coverage",
    "Part",
    "Thresholds",
    "Wish",
    "World",
    "amount_report",
    "anomaly_report",
    "average_precision",
    "backtest",
    "card_precision",
    "choose_thresholds",
    "classification_report",
    "classify",
    "day_numbers",
    "event_report",
    "folds",
    "handbook",
    "interval",
    "oracle_scores",
    "outcome",
    "paired_interval",
    "prequential",
    "reliability_curve",
    "roc_auc",
    "score_distribution",
    "segments_report",
    "time_split",
]
