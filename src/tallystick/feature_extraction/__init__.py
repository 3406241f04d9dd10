"""What a task reads: text, columns, window features, outputs of other tasks, in one matrix."""

from tallystick.feature_extraction.base import Augmented, Features, FitContext, FittedPart, RowScorer
from tallystick.feature_extraction.columns import Columns, FittedColumns
from tallystick.feature_extraction.fitted import (
    FittedFeatures,
    augment,
    copy_keys_of,
    fit_features,
    groups_of,
    identity_of,
    layout_of,
    missing_of,
    sizes_of,
    without_content,
)
from tallystick.feature_extraction.outputs import TaskOutput, output_name
from tallystick.feature_extraction.text import Text
from tallystick.feature_extraction.values import DERIVED, WINDOW_FEATURES, ValueReader, Values, window_column
from tallystick.feature_extraction.windows import WindowFeatures

__all__ = [
    "DERIVED",
    "WINDOW_FEATURES",
    "Augmented",
    "Columns",
    "Features",
    "FitContext",
    "FittedColumns",
    "FittedFeatures",
    "FittedPart",
    "RowScorer",
    "TaskOutput",
    "Text",
    "ValueReader",
    "Values",
    "WindowFeatures",
    "augment",
    "copy_keys_of",
    "fit_features",
    "groups_of",
    "identity_of",
    "layout_of",
    "missing_of",
    "output_name",
    "sizes_of",
    "window_column",
    "without_content",
]
