"""What a solution fills in, and the one way through it: contract, features, model, policy."""

from tallystick.scorer.decision import decision_schema
from tallystick.scorer.loading import find_bundles, load_routing, load_scorer, task_model
from tallystick.scorer.policy import Abstention, aim, choose
from tallystick.scorer.routing import ROUTE, Routing
from tallystick.scorer.scorer import Scored, Scorer, TaskModel
from tallystick.scorer.solution import Features, FittedFeatures, RowScorer, Solution, Task

__all__ = [
    "ROUTE",
    "Abstention",
    "Features",
    "FittedFeatures",
    "Routing",
    "RowScorer",
    "Scored",
    "Scorer",
    "Solution",
    "Task",
    "TaskModel",
    "aim",
    "choose",
    "decision_schema",
    "find_bundles",
    "load_routing",
    "load_scorer",
    "task_model",
]
