from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.solutions.complaints import taxonomy
from tallystick.solutions.complaints.taxonomy import PRODUCTS, harmonise, place

ADVANCE = "Payday loan, title loan, personal loan, or advance loan"
MONEY = "Money transfer, virtual currency, or money service"
MANAGEMENT = "Debt or credit management"
REPORTING = "Credit reporting or other personal consumer reports"
OLD_REPORTING = "Credit reporting, credit repair services, or other personal consumer reports"

#: The sub-products of the present form, each list as it stands.
PRESENT = {
    "Checking or savings account": {"CD (Certificate of Deposit)", "Checking account",
    "Other banking product or service", "Savings account"},
    "Credit card": {"General-purpose credit card or charge card", "Store credit card"},
    REPORTING: {"Credit reporting", "Other personal consumer report"},
    "Debt collection": {
        *("Auto debt", "Credit card debt", "Federal student loan debt", "I do not know", "Medical debt",
        "Mortgage debt", "Other debt"),
        *("Payday loan debt", "Private student loan debt", "Rental debt", "Telecommunications debt"),
    },
    MANAGEMENT: {"Credit repair services", "Debt settlement",
    "Mortgage modification or foreclosure avoidance", "Student loan debt relief"},
    MONEY: {
        *("Check cashing service", "Domestic (US) money transfer", "Foreign currency exchange",
        "International money transfer"),
        *("Mobile or digital wallet", "Money order, traveler's check or cashier's check", "Virtual currency"),
    },
    "Mortgage": {
        *("Conventional home mortgage", "FHA mortgage", "Home equity loan or line of credit (HELOC)",
        "Manufactured home loan"),
        *("Other type of mortgage", "Reverse mortgage", "USDA mortgage", "VA mortgage"),
    },
    ADVANCE: {
        *("Earned wage access", "Installment loan", "Other advances of future income", "Payday loan",
        "Personal line of credit"),
        *("Tax refund anticipation loan or check", "Title loan"),
    },
    "Prepaid card": {"General-purpose prepaid card", "Gift card", "Government benefit card", "Payroll card",
    "Student prepaid card"},
    "Student loan": {"Federal student loan servicing", "Private student loan"},
    "Vehicle loan or lease": {"Lease", "Loan"},
}  # fmt: skip

#: Earlier kinds without one successor: what a later form joined,
#: or no longer asks for. They keep their name on purpose.
KEPT = {
    "Checking or savings account": {"Cashing a check without an account", "Personal line of credit"},
    "Mortgage": {"Conventional adjustable mortgage (ARM)", "Conventional fixed mortgage", "Second mortgage"},
    ADVANCE: {"Pawn loan"},
    "Prepaid card": {"Electronic Benefit Transfer / EBT card", "ID prepaid card", "Mobile wallet",
    "Other special purpose card"},
}  # fmt: skip


def test_the_present_names_stay_as_they_are() -> None:
    assert tuple(PRESENT) == PRODUCTS
    for product, subs in PRESENT.items():
        assert place(product, None) == (product, None)
        for sub in subs:
            assert place(product, sub) == (product, sub)


