"""The routing file that ships: it is read without a note, and letters reach the right desk."""

from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest

import tallystick
from tallystick.rules.routing import Routing

PRODUCTS = (
    "Checking or savings account",
    "Credit card",
    "Credit reporting or other personal consumer reports",
    "Debt collection",
    "Debt or credit management",
    "Money transfer, virtual currency, or money service",
    "Mortgage",
    "Payday loan, title loan, personal loan, or advance loan",
    "Prepaid card",
    "Student loan",
    "Vehicle loan or lease",
)


@pytest.fixture(scope="module")
def routing() -> Routing:
    return Routing.load(
        Path(str(tallystick.__file__)).parent / "solutions" / "complaints" / "routing.yaml",
        label="product",
        columns=["tags"],
        several=["tags"],
        known={
            "product": PRODUCTS,
            "tags": ["Older American", "Servicemember"],
            "action": ["auto", "review"],
        },
    )


def route(
    routing: Routing,
    product: str | None,
    text: str = "Please help.",
    tags: str | None = None,
    amount: int = -1,
    action: str = "auto",
) -> tuple[str, str, int]:
    """Return department, priority and the days until it is due, for a letter of a Monday."""
    monday = datetime(2024, 3, 4, 12, tzinfo=UTC)
    (made,) = routing.apply(
        narrative=pa.array([text]),
        label=pa.array([product], pa.string()),
        amount=pa.array([amount]),
        received_at=pa.array([monday], pa.timestamp("us", "UTC")),
        columns={"tags": pa.array([tags], pa.string()), "action": pa.array([action])},
    ).to_pylist()
    return made["department"], made["priority"], (made["due"] - monday).days


def test_it_holds_without_a_note(routing: Routing) -> None:
    assert routing.notes == ()


@pytest.mark.parametrize("product", PRODUCTS)
def test_each_product_has_its_desk(routing: Routing, product: str) -> None:
    department, _, days = route(routing, product)
    assert department != "Complaint desk"
    assert days <= 15


def test_every_department_is_used(routing: Routing) -> None:
    used = {rule.department for rule in (*routing.rules, routing.default)}
    assert used == set(routing.to_dict()["departments"])


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"product": "A new product"}, ("Complaint desk", "normal", 15)),
        ({"product": None, "text": ""}, ("Manual desk", "normal", 7)),
        ({"product": "Mortgage", "text": "They start\na FORECLOSURE."}, ("Mortgages", "urgent", 1)),
        (
            {"product": "Credit card", "text": "A charge I didn't authorize."},
            ("Fraud and identity theft", "urgent", 1),
        ),
        (
            {"product": "Credit card", "text": "A charge I didn’t authorize."},
            ("Fraud and identity theft", "urgent", 1),
        ),
        (
            {"product": "Debt collection", "text": "due to identity theft"},
            ("Fraud and identity theft", "high", 4),
        ),
        ({"product": "Student loan", "text": "My lawyer will write."}, ("Legal", "high", 2)),
        ({"product": "Student loan", "text": "I will take legal action."}, ("Student loans", "normal", 15)),
        ({"product": "Student loan", "tags": "Servicemember"}, ("Priority care", "high", 7)),
        (
            {"product": "Student loan", "tags": "Older American, Servicemember", "amount": 100_000},
            ("Priority care", "urgent", 2),
        ),
        ({"product": "Student loan", "amount": 2_500_000}, ("Senior desk", "high", 7)),
        ({"product": "Student loan", "action": "review"}, ("Manual desk", "normal", 7)),
        ({"product": "Vehicle loan or lease", "text": "My car was towed"}, ("Lending", "urgent", 2)),
        (
            {"product": "Mortgage", "text": "I could end my life over this foreclosure"},
            ("Priority care", "urgent", 0),
        ),
    ],
)
def test_letters_reach_their_desk(
    routing: Routing, given: dict[str, object], expected: tuple[str, str, int]
) -> None:
    assert route(routing, **given) == expected  # type: ignore[arg-type]
