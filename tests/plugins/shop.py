"""Who will cancel, from two tables: one row for each customer, and the orders of each."""

from tallystick.contracts import Column, Contract
from tallystick.feature_extraction import Columns
from tallystick.tasks import Aggregate, Binary, Capacity, Solution, Table, Task

__all__ = ["SOLUTION"]

CUSTOMERS = Contract(
    name="customers",
    version=1,
    columns=(
        Column("customer_id", "text", "Key of the customer", aliases=("id",)),
        Column("age", "integer", "Age in years", minimum=0, maximum=120),
        Column("cancelled", "flag", "Did the customer cancel", may_be_blank=True),
    ),
    key="customer_id",
    person="customer_id",
    labels=("cancelled",),
    events=False,
)
ORDERS = Table(
    name="orders",
    contract=Contract(
        name="orders",
        version=1,
        columns=(
            Column("order_id", "text", "Key of the order"),
            Column("customer_id", "text", "Who ordered", aliases=("customer",)),
            Column("ordered_at", "time", "When it was"),
            Column("paid", "money", "What was paid", currency="unit"),
            Column("unit", "category", "Currency of what was paid"),
            Column("weight", "number", "Weight in kg"),
            Column("items", "integer", "How many things"),
            Column("channel", "category", "Where it was ordered"),
        ),
        key="order_id",
        event_time="ordered_at",
    ),
    role="joined",
    on="customer_id",
    aggregates=(
        Aggregate("count"), Aggregate("sum", "paid"), Aggregate("mean", "paid"), Aggregate("max", "paid"),
        Aggregate("sum", "weight"), Aggregate("min", "weight"), Aggregate("mean", "items"),
        Aggregate("distinct", "channel"), Aggregate("first", "channel"), Aggregate("last", "ordered_at"),
        Aggregate("count", "weight"),
    ),
)  # fmt: skip
NUMBERS = tuple(column.name for column in ORDERS.columns if column.type in ("integer", "number"))

SOLUTION = Solution(
    name="shop",
    title="Customers of a shop",
    contract=CUSTOMERS,
    tables=(ORDERS,),
    tasks=(
        Task(
            name="cancel",
            target=Binary("cancelled"),
            features=(
                Columns(("age", *NUMBERS), ("orders__first_channel",), identified_by=("customer_id",)),
            ),
            learner="gradient_boosting",
            params={"gradient_boosting": {"n_estimators": 20, "max_depth": 3}},
            policy=Capacity(),
            split="stratified",
        ),
    ),
)
