"""The scorer: contract, predictors, windows, rules and routing as one value."""

from tallystick.scorer.decision import decision_schema
from tallystick.scorer.loading import (
    find_bundles,
    load_predictor,
    load_routing,
    load_rules,
    load_scorer,
    load_windows,
    needed_columns,
    opened_by,
)
from tallystick.scorer.predictor import Predictor, Want
from tallystick.scorer.scorer import Scored, Scorer, WindowedBatch

__all__ = [
    "Predictor",
    "Scored",
    "Scorer",
    "Want",
    "WindowedBatch",
    "decision_schema",
    "find_bundles",
    "load_predictor",
    "load_routing",
    "load_rules",
    "load_scorer",
    "load_windows",
    "needed_columns",
    "opened_by",
]
