"""Declarations of tables: what contradicts itself is refused, and the main table gains typed columns."""

from dataclasses import replace

import pytest

from tallystick.contracts import Column, Contract
from tallystick.tasks import Aggregate, Solution, Table

ORDERS = Contract(
    "orders",
    1,
    (
        Column("who", "text", "Customer"),
        Column("at", "time", "When"),
        Column("paid", "money", "What was paid"),
        Column("channel", "category", "Where"),
    ),
    event_time="at",
)
CUSTOMERS = Contract("customers", 1, (Column("who", "text", "Customer"), Column("since", "time", "When")))


def table(*aggregates: Aggregate, on: str = "who") -> Table:
    return Table("orders", ORDERS, "joined", on, aggregates)


def test_the_main_table_gains_typed_columns() -> None:
    made = table(
        Aggregate("count"), Aggregate("max", "paid"), Aggregate("last", "channel"), Aggregate("min", "at")
    )
    solution = Solution("shop", "Shop", CUSTOMERS, (), tables=(made,))
    gained = [(column.name, column.type) for column in solution.contract.columns[2:]]
    assert gained == [
        ("orders__count", "integer"),
        ("orders__max_paid", "number"),
        ("orders__last_channel", "category"),
        ("orders__min_at", "time"),
    ]
    assert replace(solution, title="Other").contract == solution.contract


@pytest.mark.parametrize(
    ("aggregates", "words"),
    [
        ((), "needs aggregates"),
        ((Aggregate("count"), Aggregate("count")), "each once"),
        ((Aggregate("median", "paid"),), 'no aggregate "median"'),
        ((Aggregate("sum", "price"),), 'not "price"'),
        ((Aggregate("sum"),), 'not ""'),
        ((Aggregate("sum", "channel"),), "needs a column of numbers"),
    ],
)
def test_a_declaration_that_contradicts_itself_is_refused(
    aggregates: tuple[Aggregate, ...], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        table(*aggregates)


def test_both_tables_have_the_column_they_are_joined_on() -> None:
    with pytest.raises(ValueError, match='no column "customer" to join on'):
        table(Aggregate("count"), on="customer")
    with pytest.raises(ValueError, match='no column "who" to join orders on'):
        Solution(
            "shop",
            "Shop",
            replace(CUSTOMERS, columns=CUSTOMERS.columns[1:]),
            (),
            tables=(table(Aggregate("count")),),
        )


def test_events_are_not_joined_to_what_comes_later() -> None:
    events = replace(CUSTOMERS, event_time="since")
    with pytest.raises(ValueError, match="declare windows"):
        Solution("shop", "Shop", events, (), tables=(table(Aggregate("count")),))
