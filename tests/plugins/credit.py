"""Credit default: who will not pay back next month, from a plain table with one row for each customer."""

from tallystick.contracts import Column, Contract
from tallystick.feature_extraction import Columns
from tallystick.report import Nouns
from tallystick.tasks import Bands, Binary, Solution, Task

__all__ = ["SOLUTION"]

#: The columns that have a role; all others of a file are typed from their content and become features.
CUSTOMERS = Contract(
    name="credit",
    version=1,
    columns=(
        Column("customer_id", "text", "Key of the customer", aliases=("id",)),
        Column(
            "default",
            "flag",
            "Did the customer not pay back",
            aliases=("default.payment.next.month", "defaulted"),
            may_be_blank=True,
        ),
    ),
    key="customer_id",
    person="customer_id",
    labels=("default",),
    events=False,
    open=True,
)

SOLUTION = Solution(
    name="credit",
    title="Credit default",
    contract=CUSTOMERS,
    tasks=(
        Task(
            name="default",
            target=Binary("default"),
            features=(Columns(identified_by=("customer_id",), unnamed=True),),
            learner="gradient_boosting",
            params={"gradient_boosting": {"n_estimators": 150, "max_depth": 4, "learning_rate": 0.05}},
            policy=Bands(actions=("A", "B", "C", "D", "E"), needs_person=frozenset({"E"})),
            split="stratified",
            purpose="Says how likely a customer is not to pay back, with a rating grade.",
            limits="Not for refusing anyone by itself: grade E is for a person to look at.",
        ),
    ),
    nouns=Nouns(record="customer", records="customers", event="default", events="defaults"),
)
