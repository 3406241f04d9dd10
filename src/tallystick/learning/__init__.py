"""Learning: records in their order, folds, fitting and measuring, the same for every kind of task."""

from tallystick.learning.fit import FitSpec, Fitted, cross_fit, fit_task
from tallystick.learning.folds import SPLITS, folds_of
from tallystick.learning.measure import score_anew, score_as_it_is
from tallystick.learning.records import Records, Span, replay, with_windows

__all__ = [
    "SPLITS",
    "FitSpec",
    "Fitted",
    "Records",
    "Span",
    "cross_fit",
    "fit_task",
    "folds_of",
    "replay",
    "score_anew",
    "score_as_it_is",
    "with_windows",
]
