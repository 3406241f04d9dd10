"""What a solution fills in: its tasks, each a target, features and a policy as data."""

from tallystick.tasks.amount import Amount
from tallystick.tasks.analysis import Analysis
from tallystick.tasks.anomaly import Anomaly
from tallystick.tasks.binary import Binary
from tallystick.tasks.classes import Classes
from tallystick.tasks.dataset import Dataset, HeldOut, Truth
from tallystick.tasks.policies import (
    Abstain,
    Bands,
    Capacity,
    FittedPolicy,
    NoPolicy,
    Policy,
    ReviewAndDecline,
)
from tallystick.tasks.segments import Segments
from tallystick.tasks.solution import Solution
from tallystick.tasks.splits import Fold, Split, SplitMaker
from tallystick.tasks.table import Aggregate, Table
from tallystick.tasks.target import Calibrated, Measured, Target
from tallystick.tasks.task import Task

__all__ = [
    "Abstain",
    "Aggregate",
    "Amount",
    "Analysis",
    "Anomaly",
    "Bands",
    "Binary",
    "Calibrated",
    "Capacity",
    "Classes",
    "Dataset",
    "FittedPolicy",
    "Fold",
    "HeldOut",
    "Measured",
    "NoPolicy",
    "Policy",
    "ReviewAndDecline",
    "Segments",
    "Solution",
    "Split",
    "SplitMaker",
    "Table",
    "Target",
    "Task",
    "Truth",
]
