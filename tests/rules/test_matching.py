"""Names of classes that differ in spelling find each other, and no others."""

import pytest

from tallystick.rules.matching import paired

NAMES = [
    "Checking or savings account", "Credit card", "Credit reporting or other personal consumer reports",
    "Debt collection", "Mortgage", "Prepaid card", "Student loan", "Vehicle loan or lease",
]  # fmt: skip


@pytest.mark.parametrize(
    ("own", "name"),
    [
        ("credit_card", "Credit card"), ("CREDIT CARDS", "Credit card"), ("mortgages_and_loans", "Mortgage"),
        ("savings-account", "Checking or savings account"), ("Student Loans", "Student loan"),
        ("credit_reporting", "Credit reporting or other personal consumer reports"),
        ("card", None), ("loan", None), ("crypto", None), ("", None), ("and", None),
    ],
)  # fmt: skip
def test_a_class_finds_the_one_name_that_it_means(own: str, name: str | None) -> None:
    assert paired([own], NAMES).get(own) == name