@pytest.mark.parametrize(
    ("product", "sub", "expected"),
    [
        ("Bank account or service", "Savings account", ("Checking or savings account", "Savings account")),
        ("Consumer Loan", "Vehicle loan", ("Vehicle loan or lease", "Loan")),
        ("Consumer loan", "Vehicle lease", ("Vehicle loan or lease", "Lease")),
        ("Consumer Loan", "Pawn loan", (ADVANCE, "Pawn loan")),
        ("Consumer Loan", None, ("Consumer Loan", None)),
        ("consumer  loan", "Something new", ("Consumer Loan", "Something new")),
        ("Credit card or prepaid card", "Store credit card", ("Credit card", "Store credit card")),
        ("Credit card or prepaid card", "Gift card", ("Prepaid card", "Gift card")),
        ("Credit card or prepaid card", None, ("Credit card or prepaid card", None)),
        ("Credit reporting", None, (REPORTING, None)),
        (OLD_REPORTING, "Credit reporting", (REPORTING, "Credit reporting")),
        (OLD_REPORTING, None, (REPORTING, None)),
        (OLD_REPORTING, "Credit repair services", (MANAGEMENT, "Credit repair services")),
        ("Other financial service", "Credit repair", (MANAGEMENT, "Credit repair services")),
        ("Other financial service", "Check cashing", (MONEY, "Check cashing service")),
        ("Other financial service", "Traveler\u2019s/Cashier\u2019s checks", (MONEY,
        "Money order, traveler's check or cashier's check")),
        ("Other financial service", "Refund anticipation check", (ADVANCE,
        "Tax refund anticipation loan or check")),
        ("Other financial service", None, ("Other financial service", None)),
        (MONEY, "Debt settlement", (MANAGEMENT, "Debt settlement")),
        (MONEY, "Refund anticipation check", (ADVANCE, "Tax refund anticipation loan or check")),
        ("Money transfers", "International money transfer", (MONEY, "International money transfer")),
        ("Money transfers", "Debt settlement", (MANAGEMENT, "Debt settlement")),
        ("Virtual currency", None, (MONEY, None)),
        ("Payday loan", None, (ADVANCE, None)),
        ("Payday loan, title loan, or personal loan", "Title loan", (ADVANCE, "Title loan")),
        ("Student loan", "Non-federal student loan", ("Student loan", "Private student loan")),
        ("Debt collection", "Non-federal student loan", ("Debt collection", "Private student loan debt")),
        ("DEBT  COLLECTION", "medical", ("Debt collection", "Medical debt")),
        ("Crypto lending", "Staking", ("Crypto lending", "Staking")),
        (None, "Vehicle loan", (None, "Vehicle loan")),
    ],
)  # fmt: skip
def test_earlier_names(product: str | None, sub: str | None, expected: tuple[str | None, str | None]) -> None:
    assert place(product, sub) == expected


def test_every_pair_of_the_public_extract_has_a_decided_place(public_data: Path) -> None:
    table = pq.read_table(public_data / "complaints" / "cfpb.parquet", columns=["Product", "Sub-product"])
    pairs = {
        (row["Product"], row["Sub-product"])
        for row in table.group_by(table.column_names).aggregate([]).to_pylist()
    }
    assert len(pairs) > 100
    for pair in pairs:
        product, sub = place(*pair)
        assert product in PRESENT, pair
        assert sub is None or sub in PRESENT[product] or sub in KEPT.get(product, ()), pair
        assert place(product, sub) == (product, sub), pair


NAMES = st.sampled_from(
    [
        None,
        "new",
        *PRODUCTS,
        *taxonomy._RENAMED,
        *taxonomy._SPLIT,
        *(s for subs in PRESENT.values() for s in subs),
    ]
    + [s for subs in taxonomy._MOVED.values() for s in subs]
    + [s for subs in taxonomy._SUB_RENAMED.values() for s in subs]
)


@given(NAMES, NAMES)
def test_twice_is_once(product: str | None, sub: str | None) -> None:
    once = place(product, sub)
    assert place(*once) == once


@given(st.lists(st.tuples(NAMES, NAMES), max_size=200))
def test_a_batch_is_placed_pair_by_pair(pairs: list[tuple[str | None, str | None]]) -> None:
    rows = pa.RecordBatch.from_arrays(
        [pa.array([p[i] for p in pairs], pa.string()) for i in (0, 1)], names=["product", "sub_product"]
    )
    assert [tuple(row.values()) for row in harmonise(rows).to_pylist()] == [place(*pair) for pair in pairs]


@pytest.mark.parametrize("times", [1, 100])
def test_without_one_of_the_columns(times: int) -> None:
    alone = pa.record_batch({"product": ["Payday loan", "Consumer loan"] * times})
    assert harmonise(alone).to_pylist() == [{"product": ADVANCE}, {"product": "Consumer Loan"}] * times
    sub = pa.record_batch({"sub_product": ["Vehicle loan"] * times})
    assert harmonise(sub) is sub
