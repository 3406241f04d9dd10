"""What a solution fills in, and the one way through it: contract, features, model, policy."""

from tallystick.rules import ROUTE, Routing, Rules
from tallystick.scorer.analysis import Analysis
from tallystick.scorer.classes import ClassModel
from tallystick.scorer.decision import decision_schema
from tallystick.scorer.events import EventModel
from tallystick.scorer.loading import (
    find_bundles,
    load_routing,
    load_rules,
    load_scorer,
    load_windows,
    task_model,
)
from tallystick.scorer.policy import Abstention, act, aim, choose, choose_thresholds
from tallystick.scorer.scorer import Behaved, Scored, Scorer
from tallystick.scorer.solution import (
    ClassTask,
    EventTask,
    Features,
    FittedFeatures,
    RowScorer,
    Solution,
    Task,
)
from tallystick.scorer.table import FittedTable, TableFeatures
from tallystick.scorer.values import BEHAVIOUR, DERIVED, Values, behaviour_column

__all__ = [
    "BEHAVIOUR",
    "DERIVED",
    "ROUTE",
    "Abstention",
    "Analysis",
    "Behaved",
    "ClassModel",
    "ClassTask",
    "EventModel",
    "EventTask",
    "Features",
    "FittedFeatures",
    "FittedTable",
    "Routing",
    "RowScorer",
    "Rules",
    "Scored",
    "Scorer",
    "Solution",
    "TableFeatures",
    "Task",
    "Values",
    "act",
    "aim",
    "behaviour_column",
    "choose",
    "choose_thresholds",
    "decision_schema",
    "find_bundles",
    "load_routing",
    "load_rules",
    "load_scorer",
    "load_windows",
    "task_model",
]
