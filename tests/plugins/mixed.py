"""Every kind of task in one solution, over the visits of guests."""

from pathlib import Path

from tallystick import tasks
from tallystick.contracts import Column, Contract
from tallystick.feature_extraction import Columns, TaskOutput, Text, WindowFeatures

__all__ = ["SOLUTION"]

VISITS = Contract(
    name="mixed",
    version=1,
    columns=(
        Column("visit_id", "text", "Key of the visit"),
        Column("seen_at", "time", "When it was"),
        Column("guest_id", "text", "Who came"),
        Column("note", "text", "What was written about it"),
        Column("bill", "money", "What was paid", currency="unit"),
        Column("unit", "category", "Currency of the bill"),
        Column("guests", "integer", "How many came"),
        Column("kind", "category", "Kind of visit", may_be_blank=True),
        Column("came_back", "flag", "Did the guest come back", may_be_blank=True),
        Column("tip", "number", "What was given beyond the bill", may_be_blank=True, after_event=True),
    ),
    key="visit_id",
    event_time="seen_at",
    person="guest_id",
    labels=("came_back", "kind", "tip"),
)
TABLE = Columns(("bill", "guests"), calendar=("hour", "weekend"), identified_by=("visit_id", "seen_at"))
FEW = {"gradient_boosting": {"n_estimators": 20, "max_depth": 3}}

SOLUTION = tasks.Solution(
    name="mixed",
    title="Visits",
    contract=VISITS,
    tasks=(
        tasks.Task(
            name="returns", target=tasks.Binary("came_back", at_stake="bill"),
            features=(TABLE, WindowFeatures()), learner="gradient_boosting", params=FEW,
            policy=tasks.ReviewAndDecline(), split="time",
        ),
        tasks.Task(
            name="kind", target=tasks.Classes("kind"), features=(Text("note"), TABLE),
            learner="logistic_regression", policy=tasks.Abstain(), split="grouped",
        ),
        tasks.Task(
            name="odd", target=tasks.Anomaly(), features=(TABLE,), learner="isolation_forest", split="time"
        ),
        tasks.Task(
            name="group", target=tasks.Segments(3), features=(TABLE, TaskOutput("returns")), learner="kmeans"
        ),
        tasks.Task(
            name="tip", target=tasks.Amount("tip"), features=(TABLE,), learner="gradient_boosting", params=FEW
        ),
    ),
    windows=Path(__file__).with_name("mixed_windows.yaml"),
)  # fmt: skip
